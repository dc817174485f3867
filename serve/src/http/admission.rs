//! Which requests are taken in: their heads within bounds, and no more at a time than memory allows.
//! The others hear at once when to come again.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{Method, request::Parts},
    response::{IntoResponse as _, Response},
};
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Limits, Unread,
    arriving::{Arriving, throw_away},
    leaving::Keeping,
};
use crate::{
    budget::{Budget, Share},
    problem::{HEADERS_TOO_LARGE, OVERLOADED, Problem},
};

/// When whoever came at a bad time may come again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Whoever asks these has to hear an answer whatever the load.
pub(super) const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];
/// An answer of at least so many bytes counts against the memory of all answers: a connection of HTTP/2 has
/// many at a time.
const LARGE: u64 = 4 << 10;

/// What a server has room for.
#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    requests: Arc<Semaphore>,
    bodies: Budget,
    answers: Budget,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            requests: Arc::new(Semaphore::new(limits.requests)),
            bodies: Budget::new(limits.request_memory),
            answers: Budget::new(limits.answer_memory),
        }
    }

    /// Takes a request in, and lets it be handled, or refuses it before any of its body is read.
    pub(super) async fn admit<F>(&self, mut request: Request, handle: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Response>,
    {
        if ALWAYS.contains(&request.uri().path()) {
            return handle(request).await;
        }
        if let Err(problem) = check_head(&request, self.limits) {
            return problem.into_response();
        }
        let limit = self.limits.body_time;
        let Some(in_flight) = self.begin() else {
            throw_away(request.into_body(), limit).await;
            return overloaded(Unread::NoPlace.to_string()).into_response();
        };
        let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
        request.extensions_mut().insert(in_flight.clone());
        if !request.body().is_end_stream() {
            request = Arriving::of(request, self.limits, in_flight.clone());
        }
        let response = handle(request).await;
        in_flight.release();
        if only_reads { self.let_go(response) } else { response }
    }

    /// A request that is worked on; `None` where there is no place for it.
    fn begin(&self) -> Option<InFlight> {
        let requests = Arc::clone(&self.requests);
        let place = Arc::clone(&requests).try_acquire_owned().ok()?;
        let held = Held { requests, place: Some(place), share: self.bodies.share() };
        Some(InFlight(Arc::new(Mutex::new(Some(held)))))
    }

    /// Lets the answer to what only reads go, where there is room for it: a client may take its time. What
    /// changes something has been carried out by now, and is answered.
    fn let_go(&self, response: Response) -> Response {
        let size = response.body().size_hint().lower();
        if size < LARGE {
            return response;
        }
        let mut share = self.answers.share();
        if !share.grow(usize::try_from(size).unwrap_or(usize::MAX)) {
            return overloaded("too many bytes of answers are being written already").into_response();
        }
        response.map(|body| Body::new(Keeping::new(body, share)))
    }
}

fn overloaded(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(&OVERLOADED).detail(detail).retry_after(PAUSE)
}

fn check_head(request: &Request, limits: Limits) -> Result<(), Problem> {
    let headers = request.headers();
    let too_large = |detail: String| Problem::new(&HEADERS_TOO_LARGE).detail(detail);
    if headers.len() > limits.headers {
        return Err(too_large(format!("{} headers are more than {}", headers.len(), limits.headers)));
    }
    let line = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    let bytes = line + fields.sum::<usize>();
    if bytes > limits.header_bytes {
        return Err(too_large(format!(
            "{bytes} bytes of path and headers are more than {}",
            limits.header_bytes
        )));
    }
    Ok(())
}

/// What a request takes of what there is for all: a place among those that are worked on, but while it waits
/// for its body, and memory for the body. Given up when it is answered; a handler that only waits gives it up
/// before.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<Mutex<Option<Held>>>);

#[derive(Debug)]
struct Held {
    requests: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
    share: Share,
}

impl InFlight {
    /// The request is not worked on any more, and its body is gone: it only waits, and is counted elsewhere.
    pub fn release(&self) {
        drop(self.lock().take());
    }

    /// Whether so many more bytes of its body have room.
    pub(super) fn holds_more(&self, bytes: usize) -> bool {
        self.lock().as_mut().is_none_or(|held| held.share.grow(bytes))
    }

    /// The request waits for its body: others may have its place meanwhile.
    pub(super) fn leaves_place(&self) {
        if let Some(held) = self.lock().as_mut() {
            held.place = None;
        }
    }

    /// Whether it has a place, or there is one for it, which is its own from now on.
    pub(super) fn takes_place(&self) -> bool {
        let mut held = self.lock();
        let Some(held) = held.as_mut().filter(|held| held.place.is_none()) else { return true };
        held.place = Arc::clone(&held.requests).try_acquire_owned().ok();
        held.place.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InFlight {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Where a router is called without a server, nothing is counted.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(Arc::default())))
    }
}
