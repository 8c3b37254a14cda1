//! A connection that keeps time: whoever is silent too long is cut off.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::settings::Limits;

/// How long a connection is still read from that was ended by this side. Ended with bytes unread it
/// would be reset, and the last answer lost to whoever is still sending.
const LINGER: Duration = Duration::from_secs(1);
/// How many bytes are thrown away at once then.
const SCRATCH: usize = 4096;

/// The requests of a connection that are being answered: what the connection waits for then is no
/// head of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    now: AtomicUsize,
    ever: AtomicUsize,
}

/// One request that is being answered, for as long as it lives.
pub(crate) struct Run(Running);

impl Running {
    pub(crate) fn start(&self) -> Run {
        self.0.now.fetch_add(1, Ordering::Relaxed);
        self.0.ever.fetch_add(1, Ordering::Relaxed);
        Run(self.clone())
    }

    fn is_any(&self) -> bool {
        self.0.now.load(Ordering::Relaxed) > 0
    }

    fn ever(&self) -> usize {
        self.0.ever.load(Ordering::Relaxed)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// The first byte of a request.
    Request,
    /// The rest of its head.
    Head,
    /// An answer: the body has a time of its own, where it is read.
    Answer,
}

/// A stream with a time for each thing that it waits for.
///
/// Reading ends with an error where no request comes, or its head comes too slowly; writing, where
/// the other side takes nothing. The head has its time from its first byte on, however many bytes
/// drip in.
pub(crate) struct Timed<S> {
    stream: S,
    running: Running,
    /// How many requests there had been when it was last read from.
    seen: usize,
    waits: Waits,
    times: Times,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    is_write_stalled: bool,
    is_shut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    head: Duration,
    idle: Duration,
    write: Duration,
}

impl<S> Timed<S> {
    pub(crate) fn new(stream: S, running: Running, limits: &Limits) -> Self {
        let times = Times { head: limits.header(), idle: limits.idle(), write: limits.write() };
        Self {
            stream,
            running,
            seen: 0,
            // The first request of a connection is due sooner than another.
            waits: Waits::Request,
            times,
            reading: Box::pin(sleep(times.head)),
            writing: Box::pin(sleep(times.write)),
            is_write_stalled: false,
            is_shut: false,
        }
    }

    /// Takes notice of the requests that have begun and ended. One may have done both between two
    /// reads.
    fn notice_requests(&mut self) {
        let ever = self.running.ever();
        if self.running.is_any() {
            self.waits = Waits::Answer;
        } else if self.waits == Waits::Answer || self.seen != ever {
            self.waits = Waits::Answer;
            self.wait_for(Waits::Request);
        }
        self.seen = ever;
    }

    /// Sets the clock anew where something else is waited for than before.
    fn wait_for(&mut self, waits: Waits) {
        if self.waits == waits {
            return;
        }
        self.waits = waits;
        let time = match waits {
            Waits::Request => self.times.idle,
            Waits::Head => self.times.head,
            Waits::Answer => return,
        };
        self.reading.as_mut().reset(Instant::now() + time);
    }

    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if !self.is_write_stalled {
            self.is_write_stalled = true;
            self.writing.as_mut().reset(Instant::now() + self.times.write);
        }
        self.writing.as_mut().poll_elapsed(context)
    }
}

trait PollElapsed {
    fn poll_elapsed(self, context: &mut Context<'_>) -> Poll<io::Error>;
}

impl PollElapsed for Pin<&mut Sleep> {
    fn poll_elapsed(self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(Future::poll(self, context));
        Poll::Ready(ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let own = &mut *self;
        own.notice_requests();
        let before = buffer.filled().len();
        let read = Pin::new(&mut own.stream).poll_read(context, buffer);
        if read.is_pending() {
            // While the other side is slow to take an answer, the clock of writing counts.
            if own.waits == Waits::Answer || own.is_write_stalled {
                return Poll::Pending;
            }
            return own.reading.as_mut().poll_elapsed(context).map(Err);
        }
        if buffer.filled().len() > before && own.waits == Waits::Request {
            own.wait_for(Waits::Head);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Timed<S> {
    fn poll_io<T>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        work: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let own = &mut *self;
        let done = work(Pin::new(&mut own.stream), context);
        if done.is_pending() {
            return own.poll_stalled(context).map(Err);
        }
        if own.is_write_stalled {
            own.is_write_stalled = false;
            // What is waited for next has all of its time from here on.
            own.waits = Waits::Answer;
        }
        done
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Timed<S> {
    /// Throws away what the other side is still sending, until it ends or its time is over.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.reading.as_mut().poll_elapsed(context).is_ready() {
                return Poll::Ready(());
            }
            let mut scratch = [std::mem::MaybeUninit::uninit(); SCRATCH];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut scratch));
            if read.is_err() || scratch.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_io(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_io(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_io(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            let own = self.as_mut();
            ready!(own.poll_io(context, |stream, context| stream.poll_shutdown(context)))?;
            self.is_shut = true;
            self.reading.as_mut().reset(Instant::now() + LINGER);
        }
        self.poll_linger(context).map(Ok)
    }
}
