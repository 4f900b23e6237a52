//! Logs of a run: lines by number, search, and two sockets that follow: ours (`log-follow`, JSON frames) and the documented one
//! (`logs/ws`, one text frame a line).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use parking_lot::Mutex;
use runicorn_experiments::logs::{
    FolderWatch, FollowStep, LogFilter, LogFollower, LogPattern, PageStart, SearchLimits,
};
use runicorn_experiments::{RunDir, RunStatus, StoreError};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::log_filter::{clock_of, filter_of};
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::sockets::{Closed, Socket};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// A search is cut off after this long.
const SEARCH_TIME: Duration = Duration::from_secs(5);
const MAX_LINES: i64 = 5000;
const MAX_HITS: i64 = 10_000;
/// How often a file is looked at when the system does not report changes, and in case one was not reported.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(2);
/// The documented socket starts with this many lines at most.
const FIRST_LINES: u64 = 10_000;
/// How long the documented socket waits for a log that is not there.
const WAIT_FOR_LOG: Duration = Duration::from_secs(30);
/// An empty frame tells a client of the documented socket that the wait goes on.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);
/// The documented socket ends when nothing was written for this long.
const QUIET_LIMIT: Duration = Duration::from_hours(1);

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_lines))
        .routes(routes!(search))
        .routes(routes!(follow))
        .routes(routes!(follow_documented))
}

struct LineParams {
    from: Option<i64>,
    count: i64,
    tail: Option<i64>,
}

impl Shape for LineParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            from: fields.optional_int("from", 0..=i64::MAX),
            count: fields.int_or("count", 0..=MAX_LINES, 1000),
            tail: fields.optional_int("tail", 0..=MAX_LINES),
        }
    }
}

/// Some lines of a log.
#[derive(Serialize, utoipa::ToSchema)]
struct LinesAnswer {
    run: String,
    /// Whether there is a log at all.
    exists: bool,
    total_lines: u64,
    total_bytes: u64,
    /// Number of the first line given; the first of the file is 0.
    first_line: u64,
    /// Escape sequences and lone carriage returns as recorded; bytes that are no UTF-8 replaced.
    lines: Vec<String>,
    /// Numbers of lines that were too long and end in a mark.
    cut: Vec<u64>,
}

/// Lines of a log by number, or the last ones.
#[utoipa::path(get, path = "/api/log-lines/{run_id}", tag = "logs",
    params(("run_id" = String, Path), ("from" = Option<u64>, Query, description = "First line; default 0"),
        ("count" = Option<u64>, Query, description = "At most 5000; default 1000"),
        ("tail" = Option<u64>, Query, description = "The last lines instead, at most 5000")),
    responses((status = 200, body = LinesAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_lines(
    State(app): State<App>,
    Params(params): Params<LineParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<LinesAnswer>> {
    blocking(move || {
        let run = app.store().find(&run_id)?;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let (start, count) = match params.tail {
            Some(count) => (PageStart::Tail, count),
            None => (PageStart::Line(params.from.map_or(0, number)), params.count),
        };
        let count = usize::try_from(count).unwrap_or(0);
        let page = app
            .logs()
            .page(&run, start, count, has_ended(&app, &run_id))?;
        Ok::<_, StoreError>(Json(LinesAnswer {
            run: run_id,
            exists: page.exists,
            total_lines: page.total_lines,
            total_bytes: page.total_bytes,
            first_line: page.first_line,
            lines: page.lines,
            cut: page.cut,
        }))
    })
    .await
}

/// Whether the run is known to have ended. Of a run that the list does not know yet more may come.
pub(super) fn has_ended(app: &App, run_id: &str) -> bool {
    app.store()
        .list()
        .get(run_id)
        .is_some_and(|row| row.state() != RunStatus::Running)
}

struct SearchParams {
    pattern: String,
    regex: bool,
    case: bool,
    limit: i64,
    filter: LogFilter,
}

impl Shape for SearchParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            pattern: fields.filled_text("pattern"),
            regex: fields.flag_or("regex", false),
            case: fields.flag_or("case", false),
            limit: fields.int_or("limit", 0..=MAX_HITS, 1000),
            filter: filter_of(fields),
        }
    }
}

/// What was found in a log.
#[derive(Serialize, utoipa::ToSchema)]
struct SearchAnswer {
    hits: Vec<HitAnswer>,
    /// All lines with a match in what was searched.
    total_hits: u64,
    /// False when the search was cut off by time.
    complete: bool,
    scanned_bytes: u64,
}

/// A line with matches.
#[derive(Serialize, utoipa::ToSchema)]
struct HitAnswer {
    line: u64,
    /// Among the lines that the filter shows; the same as `line` without one.
    place: u64,
    /// As recorded.
    text: String,
    /// Start and end in UTF-16 units of the text without its escape sequences.
    #[schema(value_type = Vec<Vec<usize>>)]
    spans: Vec<(usize, usize)>,
}

/// Searches a log for a text or a regular expression; letters match in either case unless `case` is set.
#[utoipa::path(get, path = "/api/log-search/{run_id}", operation_id = "search_log", tag = "logs",
    params(("run_id" = String, Path), ("pattern" = String, Query), ("regex" = Option<bool>, Query), ("case" = Option<bool>, Query),
        ("limit" = Option<u64>, Query, description = "Hits to give, at most 10,000; default 1000"),
        ("level" = Option<String>, Query, description = "Only lines this serious or more, as of `log-filter`"),
        ("since" = Option<String>, Query), ("until" = Option<String>, Query)),
    responses((status = 200, body = SearchAnswer), (status = 400, body = crate::ErrorBody), (status = 404, body = crate::ErrorBody)))]
async fn search(
    State(app): State<App>,
    Params(params): Params<SearchParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<SearchAnswer>> {
    let pattern =
        LogPattern::new(&params.pattern, params.regex, params.case).map_err(|problem| {
            ApiError::bad_request(
                "BAD_PATTERN",
                "The pattern is not a valid regular expression",
            )
            .with_details(problem)
        })?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let _stops_the_search = Cancel(Arc::clone(&cancelled));
    blocking(move || {
        let run = app.store().find(&run_id)?;
        let hits = usize::try_from(params.limit).unwrap_or(0);
        let limits = SearchLimits {
            hits,
            time: SEARCH_TIME,
            is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        };
        let clock = clock_of(&app, &run_id);
        let among = (params.filter != LogFilter::default()).then_some((&params.filter, &clock));
        let found = app.logs().search(&run, &pattern, among, &limits)?;
        let hits = found.hits.into_iter().map(|hit| HitAnswer {
            line: hit.line,
            place: hit.place,
            text: hit.text,
            spans: hit.spans,
        });
        Ok::<_, StoreError>(Json(SearchAnswer {
            hits: hits.collect(),
            total_hits: found.total_hits,
            complete: found.complete,
            scanned_bytes: found.scanned_bytes,
        }))
    })
    .await
}

/// Set when the request is given up.
pub(super) struct Cancel(pub(super) Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct FollowParams {
    from: Option<i64>,
}

impl Shape for FollowParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            from: fields.optional_int("from", 0..=i64::MAX),
        }
    }
}

/// Follows a log: `{"first_line","lines"}` for whole lines from `from` on (default: the next one), `{"reset":true}` when the file was cut
/// or replaced and starts anew, `{"error"}` before closing. Frames from the client are ignored.
#[utoipa::path(get, path = "/api/log-follow/{run_id}", operation_id = "follow_run_log", tag = "logs",
    params(("run_id" = String, Path), ("from" = Option<u64>, Query)),
    responses((status = 101, description = "A WebSocket"), (status = 404, body = crate::ErrorBody)))]
async fn follow(
    State(app): State<App>,
    Params(params): Params<FollowParams>,
    UrlPath(run_id): UrlPath<String>,
    upgrade: WebSocketUpgrade,
) -> ApiResult<Response> {
    let from = params
        .from
        .map_or(u64::MAX, |from| u64::try_from(from).unwrap_or(0));
    let followed = {
        let app = app.clone();
        blocking(move || {
            let run = app.store().find(&run_id)?;
            let (offset, line) = app.logs().place(&run, from)?;
            Ok::<_, StoreError>(Followed::new(&app, run, offset, line))
        })
        .await?
    };
    let sockets = app.sockets().clone();
    Ok(sockets.open_with(upgrade, move |socket| tell(followed, socket)))
}

/// A log that is followed, and what wakes its follower.
struct Followed {
    app: App,
    run_id: String,
    follower: Arc<Mutex<LogFollower>>,
    changed: Arc<Notify>,
    watch: FolderWatch,
}

impl Followed {
    fn new(app: &App, run: RunDir, offset: u64, line: u64) -> Self {
        let changed = Arc::new(Notify::new());
        let wake = Arc::clone(&changed);
        Self {
            watch: app
                .logs()
                .watches()
                .watch(&run.dir, move || wake.notify_one()),
            changed,
            run_id: run.id.to_string(),
            follower: Arc::new(Mutex::new(LogFollower::new(run, offset, line))),
            app: app.clone(),
        }
    }

    /// What is new, or why it cannot be said.
    async fn step(&self) -> Result<FollowStep, String> {
        let (app, run_id, follower) = (
            self.app.clone(),
            self.run_id.clone(),
            Arc::clone(&self.follower),
        );
        let step = blocking_ok(move || follower.lock().step(has_ended(&app, &run_id))).await;
        match step {
            Ok(step) => step.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits until something may be new, at most `limit`; `false` when the client has gone or the server stops.
    async fn wait(&self, socket: &mut Socket, limit: Duration) -> bool {
        let look = if self.watch.works() {
            LOOK_AGAIN_EVERY
        } else {
            LOOK_EVERY
        };
        let end = Instant::now() + look.min(limit);
        loop {
            tokio::select! {
                text = socket.recv() => if text.is_none() { return false },
                () = self.changed.notified() => return true,
                () = tokio::time::sleep_until(end) => return true,
            }
        }
    }
}

#[derive(Serialize)]
struct LinesFrame {
    first_line: u64,
    lines: Vec<String>,
}

async fn tell(followed: Followed, mut socket: Socket) {
    loop {
        let frame = match followed.step().await {
            Ok(FollowStep::Lines { first_line, lines }) => {
                serde_json::json!(LinesFrame { first_line, lines })
            }
            Ok(FollowStep::Reset) => serde_json::json!({"reset": true}),
            Ok(FollowStep::Nothing | FollowStep::Missing) => {
                if followed.wait(&mut socket, Duration::MAX).await {
                    continue;
                }
                return;
            }
            Err(error) => {
                if socket
                    .send(serde_json::json!({"error": error}).to_string())
                    .await
                    .is_ok()
                {
                    socket.close().await;
                }
                return;
            }
        };
        if socket.send(frame.to_string()).await.is_err() {
            return;
        }
    }
}

/// The documented log socket: one text frame for each line that is not blank, the last 10,000 first, then what is written.
#[utoipa::path(get, path = "/api/runs/{run_id}/logs/ws", tag = "logs", params(("run_id" = String, Path)),
    responses((status = 101, description = "A WebSocket")))]
async fn follow_documented(
    State(app): State<App>,
    UrlPath(run_id): UrlPath<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let sockets = app.sockets().clone();
    sockets.open_with(upgrade, move |socket| tell_documented(app, run_id, socket))
}

async fn tell_documented(app: App, run_id: String, mut socket: Socket) {
    let found = {
        let (app, run_id) = (app.clone(), run_id.clone());
        blocking(move || {
            let run = app.store().find(&run_id)?;
            let offset = app.logs().last_lines(&run, FIRST_LINES)?;
            let ended = has_ended(&app, &run_id);
            Ok::<_, StoreError>((
                Followed::new(&app, run, offset.unwrap_or(0), 0),
                offset,
                ended,
            ))
        })
        .await
    };
    let (followed, offset, ended) = match found {
        Ok(found) => found,
        Err(error) => {
            let text = if error.code() == "RUN_NOT_FOUND" {
                "run not found".to_owned()
            } else {
                error.body().error
            };
            if socket.send(format!("[error] {text}")).await.is_ok() {
                socket.close().await;
            }
            return;
        }
    };
    let Some(offset) = offset else {
        if ended {
            if socket
                .send("[info] No logs available for this run")
                .await
                .is_ok()
            {
                socket.close().await;
            }
            return;
        }
        return wait_for_log(followed, socket).await;
    };
    stream(followed, socket, offset > 0).await;
}

/// Waits until the log is there, with empty frames to keep the connection alive.
async fn wait_for_log(followed: Followed, mut socket: Socket) {
    if socket
        .send("[info] No logs available yet. Waiting for logs to be created...")
        .await
        .is_err()
    {
        return;
    }
    let end = Instant::now() + WAIT_FOR_LOG;
    let mut keep_alive = Instant::now() + KEEP_ALIVE_EVERY;
    while Instant::now() < end {
        if !followed
            .wait(
                &mut socket,
                keep_alive.saturating_duration_since(Instant::now()),
            )
            .await
        {
            return;
        }
        let (app, run_id) = (followed.app.clone(), followed.run_id.clone());
        let exists = blocking(move || {
            app.store()
                .find(&run_id)
                .and_then(|run| app.logs().last_lines(&run, 0))
        })
        .await;
        if matches!(exists, Ok(Some(_))) {
            if socket
                .send("[info] Logs are now available, streaming...")
                .await
                .is_ok()
            {
                stream(followed, socket, false).await;
            }
            return;
        }
        if Instant::now() >= keep_alive {
            if socket.send("").await.is_err() {
                return;
            }
            keep_alive = Instant::now() + KEEP_ALIVE_EVERY;
        }
    }
    if socket
        .send("[info] No logs yet. Run may not produce logs.")
        .await
        .is_ok()
    {
        socket.close().await;
    }
}

/// Sends lines as they come. `starts_late` says that lines before the first were left out, which is said after those there are.
async fn stream(followed: Followed, socket: Socket, starts_late: bool) {
    match send_lines(followed, socket, starts_late).await {
        Ok(()) | Err(Closed) => (),
    }
}

async fn send_lines(
    followed: Followed,
    mut socket: Socket,
    mut starts_late: bool,
) -> Result<(), Closed> {
    let mut last_line = Instant::now();
    loop {
        match followed.step().await {
            Ok(FollowStep::Lines { lines, .. }) => {
                last_line = Instant::now();
                for line in lines
                    .iter()
                    .flat_map(|line| line.split('\r'))
                    .filter(|line| !line.trim().is_empty())
                {
                    // What is no UTF-8 is left out here, as documented.
                    socket.send(line.replace('\u{fffd}', "")).await?;
                }
            }
            Ok(FollowStep::Reset) => {
                socket
                    .send("[info] Log file was replaced, streaming from its start...")
                    .await?;
            }
            Ok(FollowStep::Nothing | FollowStep::Missing) => {
                if std::mem::take(&mut starts_late) {
                    socket
                        .send(format!(
                            "[info] Showing last {FIRST_LINES} lines. Full log file: logs.txt"
                        ))
                        .await?;
                }
                let quiet = last_line.elapsed();
                if quiet >= QUIET_LIMIT {
                    socket
                        .send("[info] Connection timeout after 1 hour of inactivity")
                        .await?;
                    socket.close().await;
                    return Ok(());
                }
                if !followed
                    .wait(&mut socket, QUIET_LIMIT.saturating_sub(quiet))
                    .await
                {
                    return Ok(());
                }
            }
            Err(error) => {
                socket.send(format!("[error] {error}")).await?;
                socket.close().await;
                return Ok(());
            }
        }
    }
}
