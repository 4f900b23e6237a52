//! Connections to one viewer that wait for their next request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;

/// More than a page opens at once.
const WAITING_LIMIT: usize = 32;
/// The Python viewer closes a connection that was idle for five seconds; a request must not meet that moment.
const IDLE_LIMIT: Duration = Duration::from_secs(4);
/// Longer than an answered connection takes to be free.
const MOMENT: Duration = Duration::from_millis(20);

/// The waiting connections, the latest last.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Waiting>>);

struct Waiting {
    sender: SendRequest<Body>,
    since: Instant,
}

impl Pool {
    /// A connection that is free now, or about to be: the end of an answer reaches its reader a moment before its connection.
    pub(super) async fn take(&self) -> Option<SendRequest<Body>> {
        let mut sender = self.likeliest()?;
        if sender.is_ready() {
            return Some(sender);
        }
        let ready = tokio::time::timeout(MOMENT, sender.ready()).await;
        ready.is_ok_and(|ready| ready.is_ok()).then_some(sender)
    }

    fn likeliest(&self) -> Option<SendRequest<Body>> {
        let mut waiting = self.0.lock();
        waiting.retain(|one| !one.sender.is_closed() && one.since.elapsed() < IDLE_LIMIT);
        let free = waiting.iter().rposition(|one| one.sender.is_ready());
        let last = waiting.len().checked_sub(1);
        Some(waiting.swap_remove(free.or(last)?).sender)
    }

    /// Forgets all of them: one was found dead.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    fn put(&self, sender: SendRequest<Body>) {
        let mut waiting = self.0.lock();
        if !sender.is_closed() && waiting.len() < WAITING_LIMIT {
            waiting.push(Waiting {
                sender,
                since: Instant::now(),
            });
        }
    }
}

/// The body of an answer; when it is over, its connection waits for the next request.
pub(super) struct PooledBody {
    body: Incoming,
    connection: Option<(Arc<Pool>, SendRequest<Body>)>,
}

impl PooledBody {
    pub(super) fn new(body: Incoming, pool: Arc<Pool>, sender: SendRequest<Body>) -> Self {
        Self {
            body,
            connection: Some((pool, sender)),
        }
    }
}

impl Drop for PooledBody {
    /// A body that was left early closes its connection by itself, so the pool never hands that one out.
    fn drop(&mut self) {
        if let Some((pool, sender)) = self.connection.take() {
            pool.put(sender);
        }
    }
}

impl hyper::body::Body for PooledBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
