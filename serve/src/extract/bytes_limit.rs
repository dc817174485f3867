//! Reading a body whole, within the route's limit.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
};

use crate::{
    http::Unread,
    problem::{BODY_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED, Problem, REQUEST_TIMEOUT},
};

/// When there may be room for a body again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Reads the body.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| problem(&rejection))
}

fn problem(rejection: &BytesRejection) -> Problem {
    if let Some(unread) = Unread::among(rejection) {
        return match unread {
            Unread::TooSlow(_) => Problem::new(&REQUEST_TIMEOUT).detail(unread.to_string()),
            Unread::TooLarge(_) => Problem::new(&BODY_TOO_LARGE).detail(unread.to_string()),
            Unread::NoRoom | Unread::NoPlace => {
                Problem::new(&OVERLOADED).detail(unread.to_string()).retry_after(PAUSE)
            }
        };
    }
    if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(&BODY_TOO_LARGE)
            .detail("the body is over the limit of this server; send less at once");
    }
    Problem::new(&MALFORMED_REQUEST).detail(rejection.body_text())
}
