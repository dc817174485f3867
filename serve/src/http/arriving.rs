//! A request's body as it arrives: within its time, and within the memory that all bodies share. While it is
//! waited for, the request leaves its place among those that are worked on, so that slow clients keep nobody
//! from it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use http::header;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::{Limits, admission::InFlight};

/// How much of a refused body is still read, and thrown away: a client that is cut off while it sends may
/// not hear the answer.
const READ_ON: usize = 1 << 20;
/// The same of one that is too large: whoever does not hear that it is sends it again for ever.
const READ_ON_TOO_LARGE: usize = 64 << 20;

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It took longer than this to arrive.
    TooSlow(Duration),
    /// All bodies together take as much memory as they may.
    NoRoom,
    /// As many requests are worked on as may be.
    NoPlace,
    /// It is larger than this.
    TooLarge(usize),
}

impl Unread {
    const fn read_on(self) -> usize {
        match self {
            Self::TooLarge(_) => READ_ON_TOO_LARGE,
            Self::TooSlow(_) | Self::NoRoom | Self::NoPlace => READ_ON,
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow(limit) => write!(f, "the body did not arrive within {limit:?}"),
            Self::NoRoom => f.write_str("too many bytes of requests are held already"),
            Self::NoPlace => f.write_str("too many requests are worked on already"),
            Self::TooLarge(most) => write!(f, "the body is over the {most} bytes that this server takes"),
        }
    }
}

impl std::error::Error for Unread {}

impl Unread {
    /// Where one is among the causes of an error.
    pub(crate) fn among(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        causes.find_map(|error| error.downcast_ref().copied())
    }
}

/// The body.
pub(super) struct Arriving {
    body: Body,
    limit: Duration,
    /// Set once it was waited for.
    time: Option<Pin<Box<Sleep>>>,
    in_flight: InFlight,
    refused: Option<Unread>,
    /// How large it may be, and how much of it has come.
    most: usize,
    arrived: usize,
    /// Whether the client waits to be asked for it, as long as it was not: what is refused then never comes.
    waits_to_be_asked: bool,
    thrown_away: usize,
}

impl Arriving {
    pub(super) fn of(request: Request, limits: Limits, in_flight: InFlight) -> Request {
        let waits_to_be_asked = request.headers().contains_key(header::EXPECT);
        request.map(|body| {
            let is_too_large = body.size_hint().lower() > limits.body as u64;
            let refused = is_too_large.then_some(Unread::TooLarge(limits.body));
            let (limit, most) = (limits.body_time, limits.body);
            let (time, arrived, thrown_away) = (None, 0, 0);
            Body::new(Self {
                body,
                limit,
                time,
                in_flight,
                refused,
                most,
                arrived,
                waits_to_be_asked,
                thrown_away,
            })
        })
    }

    /// The next frame of a body that may still be taken, or the reason why not.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, axum::Error>>) -> Poll<Taken> {
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len));
        self.arrived += data.unwrap_or_default();
        if self.arrived > self.most {
            self.refused.get_or_insert(Unread::TooLarge(self.most));
        }
        match (self.refused, &frame) {
            (None, Some(Ok(_))) if data.is_none_or(|data| self.in_flight.holds_more(data)) => {
                Poll::Ready(frame)
            }
            (None, None) if self.in_flight.takes_place() => Poll::Ready(None),
            (None, None) => Poll::Ready(Some(Err(axum::Error::new(Unread::NoPlace)))),
            (_, Some(Err(_))) => Poll::Ready(frame),
            (refused, Some(Ok(_))) => {
                self.thrown_away += data.unwrap_or_default();
                let why = *self.refused.insert(refused.unwrap_or(Unread::NoRoom));
                if self.thrown_away < why.read_on() {
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(axum::Error::new(why))))
            }
            (Some(why), None) => Poll::Ready(Some(Err(axum::Error::new(why)))),
        }
    }
}

type Taken = Option<Result<Frame<Bytes>, axum::Error>>;

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Taken> {
        let limit = self.limit;
        if let (Some(why), true) = (self.refused, self.waits_to_be_asked) {
            return Poll::Ready(Some(Err(axum::Error::new(why))));
        }
        self.waits_to_be_asked = false;
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
                self.in_flight.leaves_place();
                let time = self.time.get_or_insert_with(|| Box::pin(sleep(limit)));
                ready!(time.as_mut().poll(context));
                let why = self.refused.unwrap_or(Unread::TooSlow(limit));
                return Poll::Ready(Some(Err(axum::Error::new(why))));
            };
            // Pending: it was thrown away.
            if let taken @ Poll::Ready(_) = self.take(frame) {
                return taken;
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // Whoever reads it has to come to its end, where a place is taken.
        false
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads a body that is refused before it was looked at, and throws it away, within the same bounds.
pub(super) async fn throw_away(body: Body, limit: Duration) {
    let mut body = body;
    let read = async {
        let mut bytes = 0;
        while bytes < READ_ON
            && let Some(Ok(frame)) =
                std::future::poll_fn(|context| http_body::Body::poll_frame(Pin::new(&mut body), context))
                    .await
        {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _ = tokio::time::timeout(limit, read).await;
}
