//! A connection on which an early answer is heard: a broker that refuses a request while its body is still on the
//! way answers and hangs up. What can't be sent any more is then dropped, and what was answered is read.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// Takes all that is written, also once the other side takes no more of it.
#[derive(Debug)]
pub(super) struct Hearing<T> {
    inner: T,
    /// Whether the other side takes no more.
    hung_up: bool,
}

impl<T> Hearing<T> {
    pub(super) const fn new(inner: T) -> Self {
        Self { inner, hung_up: false }
    }

    /// A write's result; where the other side hung up, as if all had been written.
    fn written<R>(&mut self, result: io::Result<R>, all: R) -> io::Result<R> {
        match result {
            Err(error) if is_hang_up(&error) => {
                self.hung_up = true;
                Ok(all)
            }
            result => result,
        }
    }
}

/// Whether an error says that the other side has closed the connection.
pub(super) fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof
    )
}

impl<T: Read + Unpin> Read for Hearing<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<T: Write + Unpin> Write for Hearing<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.hung_up {
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        Poll::Ready(self.written(result, bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        if self.hung_up {
            return Poll::Ready(Ok(all));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, slices));
        Poll::Ready(self.written(result, all))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hung_up {
            return Poll::Ready(Ok(()));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_flush(cx));
        Poll::Ready(self.written(result, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.hung_up {
            return Poll::Ready(Ok(()));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_shutdown(cx));
        Poll::Ready(self.written(result, ()))
    }
}

impl<T: Connection> Connection for Hearing<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use http_body_util::Full;
    use hyper::client::conn::http1;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    /// The other side answered and hung up while a write was on its way: nobody saw the answer before that.
    #[derive(Default)]
    struct HungUp {
        refused: bool,
        read: bool,
    }

    impl Read for HungUp {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            mut buffer: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            if !self.refused {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !std::mem::replace(&mut self.read, true) {
                buffer.put_slice(ANSWER);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl Write for HungUp {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            self.refused = true;
            Poll::Ready(Err(ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// The status of what is answered to a request.
    async fn status<T: Read + Write + Unpin + Send + 'static>(io: T) -> Result<u16, hyper::Error> {
        let (mut sender, connection) = http1::handshake(io).await?;
        tokio::spawn(connection);
        let request = Request::post("/").body(Full::new(Bytes::from(vec![b'x'; 1 << 20]))).unwrap();
        Ok(sender.send_request(request).await?.status().as_u16())
    }

    #[tokio::test]
    async fn an_answer_is_heard_though_the_body_found_no_taker() {
        assert!(status(HungUp::default()).await.is_err(), "without it the answer is lost");
        assert_eq!(status(Hearing::new(HungUp::default())).await.unwrap(), 413);
    }
}
