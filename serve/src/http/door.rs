//! What each request passes on its way to its handler, and its answer on the way back. It is one layer: for
//! each request a router copies and boxes all that lies below a layer.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use tokio::time::timeout;

use super::{Limits, admission::Admission};
use crate::problem::{INTERNAL, Problem, REQUEST_TIMEOUT};

/// What all requests of a server have in common.
#[derive(Debug)]
pub(super) struct Door {
    admission: Admission,
    request_time: Duration,
}

impl Door {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { admission: Admission::new(limits), request_time: limits.request_time })
    }
}

/// Counts the request, takes it in or refuses it, and sees to it that it is answered in time.
pub(super) async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let counted = Counted::begin(&request);
    let handle = |request| in_any_case(next.run(request), door.request_time);
    let response = door.admission.admit(request, handle).await;
    counted.end(&response);
    response
}

/// The handler's answer, or a problem where it panics or takes longer than this.
async fn in_any_case(answer: impl Future<Output = Response>, limit: Duration) -> Response {
    match AssertUnwindSafe(timeout(limit, answer)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::new(&REQUEST_TIMEOUT).into_response(),
        Err(_) => {
            tracing::error!("a request handler panicked");
            Problem::new(&INTERNAL).into_response()
        }
    }
}

/// A request that is counted and timed by its route, never by its raw path.
struct Counted {
    route: Option<MatchedPath>,
    began: Instant,
}

impl Counted {
    fn begin(request: &Request) -> Self {
        Self { route: request.extensions().get().cloned(), began: Instant::now() }
    }

    fn end(self, response: &Response) {
        let route = self.route.map_or_else(|| "unknown".to_owned(), |route| route.as_str().to_owned());
        let status = response.status().as_str().to_owned();
        ::metrics::histogram!("http_request_duration_seconds", "route" => route, "status" => status)
            .record(self.began.elapsed().as_secs_f64());
    }
}
