//! The Python environments and storage roots of another machine.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use runicorn_remote::storage_candidates::storage_candidates;
use runicorn_remote::{Connection, Environment, RemoteError, StorageCandidate, environments};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::ApiResult;
use crate::remote_failure::OrFailed;
use crate::validate::{Fields, Params, Shape};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_environments))
        .routes(routes!(list_configs))
        .routes(routes!(show_config))
        .routes(routes!(find_storage))
}

/// The live connection of a `connection_id`.
///
/// # Errors
/// 400 when it names nothing, 404 when there is no such connection.
pub(super) fn live(app: &App, connection_id: &str) -> ApiResult<Connection> {
    let target = connection_id.parse().map_err(RemoteError::BadTarget)?;
    Ok(app.remote().connections().get(&target)?)
}

struct ConnectionParams {
    connection_id: String,
}

impl Shape for ConnectionParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            connection_id: fields.text("connection_id"),
        }
    }
}

/// The environments of a machine.
#[derive(Serialize, utoipa::ToSchema)]
struct EnvironmentList {
    ok: bool,
    envs: Vec<EnvironmentItem>,
}

/// One environment.
#[derive(Serialize, utoipa::ToSchema)]
struct EnvironmentItem {
    name: String,
    /// `conda`, `venv`, `pyenv`, `uv` or `system`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// `Python 3.11.2`, or `Unknown`.
    python_version: String,
    /// The interpreter.
    path: String,
    is_default: bool,
    runicorn_version: Option<String>,
}

impl From<Environment> for EnvironmentItem {
    fn from(environment: Environment) -> Self {
        Self {
            name: environment.name,
            kind: environment.kind.word(),
            python_version: environment.python_version,
            path: environment.python,
            is_default: environment.is_default,
            runicorn_version: environment.runicorn_version,
        }
    }
}

/// Lists the Python environments of a connected machine.
#[utoipa::path(get, path = "/api/remote/conda-envs", operation_id = "list_environments", tag = "hosts",
    params(("connection_id" = String, Query)),
    responses((status = 200, body = EnvironmentList), (status = 404, body = crate::ErrorBody)))]
async fn list_environments(
    State(app): State<App>,
    Params(params): Params<ConnectionParams>,
) -> ApiResult<Json<EnvironmentList>> {
    let connection = live(&app, &params.connection_id)?;
    let found = environments::detect(&connection).await;
    let found = found.or_failed("Failed to detect environments: ")?;
    Ok(Json(EnvironmentList {
        ok: true,
        envs: found.into_iter().map(EnvironmentItem::from).collect(),
    }))
}

/// What is in each environment.
#[derive(Serialize, utoipa::ToSchema)]
struct ConfigList {
    ok: bool,
    /// By name.
    configs: BTreeMap<String, ConfigItem>,
}

/// What is in an environment.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConfigItem {
    python_version: String,
    runicorn_version: Option<String>,
}

/// Lists the versions in all environments of a connected machine.
#[utoipa::path(get, path = "/api/remote/env-configs", operation_id = "list_environment_configs", tag = "hosts",
    params(("connection_id" = String, Query)),
    responses((status = 200, body = ConfigList), (status = 404, body = crate::ErrorBody)))]
async fn list_configs(
    State(app): State<App>,
    Params(params): Params<ConnectionParams>,
) -> ApiResult<Json<ConfigList>> {
    let connection = live(&app, &params.connection_id)?;
    let found = environments::detect(&connection).await;
    let found = found.or_failed("Failed to detect environments: ")?;
    let configs = found.into_iter().map(|environment| {
        let item = ConfigItem {
            python_version: environment.python_version,
            runicorn_version: environment.runicorn_version,
        };
        (environment.name, item)
    });
    Ok(Json(ConfigList {
        ok: true,
        configs: configs.collect(),
    }))
}

struct ConfigParams {
    connection_id: String,
    environment: String,
}

impl Shape for ConfigParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            connection_id: fields.text("connection_id"),
            environment: fields.text_or("conda_env", "system"),
        }
    }
}

/// What a viewer in an environment would show.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct RemoteConfigAnswer {
    ok: bool,
    conda_env: String,
    /// `Python 3.11.7`.
    python_version: String,
    runicorn_version: Option<String>,
    default_storage_root: String,
    storage_root_exists: bool,
    suggested_remote_port: u16,
    connection_id: String,
    home_directory: String,
}

/// Shows what a viewer in an environment of a connected machine would show.
#[utoipa::path(get, path = "/api/remote/config", operation_id = "show_remote_config", tag = "hosts",
    params(("connection_id" = String, Query), ("conda_env" = Option<String>, Query, description = "`system` when absent")),
    responses((status = 200, body = RemoteConfigAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_config(
    State(app): State<App>,
    Params(params): Params<ConfigParams>,
) -> ApiResult<Json<RemoteConfigAnswer>> {
    let connection = live(&app, &params.connection_id)?;
    let config = environments::config_of(&connection, &params.environment).await;
    let config = config.or_failed("Failed to get remote configuration: ")?;
    Ok(Json(RemoteConfigAnswer {
        ok: true,
        conda_env: params.environment,
        python_version: config.python_version,
        runicorn_version: config.runicorn_version,
        default_storage_root: config.default_storage_root,
        storage_root_exists: config.storage_root_exists,
        suggested_remote_port: config.suggested_remote_port,
        connection_id: params.connection_id,
        home_directory: config.home_directory,
    }))
}

struct ScanParams {
    connection_id: String,
    scan_root: Option<String>,
    max_depth: i64,
}

impl Shape for ScanParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            connection_id: fields.text("connection_id"),
            scan_root: fields.optional_text("scan_root"),
            max_depth: fields.int_or("max_depth", i64::MIN..=i64::MAX, 3),
        }
    }
}

/// Folders of another machine that look like storage roots.
#[derive(Serialize, utoipa::ToSchema)]
struct RemoteScanAnswer {
    scan_root: String,
    max_depth: u32,
    candidates: Vec<RemoteCandidate>,
}

/// A folder that looks like a storage root.
#[derive(Serialize, utoipa::ToSchema)]
struct RemoteCandidate {
    path: String,
    run_count: u64,
    has_archive: bool,
    has_index: bool,
    score: u32,
}

impl From<StorageCandidate> for RemoteCandidate {
    fn from(candidate: StorageCandidate) -> Self {
        Self {
            path: candidate.path,
            run_count: candidate.run_count,
            has_archive: candidate.has_archive,
            has_index: candidate.has_index,
            score: candidate.score,
        }
    }
}

/// Looks for storage roots on a connected machine, below a folder or the home folder.
#[utoipa::path(get, path = "/api/remote/storage-candidates", operation_id = "find_remote_storage", tag = "hosts",
    params(("connection_id" = String, Query), ("conda_env" = Option<String>, Query), ("scan_root" = Option<String>, Query),
        ("max_depth" = Option<i64>, Query, description = "1 to 8")),
    responses((status = 200, body = RemoteScanAnswer), (status = 404, body = crate::ErrorBody)))]
async fn find_storage(
    State(app): State<App>,
    Params(params): Params<ScanParams>,
) -> ApiResult<Json<RemoteScanAnswer>> {
    let connection = live(&app, &params.connection_id)?;
    let depth = u32::try_from(params.max_depth.clamp(1, 8)).unwrap_or(3);
    let scan_root = params.scan_root.as_deref().filter(|root| !root.is_empty());
    let found = storage_candidates(&connection, scan_root, depth).await;
    let found = found.or_failed("Failed to find storage candidates: ")?;
    Ok(Json(RemoteScanAnswer {
        scan_root: found.scan_root,
        max_depth: found.max_depth,
        candidates: found
            .candidates
            .into_iter()
            .map(RemoteCandidate::from)
            .collect(),
    }))
}
