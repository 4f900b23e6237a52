//! Connections: made, answered, listed, ended.

use axum::Json;
use axum::extract::State;
use runicorn_remote::{Connection, ConnectionInfo, Secret, Target};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::{SessionAnswer, session_answers};
use super::way_in::WayIn;
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::forwarding::WakeWatch;
use crate::remote_failure::OrFailed;
use crate::validate::{Body, Fields, Shape};

const FAILED: &str = "Connection failed: ";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(connect))
        .routes(routes!(answer))
        .routes(routes!(disconnect))
        .routes(routes!(list_connections))
        .routes(routes!(show_status))
}

/// A live connection.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectAnswer {
    ok: bool,
    /// `user@host:port`.
    connection_id: String,
    host: String,
    port: u16,
    username: String,
    connected: bool,
}

impl ConnectAnswer {
    fn of(connection: &Connection) -> Json<Self> {
        let target = connection.target();
        Json(Self {
            ok: true,
            connection_id: target.to_string(),
            host: target.host.clone(),
            port: target.port,
            username: target.username.clone(),
            connected: connection.is_live(),
        })
    }
}

/// What a person gives to connect. All secrets are optional: the agent and the keys of the ssh configuration are tried.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "documentation of the body that `WayIn` reads")]
pub(super) struct ConnectRequest {
    /// A name, an address, or an alias of the ssh configuration. Required unless `saved_server_id` is given.
    host: Option<String>,
    /// 22, or what the ssh configuration says.
    port: Option<u16>,
    /// Who the ssh configuration says, or who is here.
    username: Option<String>,
    password: Option<String>,
    /// The private key as text; wins over `private_key_path`.
    private_key: Option<String>,
    private_key_path: Option<String>,
    passphrase: Option<String>,
    /// True when absent.
    use_agent: Option<bool>,
    /// A saved server: its names and secrets are filled in.
    saved_server_id: Option<String>,
}

struct ConnectBody(WayIn);

impl Shape for ConnectBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self(WayIn::read(fields))
    }
}

/// Connects, or says which question stands before that (409): `HOST_KEY_CONFIRMATION_REQUIRED` or `AUTH_PROMPT_REQUIRED`.
#[utoipa::path(post, path = "/api/remote/connect", operation_id = "connect_host", tag = "hosts", request_body = ConnectRequest,
    responses((status = 200, body = ConnectAnswer), (status = 401, body = crate::ErrorBody), (status = 409, body = crate::ErrorBody),
        (status = 422, body = crate::ErrorBody), (status = 429, body = crate::ErrorBody), (status = 502, body = crate::ErrorBody),
        (status = 504, body = crate::ErrorBody)))]
async fn connect(
    State(app): State<App>,
    Body(ConnectBody(way)): Body<ConnectBody>,
) -> ApiResult<Json<ConnectAnswer>> {
    let handles = app.clone();
    let (target, credentials) = blocking(move || way.resolve(&handles, FAILED)).await?;
    let remote = app.remote();
    let attempt = remote.connections().connect(target.clone(), credentials);
    let connecting = app.connecting().follow(remote, &target, attempt);
    let connection = connecting.await.or_failed(FAILED)?;
    WakeWatch::ensure(&app);
    Ok(ConnectAnswer::of(&connection))
}

/// The answers to a prompt, in its order.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "documentation of the body that `AnswerBody` reads"
)]
struct PromptAnswer {
    prompt_id: String,
    answers: Vec<String>,
}

struct AnswerBody {
    prompt_id: String,
    answers: Vec<Secret>,
}

impl Shape for AnswerBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            prompt_id: fields.text("prompt_id"),
            answers: fields
                .texts("answers")
                .into_iter()
                .map(Secret::new)
                .collect(),
        }
    }
}

/// Answers a prompt and goes on connecting; the outcomes are those of connecting.
#[utoipa::path(post, path = "/api/remote/connect/answer", operation_id = "answer_host", tag = "hosts", request_body = PromptAnswer,
    responses((status = 200, body = ConnectAnswer), (status = 401, body = crate::ErrorBody), (status = 409, body = crate::ErrorBody),
        (status = 502, body = crate::ErrorBody), (status = 504, body = crate::ErrorBody)))]
async fn answer(
    State(app): State<App>,
    Body(body): Body<AnswerBody>,
) -> ApiResult<Json<ConnectAnswer>> {
    let connections = app.remote().connections();
    let connecting = connections.answer(&body.prompt_id, body.answers);
    let connection = connecting.await.or_failed(FAILED)?;
    app.connecting().reached(connection.target());
    WakeWatch::ensure(&app);
    Ok(ConnectAnswer::of(&connection))
}

/// Whether there was a connection to end.
#[derive(Serialize, utoipa::ToSchema)]
struct Disconnected {
    ok: bool,
    message: &'static str,
}

struct DisconnectBody {
    host: String,
    port: u16,
    username: Option<String>,
    missing: Option<ApiError>,
}

impl Shape for DisconnectBody {
    const SEPARATE_FIELDS: bool = true;

    fn read(fields: &mut Fields<'_>) -> Self {
        let host = fields.text("host");
        let port = u16::try_from(fields.int_or("port", 1..=65_535, 22)).unwrap_or(0);
        let username = fields.optional_text("username");
        let missing = username.is_none().then(|| fields.missing("username"));
        Self {
            host,
            port,
            username,
            missing,
        }
    }
}

/// Ends a connection. The user need not be named while only one is on that host.
#[utoipa::path(post, path = "/api/remote/disconnect", operation_id = "disconnect_host", tag = "hosts", request_body = Object,
    responses((status = 200, body = Disconnected), (status = 422, body = crate::ErrorBody)))]
async fn disconnect(
    State(app): State<App>,
    Body(body): Body<DisconnectBody>,
) -> ApiResult<Json<Disconnected>> {
    let connections = app.remote().connections();
    let target = match (&body.username, body.missing) {
        (Some(username), _) => Target::new(username, &body.host, body.port).ok(),
        (None, missing) => {
            let mut there: Vec<Target> = connections
                .list()
                .into_iter()
                .map(|live| live.target)
                .filter(|live| live.host == body.host)
                .collect();
            match (there.len(), missing) {
                (1, _) => there.pop(),
                (_, Some(missing)) => return Err(missing),
                (_, None) => None,
            }
        }
    };
    let ended = match target {
        Some(target) => connections.disconnect(&target).await,
        None => false,
    };
    Ok(Json(Disconnected {
        ok: ended,
        message: if ended {
            "Connection removed"
        } else {
            "Connection not found"
        },
    }))
}

/// One connection in a list.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectionItem {
    /// `user@host:port`.
    key: String,
    host: String,
    port: u16,
    username: String,
    connected: bool,
}

impl From<ConnectionInfo> for ConnectionItem {
    fn from(info: ConnectionInfo) -> Self {
        Self {
            key: info.target.to_string(),
            host: info.target.host,
            port: info.target.port,
            username: info.target.username,
            connected: info.is_connected,
        }
    }
}

/// The live connections.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectionList {
    sessions: Vec<ConnectionItem>,
}

/// Lists the live connections.
#[utoipa::path(get, path = "/api/remote/sessions", operation_id = "list_connections", tag = "hosts",
    responses((status = 200, body = ConnectionList)))]
async fn list_connections(State(app): State<App>) -> Json<ConnectionList> {
    Json(ConnectionList {
        sessions: connection_items(&app),
    })
}

fn connection_items(app: &App) -> Vec<ConnectionItem> {
    let connections = app.remote().connections().list();
    connections.into_iter().map(ConnectionItem::from).collect()
}

/// Connections and viewers together.
#[derive(Serialize, utoipa::ToSchema)]
struct RemoteStatus {
    connections: Vec<ConnectionItem>,
    viewer_sessions: Vec<SessionAnswer>,
    connection_count: usize,
    viewer_session_count: usize,
}

/// Shows connections and viewers together.
#[utoipa::path(get, path = "/api/remote/status", operation_id = "show_remote_status", tag = "hosts",
    responses((status = 200, body = RemoteStatus)))]
async fn show_status(State(app): State<App>) -> Json<RemoteStatus> {
    let connections = connection_items(&app);
    let viewer_sessions = session_answers(&app);
    Json(RemoteStatus {
        connection_count: connections.len(),
        viewer_session_count: viewer_sessions.len(),
        connections,
        viewer_sessions,
    })
}
