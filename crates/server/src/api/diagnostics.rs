//! The server's own log.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, close_code};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[cfg(feature = "hosts")]
use crate::api::hosts::{SessionAnswer, session_answers};
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::{ApiError, ApiResult};
use crate::log_files::LogSource;
use crate::log_tail::LogTail;
use crate::sockets::Socket;
use crate::validate::{Fields, Params, Shape};

const LINES: i64 = 400;
const LINES_LIMIT: i64 = 5000;
/// How often a followed log is looked at, as documented.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_sources))
        .routes(routes!(show_log))
        .routes(routes!(follow_log))
}

/// The logs that can be read.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SourceList {
    remote_mode: bool,
    app_session_id: String,
    default_source: &'static str,
    sources: Vec<SourceItem>,
    /// The viewers on other machines.
    #[cfg(feature = "hosts")]
    sessions: Vec<SessionAnswer>,
    #[cfg(not(feature = "hosts"))]
    sessions: Vec<String>,
}

/// One log.
#[derive(Serialize, utoipa::ToSchema)]
struct SourceItem {
    id: &'static str,
    kind: &'static str,
    path: String,
    available: bool,
}

/// Lists the logs that can be read.
#[utoipa::path(get, path = "/api/diagnostics/sources", tag = "diagnostics", responses((status = 200, body = SourceList)))]
async fn list_sources(State(app): State<App>) -> ApiResult<Json<SourceList>> {
    blocking_ok(move || {
        let files = &app.config().log_files;
        let item = |source: LogSource| SourceItem {
            id: source.id,
            kind: source.id,
            path: source.path.display().to_string(),
            available: source.path.exists(),
        };
        Json(SourceList {
            remote_mode: app.config().remote_mode,
            app_session_id: files.session_id().to_owned(),
            default_source: files.default_source(),
            sources: files.sources().into_iter().map(item).collect(),
            #[cfg(feature = "hosts")]
            sessions: session_answers(&app),
            #[cfg(not(feature = "hosts"))]
            sessions: Vec::new(),
        })
    })
    .await
}

struct LogParams {
    source: String,
    lines: usize,
    download: bool,
}

impl Shape for LogParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            source: fields.text("source"),
            lines: usize::try_from(fields.int_or("lines", 1..=LINES_LIMIT, LINES)).unwrap_or(0),
            download: fields.flag_or("download", false),
        }
    }
}

/// Shows the last lines of a log, or all of it as a download.
#[utoipa::path(get, path = "/api/diagnostics/logs", tag = "diagnostics",
    params(("source" = String, Query), ("lines" = Option<i64>, Query, description = "1 to 5000"),
        ("download" = Option<bool>, Query)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = crate::ErrorBody)))]
async fn show_log(
    State(app): State<App>,
    Params(params): Params<LogParams>,
) -> ApiResult<Response> {
    let source = source_of(&app, &params.source).ok_or_else(|| {
        let name = &params.source;
        ApiError::not_found(
            "SOURCE_NOT_FOUND",
            format!("'Unknown diagnostics source: {name}'"),
        )
    })?;
    let name = source
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let wanted = if params.download {
        usize::MAX
    } else {
        params.lines
    };
    let path = source.path.clone();
    let lines = blocking(move || {
        LogTail::of(path.clone())
            .last_lines(wanted)
            .map_err(|error| ApiError::of_io(&error, &path))
    })
    .await?;
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
    ];
    let mut response = (headers, lines.join("\n")).into_response();
    if params.download
        && let Ok(value) = format!("attachment; filename=\"{name}\"").parse()
    {
        response
            .headers_mut()
            .insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Follows a log as text frames, one a line: the last lines, then each new one.
#[utoipa::path(get, path = "/api/diagnostics/logs/ws", tag = "diagnostics",
    params(("source" = String, Query), ("lines" = Option<i64>, Query)),
    responses((status = 101, description = "A WebSocket")))]
async fn follow_log(
    State(app): State<App>,
    Params(params): Params<FollowParams>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let source = source_of(&app, &params.source);
    app.sockets()
        .open_with(upgrade, move |socket| follow(socket, source, params))
}

struct FollowParams {
    source: String,
    lines: usize,
}

impl Shape for FollowParams {
    /// A socket cannot be told what is wrong before it is open, so nothing is refused here.
    fn read(fields: &mut Fields<'_>) -> Self {
        let lines = fields
            .value("lines")
            .and_then(|lines| lines.as_str()?.parse::<i64>().ok());
        let lines = lines.unwrap_or(LINES).clamp(1, LINES_LIMIT);
        Self {
            source: fields.text_or("source", ""),
            lines: usize::try_from(lines).unwrap_or(1),
        }
    }
}

async fn follow(mut socket: Socket, source: Option<LogSource>, params: FollowParams) {
    let Some(source) = source else {
        let message = format!("[error] Unknown diagnostics source: {}", params.source);
        if socket.send(message).await.is_ok() {
            socket.close_because(close_code::POLICY, "").await;
        }
        return;
    };
    let mut tail = LogTail::of(source.path);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut first = Some(params.lines);
    loop {
        tokio::select! {
            client = socket.recv() => {
                if client.is_none() {
                    return;
                }
            }
            _ = looks.tick() => {
                let wanted = first.take();
                let read = blocking_ok(move || {
                    let lines = match wanted {
                        Some(count) => tail.last_lines(count),
                        None => tail.new_lines(),
                    };
                    (tail, lines.unwrap_or_default())
                });
                let Ok((place, lines)) = read.await else { return };
                tail = place;
                for line in lines {
                    if socket.send(line).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn source_of(app: &App, id: &str) -> Option<LogSource> {
    app.config()
        .log_files
        .sources()
        .into_iter()
        .find(|source| source.id == id)
}
