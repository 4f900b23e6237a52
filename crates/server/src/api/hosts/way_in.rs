//! What a request says about where to go and who to be, as one target and its credentials.

use std::path::PathBuf;

use axum::http::StatusCode;
use runicorn_remote::{Credentials, RemoteError, SavedError, Secret, Target, Wanted};

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::remote_failure::failed;
use crate::validate::Fields;

/// The default port of SSH.
const SSH_PORT: i64 = 22;

/// The members of a request that name a machine and a person.
pub(super) struct WayIn {
    host: Option<String>,
    port: Option<i64>,
    username: Option<String>,
    saved_server_id: Option<String>,
    connection_id: Option<String>,
    credentials: Credentials,
}

impl WayIn {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut secret = |name: &str| filled(fields.optional_text(name)).map(Secret::new);
        let credentials = Credentials {
            password: secret("password"),
            private_key: secret("private_key"),
            passphrase: secret("passphrase"),
            private_key_path: None,
            use_agent: true,
        };
        Self {
            host: filled(fields.optional_text("host")),
            port: fields.optional_int("port", 1..=65_535),
            username: filled(fields.optional_text("username")),
            saved_server_id: filled(fields.optional_text("saved_server_id")),
            connection_id: filled(fields.optional_text("connection_id")),
            credentials: Credentials {
                private_key_path: filled(fields.optional_text("private_key_path"))
                    .map(PathBuf::from),
                use_agent: fields.flag_or("use_agent", true),
                ..credentials
            },
        }
    }

    /// The target and the credentials. `prefix` are the documented words of the route. May ask the keyring: blocks.
    pub(super) fn resolve(self, app: &App, prefix: &str) -> ApiResult<(Target, Credentials)> {
        let mut way = self.with_saved_server(app, prefix)?;
        if let Some(path) = &way.credentials.private_key_path {
            way.credentials.private_key_path = Some(app.config().environment.expand_home(path));
        }
        if way.host.is_none()
            && let Some(id) = &way.connection_id
        {
            let target: Target = id.parse().map_err(RemoteError::BadTarget)?;
            return Ok((target, way.credentials));
        }
        let Some(host) = way.host else {
            return Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "HOST_REQUIRED",
                format!(
                    "{prefix}400: host and username are required unless saved_server_id resolves them"
                ),
            ));
        };
        let target = target_of(app, &host, way.port, way.username)
            .map_err(|error| failed(prefix, &RemoteError::BadTarget(error)))?;
        Ok((target, way.credentials))
    }
}

impl WayIn {
    /// Fills in what a saved server knows; what the request says beside it must agree.
    fn with_saved_server(mut self, app: &App, prefix: &str) -> ApiResult<Self> {
        let Some(id) = self.saved_server_id.take() else {
            return Ok(self);
        };
        let wanted = Wanted {
            host: self.host.as_deref(),
            port: self.port.and_then(|port| u16::try_from(port).ok()),
            username: self.username.as_deref(),
        };
        let found = app.remote().saved().resolve(&id, wanted);
        let found = found.map_err(|error| refused(prefix, error))?;
        Ok(Self {
            host: Some(found.server.host.clone()),
            port: Some(i64::from(found.server.port)),
            username: Some(found.server.username.clone()),
            credentials: found.filling(self.credentials),
            ..self
        })
    }
}

/// The documented words carry the number that was meant.
fn refused(prefix: &str, error: SavedError) -> ApiError {
    let text = error.to_string();
    match error {
        SavedError::NotFound(_) => {
            ApiError::not_found("SAVED_SERVER_NOT_FOUND", format!("{prefix}404: {text}"))
        }
        SavedError::Mismatch { .. } => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "SAVED_SERVER_MISMATCH",
            format!("{prefix}400: {text}"),
        ),
        SavedError::Store(error) => failed(prefix, &error),
    }
}

/// As OpenSSH does it: what is not said is asked of the configuration, then the user is who we are here.
fn target_of(
    app: &App,
    host: &str,
    port: Option<i64>,
    username: Option<String>,
) -> Result<Target, runicorn_remote::BadTarget> {
    let is_whole = port.is_some() && username.is_some();
    let configured =
        (!is_whole).then(|| app.remote().ssh_config().resolve(host, username.as_deref()));
    let configured = configured.unwrap_or_default();
    let port = port.unwrap_or_else(|| configured.port.map_or(SSH_PORT, i64::from));
    let username = username
        .or(configured.user)
        .unwrap_or_else(|| app.config().remote.local_user.clone());
    Target::new(&username, host, u16::try_from(port).unwrap_or(0))
}
