//! The one bridge from async handlers to the domain crates, whose work is disk work and blocks.

use crate::error::{ApiError, ApiResult};

/// Runs disk work off the async threads.
///
/// # Errors
/// What the work returns; a panic inside it is a 500 and takes nothing else down.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> ApiResult<T>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ApiError::internal)?
        .map_err(Into::into)
}

/// The same for work that cannot fail.
pub(crate) async fn blocking_ok<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ApiError::internal)
}
