//! The configuration: the storage root, and what a person set on the page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use runicorn_experiments::Source;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::health::unix_now;
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::preferences::TableWidths;
use crate::storage_roots::{self, Candidate};
use crate::validate::{Body, Fields, JsonObject, Params, Shape};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_config, update_config))
        .routes(routes!(set_user_root_dir))
        .routes(routes!(find_storage))
        .routes(routes!(show_widths, save_widths, delete_widths))
        .routes(routes!(reset_widths))
        .routes(routes!(show_dismissed))
        .routes(routes!(dismiss))
        .routes(routes!(undismiss))
        .routes(routes!(clear_dismissed))
        .routes(routes!(show_settings))
}

/// How this server is set up.
#[derive(Serialize, utoipa::ToSchema)]
struct ConfigAnswer {
    /// The root that the SDK writes to by default; the shown one when none is saved.
    user_root_dir: String,
    /// The root that is shown.
    storage: String,
    /// The SDK's configuration file.
    config_file: String,
    home_directory: String,
    storage_backend: StorageBackend,
    version: &'static str,
}

/// Where the answers about runs come from.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StorageBackend {
    /// `sqlite` or `file`.
    mode: &'static str,
    label: &'static str,
    available: bool,
    backend_class: &'static str,
}

impl StorageBackend {
    pub(crate) fn of(source: Source) -> Self {
        match source {
            Source::Database => Self {
                mode: "sqlite",
                label: "SQLite-backed",
                available: true,
                backend_class: "SQLiteStorageBackend",
            },
            Source::Files => Self {
                mode: "file",
                label: "File-based",
                available: true,
                backend_class: "FileStorageBackend",
            },
        }
    }
}

/// Shows how this server is set up.
#[utoipa::path(get, path = "/api/config", tag = "settings", responses((status = 200, body = ConfigAnswer)))]
async fn show_config(State(app): State<App>) -> ApiResult<Json<ConfigAnswer>> {
    blocking(move || Ok::<_, ApiError>(config_of(&app)))
        .await
        .map(Json)
}

/// Changes the configuration; only `user_root_dir` can be changed, other keys are ignored.
#[utoipa::path(put, path = "/api/config", tag = "settings", request_body = Object,
    responses((status = 200, body = ConfigAnswer)))]
async fn update_config(
    State(app): State<App>,
    JsonObject(keys): JsonObject,
) -> ApiResult<Json<ConfigAnswer>> {
    blocking(move || {
        match keys.get("user_root_dir") {
            Some(Value::String(path)) => drop(storage_roots::choose(&app, path)?),
            Some(Value::Null) | None => {}
            Some(_) => {
                return Err(ApiError::bad_request(
                    "PATH_REQUIRED",
                    "user_root_dir must be a text",
                ));
            }
        }
        Ok(config_of(&app))
    })
    .await
    .map(Json)
}

fn config_of(app: &App) -> ConfigAnswer {
    let store = app.store();
    let storage = store.root().display().to_string();
    let config = app.sdk_config();
    ConfigAnswer {
        user_root_dir: config.user_root_dir().unwrap_or_else(|| storage.clone()),
        storage,
        config_file: config.path().display().to_string(),
        home_directory: app.config().folders.home.display().to_string(),
        storage_backend: StorageBackend::of(store.state().source),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// A new storage root was taken.
#[derive(Serialize, utoipa::ToSchema)]
struct RootAnswer {
    ok: bool,
    user_root_dir: String,
    storage: String,
}

/// Chooses the storage root `{"path"}`: made when missing, saved for the SDK, shown at once.
#[utoipa::path(post, path = "/api/config/user_root_dir", tag = "settings", request_body = Object,
    responses((status = 200, body = RootAnswer), (status = 400, body = crate::ErrorBody)))]
async fn set_user_root_dir(
    State(app): State<App>,
    JsonObject(body): JsonObject,
) -> ApiResult<Json<RootAnswer>> {
    let path = body
        .get("path")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let root = blocking(move || storage_roots::choose(&app, &path)).await?;
    let root = root.display().to_string();
    Ok(Json(RootAnswer {
        ok: true,
        user_root_dir: root.clone(),
        storage: root,
    }))
}

struct ScanParams {
    scan_root: Option<String>,
    max_depth: i64,
}

impl Shape for ScanParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            scan_root: fields.optional_text("scan_root"),
            max_depth: fields.int_or("max_depth", i64::MIN..=i64::MAX, 3),
        }
    }
}

/// Folders that look like storage roots.
#[derive(Serialize, utoipa::ToSchema)]
struct ScanAnswer {
    scan_root: String,
    max_depth: usize,
    candidates: Vec<Candidate>,
}

/// Looks for storage roots below a folder (the home folder when none is named).
#[utoipa::path(get, path = "/api/config/storage-candidates", tag = "settings",
    params(("scan_root" = Option<String>, Query), ("max_depth" = Option<i64>, Query, description = "1 to 8")),
    responses((status = 200, body = ScanAnswer)))]
async fn find_storage(
    State(app): State<App>,
    Params(params): Params<ScanParams>,
) -> ApiResult<Json<ScanAnswer>> {
    let max_depth = usize::try_from(params.max_depth.clamp(1, 8)).unwrap_or(3);
    let home = app.config().folders.home.clone();
    let environment = app.config().environment.clone();
    let scan_root = params
        .scan_root
        .filter(|root| !root.is_empty())
        .map_or(home, PathBuf::from);
    let scan_root = environment.absolute(&environment.expand_home(&scan_root));
    let shown = scan_root.display().to_string();
    let candidates =
        blocking(move || storage_roots::find_candidates(&scan_root, max_depth)).await?;
    Ok(Json(ScanAnswer {
        scan_root: shown,
        max_depth,
        candidates,
    }))
}

struct TableParams {
    table: String,
    size: String,
}

impl Shape for TableParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            table: fields.text("table"),
            size: fields.text("size"),
        }
    }
}

/// Widths of one table at one window size.
#[derive(Serialize, utoipa::ToSchema)]
struct WidthsAnswer {
    table: String,
    size: String,
    widths: BTreeMap<String, i64>,
}

/// What a change of a preference answers.
#[derive(Serialize, utoipa::ToSchema)]
struct Saved {
    ok: bool,
    message: String,
}

impl Saved {
    fn with(message: impl Into<String>) -> Json<Self> {
        Json(Self {
            ok: true,
            message: message.into(),
        })
    }
}

/// Shows the column widths of a table.
#[utoipa::path(get, path = "/api/config/column-widths", tag = "settings",
    params(("table" = String, Query), ("size" = String, Query)), responses((status = 200, body = WidthsAnswer)))]
async fn show_widths(
    State(app): State<App>,
    Params(params): Params<TableParams>,
) -> Json<WidthsAnswer> {
    let widths = app.preferences().widths(&params.table, &params.size);
    Json(WidthsAnswer {
        table: params.table,
        size: params.size,
        widths,
    })
}

struct WidthsBody {
    table: String,
    size: String,
    widths: BTreeMap<String, i64>,
    window_width: Option<i64>,
    window_height: Option<i64>,
}

impl Shape for WidthsBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            table: fields.text("table"),
            size: fields.text("size"),
            widths: fields.ints_by_name("widths"),
            window_width: fields.optional_int("window_width", i64::MIN..=i64::MAX),
            window_height: fields.optional_int("window_height", i64::MIN..=i64::MAX),
        }
    }
}

/// Saves the column widths of a table.
#[utoipa::path(post, path = "/api/config/column-widths", tag = "settings", request_body = Object,
    responses((status = 200, body = Saved)))]
async fn save_widths(
    State(app): State<App>,
    Body(body): Body<WidthsBody>,
) -> ApiResult<Json<Saved>> {
    let widths = TableWidths {
        widths: body.widths,
        window_width: body.window_width,
        window_height: body.window_height,
        updated_at: unix_now(),
    };
    blocking(move || {
        app.preferences()
            .set_widths(&body.table, &body.size, widths)
    })
    .await?;
    Ok(Saved::with("Column width preferences saved"))
}

struct ResetParams {
    table: String,
    size: Option<String>,
}

impl Shape for ResetParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            table: fields.text("table"),
            size: fields.optional_text("size"),
        }
    }
}

/// Forgets the column widths of a table.
#[utoipa::path(delete, path = "/api/config/column-widths", tag = "settings",
    params(("table" = String, Query), ("size" = Option<String>, Query)), responses((status = 200, body = Saved)))]
async fn delete_widths(state: State<App>, params: Params<ResetParams>) -> ApiResult<Json<Saved>> {
    reset_widths(state, params).await
}

/// Forgets the column widths of a table.
#[utoipa::path(post, path = "/api/config/column-widths/reset", tag = "settings",
    params(("table" = String, Query), ("size" = Option<String>, Query)), responses((status = 200, body = Saved)))]
async fn reset_widths(
    State(app): State<App>,
    Params(params): Params<ResetParams>,
) -> ApiResult<Json<Saved>> {
    blocking(move || {
        app.preferences()
            .reset_widths(&params.table, params.size.as_deref())
    })
    .await?;
    Ok(Saved::with("Column width preferences reset"))
}

/// Notes that a person does not want to see again.
#[derive(Serialize, utoipa::ToSchema)]
struct DismissedAnswer {
    dismissed_alerts: Vec<String>,
}

/// Lists the dismissed notes.
#[utoipa::path(get, path = "/api/config/dismissed-alerts", tag = "settings",
    responses((status = 200, body = DismissedAnswer)))]
async fn show_dismissed(State(app): State<App>) -> Json<DismissedAnswer> {
    Json(DismissedAnswer {
        dismissed_alerts: app.preferences().dismissed_alerts(),
    })
}

struct AlertBody {
    alert_id: String,
}

impl Shape for AlertBody {
    const SEPARATE_FIELDS: bool = true;

    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            alert_id: fields.text("alert_id"),
        }
    }
}

/// Dismisses a note `{"alert_id"}`.
#[utoipa::path(post, path = "/api/config/dismissed-alerts/dismiss", tag = "settings", request_body = Object,
    responses((status = 200, body = Saved)))]
async fn dismiss(State(app): State<App>, Body(body): Body<AlertBody>) -> ApiResult<Json<Saved>> {
    let message = format!("Alert '{}' dismissed", body.alert_id);
    blocking(move || app.preferences().dismiss(&body.alert_id)).await?;
    Ok(Saved::with(message))
}

/// Shows a dismissed note `{"alert_id"}` again.
#[utoipa::path(post, path = "/api/config/dismissed-alerts/undismiss", tag = "settings", request_body = Object,
    responses((status = 200, body = Saved)))]
async fn undismiss(State(app): State<App>, Body(body): Body<AlertBody>) -> ApiResult<Json<Saved>> {
    let message = format!("Alert '{}' restored", body.alert_id);
    blocking(move || app.preferences().undismiss(&body.alert_id)).await?;
    Ok(Saved::with(message))
}

/// Shows all dismissed notes again.
#[utoipa::path(post, path = "/api/config/dismissed-alerts/clear", tag = "settings",
    responses((status = 200, body = Saved)))]
async fn clear_dismissed(State(app): State<App>) -> ApiResult<Json<Saved>> {
    blocking(move || app.preferences().clear_alerts()).await?;
    Ok(Saved::with("All dismissed alerts cleared"))
}

/// Settings of ours that no documented route has.
#[derive(Serialize, utoipa::ToSchema)]
struct Settings {
    /// Storage roots that were shown before, latest first.
    recent_roots: Vec<String>,
    /// Folder of our own files.
    state_dir: String,
    /// Origins besides our own that may call.
    allowed_origins: Vec<String>,
}

/// Shows our own settings.
#[utoipa::path(get, path = "/api/settings", tag = "settings", responses((status = 200, body = Settings)))]
async fn show_settings(State(app): State<App>) -> Json<Settings> {
    let text = |path: &Path| path.display().to_string();
    Json(Settings {
        recent_roots: app.recent_roots().iter().map(|root| text(root)).collect(),
        state_dir: text(app.state_dir()),
        allowed_origins: app.config().allowed_origins.clone(),
    })
}
