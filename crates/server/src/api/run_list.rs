//! The page's own list and detail of runs: one request feeds a page, and nothing unchanged is sent twice.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runicorn_experiments::{RunDetail, RunRow};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::list_answers::ListAnswer;
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The members of a run, in the order of a row.
const FIELDS: [&str; 17] = [
    "id",
    "path",
    "alias",
    "status",
    "status_reason",
    "created_at",
    "started_at",
    "ended_at",
    "tags",
    "best_metric_name",
    "best_metric_value",
    "best_metric_step",
    "best_metric_mode",
    "assets_count",
    "problem",
    "last_write_at",
    "pid",
];

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runs))
        .routes(routes!(show_run))
}

/// The storage root that is shown.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Storage {
    /// Absolute path.
    root: String,
    /// `ok`, `missing`, `unreadable`, `read_only` or `stale`.
    state: &'static str,
    /// A sentence about what is wrong.
    detail: Option<String>,
    /// `files` or `database`.
    source: &'static str,
    /// Whether it holds sample runs.
    sample: bool,
    /// How far the first look at it is.
    indexing: Option<Indexing>,
    /// Roots that were shown before, latest first.
    recent_roots: Vec<String>,
}

/// How far the first look at a root is.
#[derive(Serialize, utoipa::ToSchema)]
struct Indexing {
    done: u64,
    total: u64,
}

impl Storage {
    /// The root that is shown now.
    pub(crate) fn of(app: &App) -> Self {
        let store = app.store();
        let state = store.state();
        let roots = app.recent_roots().into_iter();
        Self {
            root: store.root().display().to_string(),
            state: state.condition.word(),
            detail: state.detail,
            source: state.source.word(),
            sample: app.shows_samples(),
            indexing: state.indexing.map(|progress| Indexing {
                done: progress.done,
                total: progress.total,
            }),
            recent_roots: roots.map(|root| root.display().to_string()).collect(),
        }
    }
}

/// The list, whole or what changed in it.
#[derive(Serialize, utoipa::ToSchema)]
struct RunListAnswer {
    /// Give it as `since` the next time.
    cursor: String,
    /// Whether `rows` is the whole list; else only what changed since the cursor.
    full: bool,
    storage: Storage,
    /// The names of a row's members.
    fields: [&'static str; 17],
    /// Newest first.
    #[schema(value_type = Vec<Vec<Value>>)]
    rows: Vec<Value>,
    /// Runs that are gone or deleted since the cursor.
    removed: Vec<String>,
}

struct Since {
    since: Option<String>,
}

impl Shape for Since {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            since: fields.optional_text("since"),
        }
    }
}

/// Lists the runs as rows, newest first; with the cursor of an earlier answer only what changed since. Carries an `ETag`. While a root
/// is looked at for the first time it is the part that is known, with progress.
#[utoipa::path(get, path = "/api/run-list", operation_id = "list_run_rows", tag = "runs",
    params(("since" = Option<String>, Query, description = "The cursor of an earlier answer")),
    responses((status = 200, body = RunListAnswer), (status = 304, description = "Nothing changed")))]
async fn list_runs(
    State(app): State<App>,
    Params(params): Params<Since>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    blocking(move || {
        let list = app.store().list();
        let storage = Storage::of(&app);
        let delta = params.since.and_then(|since| list.since_cursor(&since));
        let Some(delta) = delta else {
            let state = format!(
                "{} {}",
                list.cursor(),
                serde_json::to_string(&storage).unwrap_or_default()
            );
            let make = || {
                answer_bytes(
                    list.cursor(),
                    None,
                    storage,
                    list.rows().map(|row| row_value(row)).collect(),
                )
            };
            return Ok::<_, ApiError>(
                app.list_answers()
                    .get("run list", state, make)
                    .respond(&headers),
            );
        };
        let rows = delta.rows.iter().map(|row| row_value(row)).collect();
        let removed = delta.removed.iter().map(ToString::to_string).collect();
        let body = answer_bytes(list.cursor(), Some(removed), storage, rows);
        Ok(ListAnswer::new(String::new(), body).respond(&headers))
    })
    .await
}

fn answer_bytes(
    cursor: String,
    removed: Option<Vec<String>>,
    storage: Storage,
    rows: Vec<Value>,
) -> Vec<u8> {
    let answer = RunListAnswer {
        cursor,
        full: removed.is_none(),
        storage,
        fields: FIELDS,
        rows,
        removed: removed.unwrap_or_default(),
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// The members of [`FIELDS`], in their order.
fn row_value(row: &RunRow) -> Value {
    Value::Array(row_values(row).into())
}

fn row_values(row: &RunRow) -> [Value; FIELDS.len()] {
    [
        json!(row.id.as_str()),
        json!(row.path.as_str()),
        json!(row.alias),
        json!(row.status),
        json!(row.reason.word()),
        json!(row.created_at),
        json!(row.started_at),
        json!(row.ended_at),
        json!(row.tags),
        json!(row.best_metric_name),
        json!(row.best_metric_value),
        json!(row.best_metric_step),
        json!(row.best_metric_mode),
        json!(row.assets_count),
        json!(row.problem),
        json!(row.last_write_at),
        json!(row.pid),
    ]
}

/// One run in detail.
#[derive(Serialize, utoipa::ToSchema)]
struct RunDetailAnswer {
    /// The members of a row of the list.
    #[schema(value_type = Object)]
    run: Map<String, Value>,
    /// Absolute directory.
    run_dir: String,
    #[schema(value_type = Object)]
    meta: Map<String, Value>,
    #[schema(value_type = Object)]
    summary: Map<String, Value>,
    config: RunConfig,
    #[schema(value_type = Object)]
    environment: Option<Value>,
    files: Vec<FileItem>,
    problems: Vec<ProblemItem>,
    liveness: Liveness,
    deleted: bool,
}

/// What a run was configured with.
#[derive(Serialize, utoipa::ToSchema)]
struct RunConfig {
    #[schema(value_type = Object)]
    args: Value,
    #[schema(value_type = Object)]
    extra: Value,
    #[schema(value_type = Vec<String>)]
    config_files: Value,
}

/// A file of a run.
#[derive(Serialize, utoipa::ToSchema)]
struct FileItem {
    name: String,
    bytes: u64,
    /// Unix seconds.
    modified_at: f64,
}

/// What is wrong with a file; an empty name stands for the run as a whole.
#[derive(Serialize, utoipa::ToSchema)]
struct ProblemItem {
    file: String,
    detail: String,
}

/// Which signs spoke about the state of a run.
#[derive(Serialize, utoipa::ToSchema)]
struct Liveness {
    /// The word in its status file.
    word: String,
    /// `alive`, `gone`, `other_host` or `unknown`.
    process: &'static str,
    last_write_at: Option<f64>,
    /// The word that is shown.
    verdict: String,
    /// Which sign spoke.
    reason: &'static str,
}

/// Shows one run in detail, deleted or not.
#[utoipa::path(get, path = "/api/run-detail/{id}", operation_id = "show_run_detail", tag = "runs", params(("id" = String, Path, description = "A run")),
    responses((status = 200, body = RunDetailAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_run(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<RunDetailAnswer>> {
    blocking(move || {
        app.store()
            .detail_of_any(&id)
            .map(|detail| Json(RunDetailAnswer::of(detail)))
    })
    .await
}

impl RunDetailAnswer {
    fn of(detail: RunDetail) -> Self {
        let fields = FIELDS.iter().map(|name| (*name).to_owned());
        let file = |file: runicorn_experiments::RunFile| FileItem {
            name: file.name,
            bytes: file.bytes,
            modified_at: file.modified_ns as f64 / 1e9,
        };
        let problem = |problem: runicorn_experiments::FileProblem| ProblemItem {
            file: problem.file,
            detail: problem.detail,
        };
        Self {
            run: fields.zip(row_values(&detail.row)).collect(),
            run_dir: detail.dir.dir.display().to_string(),
            config: RunConfig::of(&detail.assets),
            meta: detail.meta,
            summary: detail.summary,
            environment: detail.environment,
            files: detail.files.into_iter().map(file).collect(),
            problems: detail.problems.into_iter().map(problem).collect(),
            liveness: Liveness {
                word: detail.row.recorded_status,
                process: detail.process.word(),
                last_write_at: detail.row.last_write_at,
                verdict: detail.row.status,
                reason: detail.row.reason.word(),
            },
            deleted: detail.row.deleted,
        }
    }
}

impl RunConfig {
    fn of(assets: &Map<String, Value>) -> Self {
        let member = |name: &str| {
            assets
                .get("config")
                .and_then(|config| config.get(name))
                .cloned()
        };
        let object = |name: &str| {
            member(name)
                .filter(Value::is_object)
                .unwrap_or_else(|| json!({}))
        };
        Self {
            args: object("args"),
            extra: object("extra"),
            config_files: member("config_files")
                .filter(Value::is_array)
                .unwrap_or_else(|| json!([])),
        }
    }
}
