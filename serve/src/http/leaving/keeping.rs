//! A body with what lasts until the last of it is written, and not only until it has been handed out: hyper
//! drops a body over HTTP/2 once its last slice lies in a buffer, where a client may leave it for long.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body, each byte of which holds `kept`.
pub(in crate::http) struct Keeping<B, K> {
    body: B,
    kept: Arc<K>,
}

impl<B, K> Keeping<B, K> {
    pub(in crate::http) fn new(body: B, kept: K) -> Self {
        Self { body, kept: Arc::new(kept) }
    }
}

/// Some of the body. What is cut from it shares its memory, all of it to the last slice, and so holds what is
/// kept just as long: that it goes on being counted is true, and needs no copies.
struct Piece<K> {
    bytes: Bytes,
    _kept: Arc<K>,
}

impl<K> AsRef<[u8]> for Piece<K> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B, K> Body for Keeping<B, K>
where
    B: Body<Data = Bytes> + Unpin,
    K: Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let piece = |bytes| Bytes::from_owner(Piece { bytes, _kept: Arc::clone(&self.kept) });
        frame.map_ok(|frame| frame.map_data(piece))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
