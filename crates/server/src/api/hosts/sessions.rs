//! Viewers on other machines: started, listed, looked at, stopped.

use axum::Json;
use axum::extract::State;
use runicorn_remote::{RemoteError, SessionInfo, SessionStatus, StartViewer, ViewerWish};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::way_in::WayIn;
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::forwarding::sessions;
use crate::remote_failure::OrFailed;
use crate::seen_lists::SeenList;
use crate::validate::{Body, Fields, Params, Shape, UrlPath};

const FAILED: &str = "Failed to start Remote Viewer: ";
const LOG_LINES: i64 = 400;
const LOG_LINES_LIMIT: i64 = 5000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(stop))
        .routes(routes!(reconnect))
        .routes(routes!(show_log))
        .routes(routes!(show_session_list))
        .routes(routes!(show_last_list))
}

/// A viewer on another machine.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer {
    session_id: String,
    /// The SSH host.
    host: String,
    ssh_port: u16,
    username: String,
    /// 0 until it is open.
    local_port: u16,
    /// 0 for a UNIX socket.
    remote_port: u16,
    /// Empty for the far side's own default.
    remote_root: String,
    remote_pid: Option<u32>,
    /// `connecting`, `running`, `reconnecting`, `degraded`, `disconnected` or `stopped`.
    status: &'static str,
    /// Milliseconds since the epoch.
    started_at: i64,
    uptime_seconds: f64,
    is_active: bool,
    /// `http://localhost:<localPort>`
    url: String,
    /// The stage, finer than `status`.
    phase: &'static str,
    error: Option<SessionFailure>,
    /// `bundled` or `python`.
    viewer: &'static str,
    /// `socket`, `tcp` or `stdio`.
    transport: &'static str,
    latency_ms: Option<f64>,
    received_bytes: u64,
    sent_bytes: u64,
    /// How often the link was made again.
    reconnects: u32,
    remote_version: Option<String>,
    conda_env: Option<String>,
    /// `user@host:port`.
    connection_id: String,
}

/// What is wrong with a session.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionFailure {
    code: String,
    detail: String,
}

impl SessionAnswer {
    pub(crate) fn of(app: &App, session: SessionInfo) -> Self {
        let local_port = app.ports().port(&session.session_id).unwrap_or(0);
        let is_over = matches!(
            session.status,
            SessionStatus::Stopped | SessionStatus::Disconnected
        );
        Self {
            host: session.target.host.clone(),
            ssh_port: session.target.port,
            username: session.target.username.clone(),
            connection_id: session.target.to_string(),
            session_id: session.session_id,
            local_port,
            remote_port: session.remote_port,
            remote_root: session.remote_root,
            remote_pid: session.remote_pid,
            status: session.status.word(),
            started_at: session.started_at_millis,
            uptime_seconds: session.uptime_secs,
            is_active: !is_over,
            url: format!("http://localhost:{local_port}"),
            phase: session.phase.word(),
            error: session
                .error
                .map(|(code, detail)| SessionFailure { code, detail }),
            viewer: session.viewer.word(),
            transport: session.transport.word(),
            latency_ms: session.latency_millis,
            received_bytes: session.received_bytes,
            sent_bytes: session.sent_bytes,
            reconnects: session.reconnects,
            remote_version: session.remote_version,
            conda_env: session.environment,
        }
    }
}

/// All sessions, as answers.
pub(crate) fn session_answers(app: &App) -> Vec<SessionAnswer> {
    let sessions = app.remote().sessions();
    sessions
        .into_iter()
        .map(|session| SessionAnswer::of(app, session))
        .collect()
}

/// What to start where; the members of connecting stand beside these.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "documentation of the body that `StartBody` reads")]
struct StartRequest {
    /// A name, an address, or an alias of the ssh configuration.
    host: Option<String>,
    port: Option<u16>,
    username: Option<String>,
    password: Option<String>,
    private_key: Option<String>,
    private_key_path: Option<String>,
    passphrase: Option<String>,
    use_agent: Option<bool>,
    saved_server_id: Option<String>,
    /// A live connection, in place of `host`.
    connection_id: Option<String>,
    /// The storage root over there; empty for the far side's own default.
    remote_root: String,
    /// The first free one from 8080 on when absent.
    local_port: Option<u16>,
    /// A port over there instead of a socket.
    remote_port: Option<u16>,
    /// A name, a path, or `system`.
    conda_env: Option<String>,
    /// `auto`, `bundled` or `python`.
    viewer: Option<String>,
}

struct StartBody {
    way: WayIn,
    remote_root: String,
    local_port: Option<u16>,
    remote_port: Option<u16>,
    environment: Option<String>,
    viewer: ViewerWish,
}

impl Shape for StartBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        let way = WayIn::read(fields);
        let remote_root = fields.text("remote_root");
        let mut port = |name| {
            let port = fields.optional_int(name, 1..=65_535);
            port.and_then(|port| u16::try_from(port).ok())
        };
        let (local_port, remote_port) = (port("local_port"), port("remote_port"));
        let environment = fields.optional_text("conda_env");
        let viewer = match fields.optional_text("viewer").as_deref() {
            None | Some("auto") => ViewerWish::Auto,
            Some("bundled") => ViewerWish::Bundled,
            Some("python") => ViewerWish::Python,
            Some(_) => {
                fields.refuse("viewer", "Input should be 'auto', 'bundled' or 'python'");
                ViewerWish::Auto
            }
        };
        Self {
            way,
            remote_root,
            local_port,
            remote_port,
            environment: environment.filter(|name| !name.is_empty()),
            viewer,
        }
    }
}

/// A viewer that answers.
#[derive(Serialize, utoipa::ToSchema)]
struct Started {
    ok: bool,
    session: SessionAnswer,
    message: String,
}

/// Starts a viewer on another machine and opens a local port to it; connects first where that is needed, with the same questions.
#[utoipa::path(post, path = "/api/remote/viewer/start", operation_id = "start_session", tag = "hosts", request_body = StartRequest,
    responses((status = 200, body = Started), (status = 401, body = crate::ErrorBody), (status = 404, body = crate::ErrorBody),
        (status = 409, body = crate::ErrorBody), (status = 422, body = crate::ErrorBody), (status = 429, body = crate::ErrorBody),
        (status = 502, body = crate::ErrorBody), (status = 504, body = crate::ErrorBody)))]
async fn start(State(app): State<App>, Body(body): Body<StartBody>) -> ApiResult<Json<Started>> {
    let handles = app.clone();
    let (target, credentials) = blocking(move || body.way.resolve(&handles, FAILED)).await?;
    let wish = StartViewer {
        target,
        credentials,
        remote_root: body.remote_root,
        environment: body.environment,
        viewer: body.viewer,
        remote_port: body.remote_port,
    };
    let session = sessions::start(&app, wish, body.local_port).await?;
    let session = SessionAnswer::of(&app, session);
    Ok(Json(Started {
        ok: true,
        message: format!("Remote Viewer ready at {}", session.url),
        session,
    }))
}

/// All sessions.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionList {
    sessions: Vec<SessionAnswer>,
}

/// Lists the viewers on other machines.
#[utoipa::path(get, path = "/api/remote/viewer/sessions", operation_id = "list_sessions", tag = "hosts",
    responses((status = 200, body = SessionList)))]
async fn list(State(app): State<App>) -> Json<SessionList> {
    Json(SessionList {
        sessions: session_answers(&app),
    })
}

/// Shows one viewer on another machine.
#[utoipa::path(get, path = "/api/remote/viewer/status/{session_id}", operation_id = "show_session", tag = "hosts",
    params(("session_id" = String, Path)),
    responses((status = 200, body = SessionAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show(
    State(app): State<App>,
    UrlPath(session_id): UrlPath<String>,
) -> ApiResult<Json<SessionAnswer>> {
    let session = app.remote().session(&session_id)?;
    Ok(Json(SessionAnswer::of(&app, session)))
}

struct StopBody {
    session_id: String,
}

impl Shape for StopBody {
    const SEPARATE_FIELDS: bool = true;

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            session_id: fields.text("session_id"),
        }
    }
}

/// A viewer was stopped.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionStopped {
    ok: bool,
    message: String,
}

/// Stops a viewer `{"session_id"}` on another machine, over there and here.
#[utoipa::path(post, path = "/api/remote/viewer/stop", operation_id = "stop_session", tag = "hosts", request_body = Object,
    responses((status = 200, body = SessionStopped), (status = 404, body = crate::ErrorBody), (status = 502, body = crate::ErrorBody)))]
async fn stop(
    State(app): State<App>,
    Body(body): Body<StopBody>,
) -> ApiResult<Json<SessionStopped>> {
    let id = body.session_id;
    match sessions::stop(&app, &id).await {
        Ok(_) => Ok(Json(SessionStopped {
            ok: true,
            message: format!("Session {id} stopped"),
        })),
        Err(error @ RemoteError::SessionNotFound(_)) => Err(error.into()),
        Err(error) => Err(error).or_failed(&format!("Failed to stop session: {id}: ")),
    }
}

/// Makes the link of a session again, now; the answer does not wait for it. A link that needs a person is made by connecting again.
#[utoipa::path(post, path = "/api/hosts/sessions/{session_id}/reconnect", operation_id = "reconnect_session", tag = "hosts",
    params(("session_id" = String, Path)),
    responses((status = 200, body = SessionAnswer), (status = 404, body = crate::ErrorBody)))]
async fn reconnect(
    State(app): State<App>,
    UrlPath(session_id): UrlPath<String>,
) -> ApiResult<Json<SessionAnswer>> {
    let session = app.remote().reconnect_session(&session_id).await?;
    Ok(Json(SessionAnswer::of(&app, session)))
}

struct LogParams {
    lines: usize,
}

impl Shape for LogParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        let lines = fields.int_or("lines", 1..=LOG_LINES_LIMIT, LOG_LINES);
        Self {
            lines: usize::try_from(lines).unwrap_or(0),
        }
    }
}

/// The end of a viewer's log.
#[derive(Serialize, utoipa::ToSchema)]
struct SessionLog {
    session_id: String,
    /// Lines, without control characters.
    text: String,
}

/// Shows the end of the log that a viewer writes over there.
#[utoipa::path(get, path = "/api/hosts/sessions/{session_id}/log", operation_id = "show_session_log", tag = "hosts",
    params(("session_id" = String, Path), ("lines" = Option<i64>, Query, description = "1 to 5000")),
    responses((status = 200, body = SessionLog), (status = 404, body = crate::ErrorBody), (status = 502, body = crate::ErrorBody)))]
async fn show_log(
    State(app): State<App>,
    UrlPath(session_id): UrlPath<String>,
    Params(params): Params<LogParams>,
) -> ApiResult<Json<SessionLog>> {
    let text = app.remote().viewer_log(&session_id, params.lines).await?;
    Ok(Json(SessionLog { session_id, text }))
}

/// A run list as it was seen last.
#[derive(Serialize, utoipa::ToSchema)]
struct SeenListAnswer {
    /// `user@host:port`.
    connection_id: String,
    /// The storage root over there, as asked for.
    remote_root: String,
    age_secs: f64,
    /// The answer of `/api/run-list` as it was then.
    #[schema(value_type = Object)]
    answer: Box<RawValue>,
}

/// Shows the run list of a session as it was seen last, for when its machine cannot be reached.
#[utoipa::path(get, path = "/api/hosts/sessions/{session_id}/run-list-cached", operation_id = "show_session_run_list", tag = "hosts",
    params(("session_id" = String, Path)),
    responses((status = 200, body = SeenListAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_session_list(
    State(app): State<App>,
    UrlPath(session_id): UrlPath<String>,
) -> ApiResult<Json<SeenListAnswer>> {
    let session = app.remote().session(&session_id)?;
    last_list(app, session.target, session.remote_root).await
}

struct LastListParams {
    connection_id: String,
    remote_root: Option<String>,
}

impl Shape for LastListParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            connection_id: fields.text("connection_id"),
            remote_root: fields.optional_text("remote_root"),
        }
    }
}

/// Shows the run list of a machine as it was seen last, also without any session: of the root that was shown last, or of another.
#[utoipa::path(get, path = "/api/hosts/run-list-cached", operation_id = "show_last_run_list", tag = "hosts",
    params(("connection_id" = String, Query), ("remote_root" = Option<String>, Query)),
    responses((status = 200, body = SeenListAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_last_list(
    State(app): State<App>,
    Params(params): Params<LastListParams>,
) -> ApiResult<Json<SeenListAnswer>> {
    let target = params
        .connection_id
        .parse()
        .map_err(RemoteError::BadTarget)?;
    let root = params.remote_root.unwrap_or_else(|| {
        let mut recent = app.recent_hosts().list().into_iter();
        let last = recent.find(|recent| recent.target == target);
        last.map(|recent| recent.root).unwrap_or_default()
    });
    last_list(app, target, root).await
}

async fn last_list(
    app: App,
    target: runicorn_remote::Target,
    remote_root: String,
) -> ApiResult<Json<SeenListAnswer>> {
    let (place, root) = (target.clone(), remote_root.clone());
    let seen = blocking_ok(move || app.seen_lists().last(&place, &root)).await?;
    let SeenList { age, answer } = seen.ok_or_else(|| {
        ApiError::not_found("NO_LIST_SEEN", "No run list of this machine was seen yet")
    })?;
    Ok(Json(SeenListAnswer {
        connection_id: target.to_string(),
        remote_root,
        age_secs: age.as_secs_f64(),
        answer,
    }))
}
