//! A request's body as it arrives: within its time, and within the memory that all bodies share.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::admission::InFlight;

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It took longer than this to arrive.
    TooSlow(Duration),
    /// All bodies together take as much memory as they may.
    NoRoom,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow(limit) => write!(f, "the body did not arrive within {limit:?}"),
            Self::NoRoom => f.write_str("too many bytes of requests are being read already"),
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
}

impl Arriving {
    pub(super) fn new(body: Body, limit: Duration, in_flight: InFlight) -> Self {
        Self { body, limit, time: None, in_flight }
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let limit = self.limit;
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let time = self.time.get_or_insert_with(|| Box::pin(sleep(limit)));
            ready!(time.as_mut().poll(context));
            return Poll::Ready(Some(Err(axum::Error::new(Unread::TooSlow(limit)))));
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && !self.in_flight.holds_more(data.len())
        {
            return Poll::Ready(Some(Err(axum::Error::new(Unread::NoRoom))));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
