//! An answer's body as it leaves: in slices, so that what is not written yet stays here and not in the
//! connection's own buffer, where nobody counts it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// How much goes out at once.
pub(super) const SLICE: usize = 64 << 10;

/// The body, and what lasts as long as it does.
pub(super) struct Leaving<K> {
    body: Body,
    rest: Bytes,
    _kept: K,
}

impl<K> Leaving<K> {
    pub(super) fn new(body: Body, kept: K) -> Self {
        Self { body, rest: Bytes::new(), _kept: kept }
    }

    fn slice(&mut self) -> Frame<Bytes> {
        let length = self.rest.len().min(SLICE);
        Frame::data(self.rest.split_to(length))
    }
}

impl<K: Unpin> http_body::Body for Leaving<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        Poll::Ready(Some(Ok(self.slice())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest + body.lower());
        if let Some(upper) = body.upper() {
            hint.set_upper(rest + upper);
        }
        hint
    }
}
