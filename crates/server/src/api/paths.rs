//! Paths: the folders of the runs with their counts, the runs of a folder, and the older view of them as projects and names.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runicorn_experiments::{PathCounts, PathNode, PathTree, RunList, RunRow};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::runs::{RunItem, WHOLE_LIST_PATIENCE};
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_paths))
        .routes(routes!(show_tree))
        .routes(routes!(list_runs_of_path))
        .routes(routes!(list_projects))
        .routes(routes!(list_names))
        .routes(routes!(list_runs_of_name))
}

struct PathsParams {
    include_stats: bool,
}

impl Shape for PathsParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            include_stats: fields.flag_or("include_stats", false),
        }
    }
}

/// All paths.
#[derive(Serialize, utoipa::ToSchema)]
struct PathsAnswer {
    paths: Vec<String>,
    /// Each folder is an object of the folders in it.
    #[schema(value_type = Object)]
    tree: Value,
    /// Only with `include_stats`: path → how many runs lie there or below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    stats: Option<Map<String, Value>>,
}

/// Lists all paths, empty folders included, with counts if they are asked for. Carries an `ETag`.
#[utoipa::path(get, path = "/api/paths", tag = "paths",
    params(("include_stats" = Option<bool>, Query, description = "Count the runs")),
    responses((status = 200, body = PathsAnswer), (status = 304, description = "Nothing changed")))]
async fn list_paths(
    State(app): State<App>,
    Params(params): Params<PathsParams>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let kind = if params.include_stats {
        "paths with counts"
    } else {
        "paths"
    };
    blocking(move || {
        let list = app.store().complete_list(WHOLE_LIST_PATIENCE);
        let make =
            || serde_json::to_vec(&paths_answer(&list, params.include_stats)).unwrap_or_default();
        let answer = app.list_answers().get(kind, list.cursor(), make);
        Ok::<_, ApiError>(answer.respond(&headers))
    })
    .await
}

fn paths_answer(list: &RunList, include_stats: bool) -> PathsAnswer {
    let tree = PathTree::of(list);
    let stats = tree
        .paths
        .iter()
        .map(|(path, counts)| (path.clone(), counts_value(counts)));
    PathsAnswer {
        stats: include_stats.then(|| stats.collect()),
        tree: node_value(&tree.root),
        paths: if include_stats {
            tree.paths.into_keys().collect()
        } else {
            tree.listed.into_iter().collect()
        },
    }
}

fn counts_value(counts: &PathCounts) -> Value {
    json!({
        "total": counts.total,
        "running": counts.running,
        "finished": counts.finished,
        "failed": counts.failed,
    })
}

fn node_value(node: &PathNode) -> Value {
    node.children
        .iter()
        .map(|(name, child)| (name.clone(), node_value(child)))
        .collect()
}

/// The folders as a tree.
#[derive(Serialize, utoipa::ToSchema)]
struct TreeAnswer {
    #[schema(value_type = Object)]
    tree: Value,
}

/// Shows the folders as a tree.
#[utoipa::path(get, path = "/api/paths/tree", tag = "paths", responses((status = 200, body = TreeAnswer)))]
async fn show_tree(State(app): State<App>) -> ApiResult<Json<TreeAnswer>> {
    blocking(move || {
        let list = app.store().complete_list(WHOLE_LIST_PATIENCE);
        Ok::<_, ApiError>(Json(TreeAnswer {
            tree: node_value(&PathTree::of(&list).root),
        }))
    })
    .await
}

struct RunsOfPath {
    path: Option<String>,
    exact: bool,
}

impl Shape for RunsOfPath {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.optional_text("path"),
            exact: fields.flag_or("exact", false),
        }
    }
}

/// Lists the runs of a path and below it, or with `exact` of the path alone. Without a path, all.
#[utoipa::path(get, path = "/api/paths/runs", tag = "paths",
    params(("path" = Option<String>, Query, description = "Whole segments: `cv` holds `cv/x` and not `cvx`"),
        ("exact" = Option<bool>, Query, description = "Leave out what is below")),
    responses((status = 200, body = Vec<RunItem<'_>>)))]
async fn list_runs_of_path(
    State(app): State<App>,
    Params(params): Params<RunsOfPath>,
) -> ApiResult<Json<Value>> {
    let path = params.path.unwrap_or_default();
    runs_where(app, move |row| {
        path.is_empty()
            || if params.exact {
                row.path.as_str() == path
            } else {
                row.path.is_within(&path)
            }
    })
    .await
}

async fn runs_where(
    app: App,
    fits: impl Fn(&RunRow) -> bool + Send + 'static,
) -> ApiResult<Json<Value>> {
    blocking(move || {
        let store = app.store();
        let list = store.complete_list(WHOLE_LIST_PATIENCE);
        let rows = list.rows().filter(|row| fits(row));
        let items: Vec<RunItem<'_>> = rows.map(|row| RunItem::of(&store, row)).collect();
        serde_json::to_value(items)
            .map(Json)
            .map_err(ApiError::internal)
    })
    .await
}

/// The first segments of all paths.
#[derive(Serialize, utoipa::ToSchema)]
struct ProjectsAnswer {
    projects: Vec<String>,
}

/// Lists the first segments of all paths.
#[utoipa::path(get, path = "/api/projects", tag = "paths", responses((status = 200, body = ProjectsAnswer)))]
async fn list_projects(State(app): State<App>) -> ApiResult<Json<ProjectsAnswer>> {
    let projects = names_below(app, String::new()).await?;
    Ok(Json(ProjectsAnswer { projects }))
}

/// The second segments below a first one.
#[derive(Serialize, utoipa::ToSchema)]
struct NamesAnswer {
    names: Vec<String>,
}

/// Lists the second segments below a first one.
#[utoipa::path(get, path = "/api/projects/{project}/names", tag = "paths",
    params(("project" = String, Path, description = "A first segment")),
    responses((status = 200, body = NamesAnswer)))]
async fn list_names(
    State(app): State<App>,
    UrlPath(project): UrlPath<String>,
) -> ApiResult<Json<NamesAnswer>> {
    let names = names_below(app, project).await?;
    Ok(Json(NamesAnswer { names }))
}

async fn names_below(app: App, path: String) -> ApiResult<Vec<String>> {
    blocking(move || {
        let list = app.store().complete_list(WHOLE_LIST_PATIENCE);
        let tree = PathTree::of(&list);
        Ok::<_, ApiError>(
            tree.names_below(&path)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        )
    })
    .await
}

/// Lists the runs below two segments. Each item has the members of both documented forms.
#[utoipa::path(get, path = "/api/projects/{project}/names/{name}/runs", tag = "paths",
    params(("project" = String, Path, description = "A first segment"), ("name" = String, Path, description = "A second segment")),
    responses((status = 200, body = Vec<RunItem<'_>>)))]
async fn list_runs_of_name(
    State(app): State<App>,
    UrlPath((project, name)): UrlPath<(String, String)>,
) -> ApiResult<Json<Value>> {
    let prefix = format!("{project}/{name}");
    let Json(mut runs) = runs_where(app, move |row| row.path.is_within(&prefix)).await?;
    for run in runs
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        let (id, created) = (run.get("id").cloned(), run.get("created_time").cloned());
        run.insert("run_id".to_owned(), id.unwrap_or_default());
        run.insert("start_time".to_owned(), created.unwrap_or_default());
    }
    Ok(Json(runs))
}
