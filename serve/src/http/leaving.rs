//! An answer's body as it leaves: in slices, so that what is not written yet stays here and not in the
//! connection's own buffer.

mod keeping;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};

pub(super) use self::keeping::Keeping;

/// The body, and what of it has come and not gone out yet.
pub(super) struct Leaving<B> {
    body: B,
    rest: Bytes,
    slice: usize,
}

impl<B> Leaving<B> {
    /// No more than `slice` bytes go out at once.
    pub(super) fn new(body: B, slice: usize) -> Self {
        Self { body, rest: Bytes::new(), slice }
    }

    fn slice(&mut self) -> Frame<Bytes> {
        let length = self.rest.len().min(self.slice);
        Frame::data(self.rest.split_to(length))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Leaving<B> {
    type Data = Bytes;
    type Error = B::Error;

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
