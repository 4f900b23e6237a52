//! The one bridge from async handlers to the domain crates, whose work is disk work and blocks.
//!
//! Work that waits for a dead network mount cannot be ended, only left alone. Its request is answered as soon as the storage root is known
//! not to answer; and when much was left alone that has not ended since, nothing more is begun, so that threads do not pile up.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use runicorn_experiments::RootCondition;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// How often unfinished work makes us ask whether the root answers.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Most work that may be left alone, still running, before no more is begun.
const MOST_LEFT: usize = 64;

tokio::task_local! {
    /// The server whose request is being answered.
    static SERVER: App;
}

/// Answers a request; work that is begun on the way knows whose it is.
pub(crate) async fn for_request<F: Future>(app: App, answer: F) -> F::Output {
    SERVER.scope(app, answer).await
}

/// Counts work that nobody waits for any more and that still runs.
#[derive(Clone, Default)]
pub(crate) struct LeftWork(Arc<AtomicUsize>);

impl LeftWork {
    fn is_too_much(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MOST_LEFT
    }
}

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
    blocking_ok(work).await?.map_err(Into::into)
}

/// The same for work that cannot fail.
pub(crate) async fn blocking_ok<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> ApiResult<T> {
    let Ok(app) = SERVER.try_with(App::clone) else {
        let task = tokio::task::spawn_blocking(work);
        return task.await.map_err(ApiError::internal);
    };
    if app.left_work().is_too_much() {
        return Err(unavailable(
            "too many reads and writes of the storage root have not come back",
        ));
    }
    let progress = Arc::new(Progress::new(app.left_work().clone()));
    let _waiting = Waiting(Arc::clone(&progress));
    let mut task = tokio::task::spawn_blocking(move || {
        let _running = Running(progress);
        work()
    });
    loop {
        if let Ok(ended) = tokio::time::timeout(ASK_EVERY, &mut task).await {
            return ended.map_err(ApiError::internal);
        }
        let state = app.store().state();
        if state.condition == RootCondition::Stale {
            let detail = state.detail.unwrap_or_default();
            return Err(unavailable(&detail));
        }
    }
}

fn unavailable(detail: &str) -> ApiError {
    ApiError::unavailable("STORAGE_UNAVAILABLE", detail)
}

/// How far a piece of work is, shared by its request and its thread.
struct Progress {
    stage: AtomicU8,
    left: LeftWork,
}

const WAITED_FOR: u8 = 0;
const LEFT_ALONE: u8 = 1;
const ENDED: u8 = 2;

impl Progress {
    fn new(left: LeftWork) -> Self {
        Self {
            stage: AtomicU8::new(WAITED_FOR),
            left,
        }
    }
}

/// The request's end of it. When the request goes first, the work counts as left alone until it ends.
struct Waiting(Arc<Progress>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let Progress { stage, left } = self.0.as_ref();
        left.0.fetch_add(1, Ordering::SeqCst);
        let left_alone =
            stage.compare_exchange(WAITED_FOR, LEFT_ALONE, Ordering::SeqCst, Ordering::SeqCst);
        if left_alone.is_err() {
            left.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The thread's end of it.
struct Running(Arc<Progress>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.stage.swap(ENDED, Ordering::SeqCst) == LEFT_ALONE {
            self.0.left.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_as_left_alone_from_the_end_of_its_request_to_its_own() {
        let left = LeftWork::default();
        let begin = || {
            let progress = Arc::new(Progress::new(left.clone()));
            (Waiting(Arc::clone(&progress)), Running(progress))
        };
        let count = || left.0.load(Ordering::SeqCst);
        let (waiting, running) = begin();
        drop(running);
        drop(waiting);
        assert_eq!(count(), 0, "the work ended first");
        let many: Vec<_> = (0..MOST_LEFT).map(|_| begin()).collect();
        assert!(!left.is_too_much(), "all are waited for");
        let running: Vec<Running> = many.into_iter().map(|(_gone, running)| running).collect();
        assert!(left.is_too_much());
        drop(running);
        assert_eq!(count(), 0);
    }
}
