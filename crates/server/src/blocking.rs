//! Work that takes longer than a thread of connections may be kept.

/// Does work on a thread that may block; a panic goes on to where panics are answered. Gives
/// nothing where the server ends before it is begun.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}
