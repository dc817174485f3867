//! Reading a body whole, within the route's limit.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
};

use crate::problem::{BODY_TOO_LARGE, MALFORMED_REQUEST, Problem};

/// Reads the body.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(error)
            if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE =>
        {
            Problem::new(&BODY_TOO_LARGE)
                .detail("the body is over the limit of this server; send less at once")
        }
        other => Problem::new(&MALFORMED_REQUEST).detail(other.body_text()),
    })
}
