//! `/api/live`: one socket per window that carries every live event.
//!
//! Events say that something changed, not what it is now, so they can be merged: a slow reader gets one `runs` frame for a
//! hundred changes, and the store never waits for anybody. A thread per socket takes the store's changes; the socket's task
//! sends what has gathered since it last could.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use parking_lot::Mutex;
use runicorn_experiments::{IndexProgress, RunStore, StoreChange};
use serde_json::{Value, json};
use tokio::sync::Notify;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
#[cfg(feature = "hosts")]
use crate::host_handles::HostChanges;
use crate::sockets::Socket;

/// How long a change of the root, or the end of a socket, may go unnoticed by its thread.
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);
/// More runs than a page shows at once.
const WATCHED_RUNS: usize = 2000;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Live events as JSON text frames: `{"type":"hello","version","cursor"}`, `{"type":"runs","cursor"}` (ask `/api/run-list` since),
/// `{"type":"run","run","events_bytes","log_bytes"}` for watched runs, `{"type":"indexing","done","total"}`, `{"type":"storage",…}`,
/// `{"type":"hosts"}` (ask `/api/hosts`), `{"type":"alerts","newest"}` (ask `/api/alerts`).
/// The client sends `{"watch":["id",…]}`, each time the whole list.
#[utoipa::path(get, path = "/api/live", tag = "live", responses((status = 101, description = "A WebSocket")))]
async fn follow(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let sockets = app.sockets().clone();
    sockets.open_with(upgrade, move |socket| tell(app, socket))
}

/// What has happened since the client was last told.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a kind of change that is merged"
)]
struct News {
    runs: bool,
    grown: BTreeSet<String>,
    indexing: Option<IndexProgress>,
    storage: bool,
    hosts: bool,
    alerts: bool,
}

/// Shared by a socket's task and its thread.
#[derive(Default)]
struct Link {
    news: Mutex<News>,
    watched: Mutex<BTreeSet<String>>,
    arrived: Notify,
    closed: tokio_util::sync::CancellationToken,
}

async fn tell(app: App, mut socket: Socket) {
    let link = Arc::new(Link::default());
    let _closes_the_thread = link.closed.clone().drop_guard();
    let watcher = std::thread::Builder::new().name("live".to_owned()).spawn({
        let (app, link) = (app.clone(), Arc::clone(&link));
        move || watch(&app, &link)
    });
    if let Err(error) = watcher {
        tracing::error!(%error, "no thread for live events");
        return;
    }
    let hello = json!({"type": "hello", "version": env!("CARGO_PKG_VERSION"), "cursor": cursor(&app.store())});
    if socket.send(hello.to_string()).await.is_err() {
        return;
    }
    let mut hosts = HostChanges::of(&app);
    let mut alerts = app.alerts().news();
    loop {
        let frames = tokio::select! {
            command = socket.recv() => match command {
                Some(command) => {
                    link.obey(&command);
                    continue;
                }
                None => return,
            },
            () = hosts.next() => {
                link.note_hosts();
                continue;
            }
            Ok(()) = alerts.changed() => {
                link.note_alerts();
                continue;
            }
            () = link.arrived.notified() => link.frames(&app).await,
        };
        for frame in frames {
            if socket.send(frame.to_string()).await.is_err() {
                return;
            }
        }
    }
}

/// A pushed viewer has no other machines.
#[cfg(not(feature = "hosts"))]
struct HostChanges;

#[cfg(not(feature = "hosts"))]
impl HostChanges {
    fn of(_app: &App) -> Self {
        Self
    }

    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Link {
    /// `{"watch": ["id", …]}`; anything else is ignored.
    fn obey(&self, command: &str) {
        let Ok(command) = serde_json::from_str::<Value>(command) else {
            return;
        };
        let Some(ids) = command["watch"].as_array() else {
            return;
        };
        let ids = ids
            .iter()
            .filter_map(Value::as_str)
            .take(WATCHED_RUNS)
            .map(str::to_owned);
        *self.watched.lock() = ids.collect();
    }

    fn note(&self, change: StoreChange) {
        let mut news = self.news.lock();
        match change {
            StoreChange::Runs { .. } => news.runs = true,
            StoreChange::Run { id } => {
                let id = id.to_string();
                if !self.watched.lock().contains(&id) {
                    return;
                }
                news.grown.insert(id);
            }
            StoreChange::Indexing(progress) => news.indexing = Some(progress),
            StoreChange::State => news.storage = true,
        }
        drop(news);
        self.arrived.notify_one();
    }

    fn note_other_root(&self) {
        let mut news = self.news.lock();
        news.storage = true;
        news.runs = true;
        drop(news);
        self.arrived.notify_one();
    }

    fn note_hosts(&self) {
        self.news.lock().hosts = true;
        self.arrived.notify_one();
    }

    fn note_alerts(&self) {
        self.news.lock().alerts = true;
        self.arrived.notify_one();
    }

    async fn frames(&self, app: &App) -> Vec<Value> {
        let news = std::mem::take(&mut *self.news.lock());
        let app = app.clone();
        let shaped = tokio::task::spawn_blocking(move || news.shape(&app)).await;
        shaped.unwrap_or_default()
    }
}

impl News {
    fn shape(self, app: &App) -> Vec<Value> {
        let store = app.store();
        let mut frames = Vec::new();
        if self.storage {
            frames.push(storage_frame(app, &store));
        }
        if let Some(progress) = self.indexing {
            frames
                .push(json!({"type": "indexing", "done": progress.done, "total": progress.total}));
        }
        if self.runs {
            frames.push(json!({"type": "runs", "cursor": cursor(&store)}));
        }
        if self.hosts {
            frames.push(json!({"type": "hosts"}));
        }
        if self.alerts {
            frames.push(json!({"type": "alerts", "newest": app.alerts().newest()}));
        }
        frames.extend(self.grown.iter().map(|id| run_frame(&store, id)));
        frames
    }
}

/// The thread of one socket: takes changes of whatever root is shown until the socket is gone.
fn watch(app: &App, link: &Link) {
    let mut switches = app.store_switches();
    loop {
        switches.mark_unchanged();
        let store = app.store();
        let changes = store.changes();
        // what happened before somebody listened was told to nobody
        link.note_other_root();
        let mut condition = store.state().condition;
        loop {
            if link.closed.is_cancelled() {
                return;
            }
            if switches.has_changed().unwrap_or(true) {
                link.note_other_root();
                break;
            }
            // a root that hangs keeps the store's own thread from telling
            let now = store.state().condition;
            if std::mem::replace(&mut condition, now) != now {
                link.note(StoreChange::State);
            }
            if let Some(change) = changes.next(LOOK_UP_EVERY) {
                link.note(change);
            }
        }
    }
}

fn cursor(store: &RunStore) -> String {
    store.list().cursor()
}

fn run_frame(store: &RunStore, id: &str) -> Value {
    let bytes = |name: &str| {
        let run = store.find(id).ok()?;
        run.stat(name).ok().map(|file| file.bytes)
    };
    json!({
        "type": "run",
        "run": id,
        "events_bytes": bytes(runicorn_experiments::layout::EVENTS),
        "log_bytes": bytes(runicorn_experiments::layout::LOGS),
    })
}

fn storage_frame(app: &App, store: &RunStore) -> Value {
    let state = store.state();
    json!({
        "type": "storage",
        "root": store.root().display().to_string(),
        "state": state.condition.word(),
        "detail": state.detail,
        "source": state.source.word(),
        "sample": app.shows_samples(),
        "indexing": state.indexing.map(|progress| json!({"done": progress.done, "total": progress.total})),
    })
}
