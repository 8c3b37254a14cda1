//! Connections taken in, answered, and ended.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::Server;
use crate::connection::{Running, Timed};
use crate::held::held;
use crate::observe::refuse_early;
use crate::settings::Limits;
use crate::tls::Tls;

/// How long to wait where no connection can be taken in, such as for want of file handles.
const PAUSE: Duration = Duration::from_millis(20);
/// What a connection is told that is one too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Answers at a listener until `stop` ends; then ends what runs, within its time.
///
/// Connections beyond the limit are told so and ended. A connection has a time for each thing that
/// it waits for: the head of a request, the next request, and the other side taking an answer.
///
/// # Errors
/// Where the listener is none any more.
pub async fn serve(
    listener: TcpListener,
    server: Server,
    router: Router,
    tls: Option<Tls>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let limits = server.rules().limits.clone();
    let room = Arc::new(Semaphore::new(usize::try_from(limits.connections).unwrap_or(usize::MAX)));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken in");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tokio::spawn(refuse(stream));
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (server, router, tls) = (server.clone(), router.clone(), tls.clone());
        let watcher = graceful.watcher();
        let limits = limits.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let _connected = server.metrics().connected();
            match tls {
                None => answer(stream, &server, router, &limits, watcher).await,
                Some(tls) => {
                    let accepted = timeout(limits.header(), tls.acceptor().accept(stream)).await;
                    if let Ok(Ok(stream)) = accepted {
                        answer(stream, &server, router, &limits, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = timeout(limits.shutdown(), graceful.shutdown()).await;
    Ok(())
}

/// Answers the requests of a connection, one after the other.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    server: &Server,
    router: Router,
    limits: &Limits,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let running = Running::default();
    let stream = Timed::new(stream, running.clone(), limits);
    let server = server.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let run = running.start();
        let refused = refuse_early(&server, &mut request);
        let answer = refused.ok_or_else(|| router.clone().oneshot(request));
        async move {
            let response = match answer {
                Ok(refused) => refused,
                Err(answer) => answer.await?,
            };
            // An answer is under way until all of its body is taken.
            Ok::<_, Infallible>(held(response, run))
        }
    });
    let mut builder = http1::Builder::new();
    let bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(bytes);
    // Whoever has said all may end that direction, and is answered all the same.
    builder.half_close(true);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Tells a connection that it is one too many.
async fn refuse(mut stream: TcpStream) {
    let _ = timeout(Duration::from_secs(1), stream.write_all(FULL)).await;
}

/// Whether an error is of the connection alone that was to be taken in.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
