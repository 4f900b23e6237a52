//! The artifact store of 0.4 and 0.5.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::{Artifact, ArtifactProblem, ArtifactVersion, LineageNode, StoreError};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_artifacts))
        .routes(routes!(measure_artifacts))
        .routes(routes!(list_artifact_versions))
        .routes(routes!(show_artifact, delete_artifact))
        .routes(routes!(list_artifact_files))
        .routes(routes!(show_lineage))
        .routes(routes!(artifacts_of_run))
}

impl From<ArtifactProblem> for ApiError {
    fn from(problem: ArtifactProblem) -> Self {
        match problem {
            ArtifactProblem::Store(error) => error.into(),
            missing => Self::not_found("ARTIFACT_NOT_FOUND", missing.to_string()),
        }
    }
}

struct KindParams {
    kind: Option<String>,
}

impl Shape for KindParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            kind: fields.optional_text("type"),
        }
    }
}

/// Lists the artifacts, of one type if asked for.
#[utoipa::path(get, path = "/api/artifacts", tag = "artifacts", params(("type" = Option<String>, Query)), responses((status = 200, body = Vec<Object>)))]
async fn list_artifacts(
    State(app): State<App>,
    Params(params): Params<KindParams>,
) -> ApiResult<Json<Vec<Value>>> {
    let store = app.store();
    let artifacts = blocking(move || store.artifacts()).await?;
    let wanted = |artifact: &&Artifact| {
        params
            .kind
            .as_ref()
            .is_none_or(|kind| *kind == artifact.kind)
    };
    Ok(Json(artifacts.iter().filter(wanted).map(summary).collect()))
}

fn summary(artifact: &Artifact) -> Value {
    let latest = artifact.versions.last();
    json!({
        "name": artifact.name,
        "type": artifact.kind,
        "num_versions": artifact.versions.len(),
        "latest_version": latest.map(|version| version.number),
        "size_bytes": latest.map_or(0, ArtifactVersion::bytes),
        "created_at": artifact.record.get("created_at"),
        "updated_at": artifact.record.get("updated_at"),
        "aliases": artifact.record.get("aliases").cloned().unwrap_or_else(|| json!({})),
    })
}

/// Lists the versions of an artifact.
#[utoipa::path(get, path = "/api/artifacts/{name}/versions", tag = "artifacts", params(("name" = String, Path), ("type" = Option<String>, Query)), responses((status = 200, body = Vec<Object>), (status = 404, body = crate::ErrorBody)))]
async fn list_artifact_versions(
    State(app): State<App>,
    UrlPath(name): UrlPath<String>,
    Params(params): Params<KindParams>,
) -> ApiResult<Json<Vec<Value>>> {
    let store = app.store();
    let artifact = blocking(move || store.artifact(&name, params.kind.as_deref())).await?;
    let versions = artifact.versions.iter().map(|version| {
        let member = |name: &str| version.entry.get(name).cloned().unwrap_or_default();
        json!({
            "version": version.number,
            "created_at": member("created_at"),
            "created_by_run": member("created_by_run"),
            "size_bytes": version.bytes(),
            "num_files": version.files(),
            "status": member("status"),
            "aliases": version.entry.get("aliases").cloned().unwrap_or_else(|| json!([])),
        })
    });
    Ok(Json(versions.collect()))
}

/// The number in `v3`; any other word names nothing.
fn number_of(word: &str) -> ApiResult<u64> {
    let digits = word
        .strip_prefix('v')
        .and_then(|digits| digits.parse().ok());
    digits.ok_or_else(ApiError::unknown_route)
}

/// Shows the metadata of a version.
#[utoipa::path(get, path = "/api/artifacts/{name}/{version}", tag = "artifacts", params(("name" = String, Path), ("version" = String, Path)), responses((status = 200, body = Object), (status = 404, body = crate::ErrorBody)))]
async fn show_artifact(
    State(app): State<App>,
    UrlPath((name, version)): UrlPath<(String, String)>,
) -> ApiResult<Json<Map<String, Value>>> {
    let number = number_of(&version)?;
    let store = app.store();
    Ok(Json(
        blocking(move || store.artifact_metadata(&name, number)).await?,
    ))
}

struct DeleteParams {
    permanent: bool,
}

impl Shape for DeleteParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            permanent: fields.flag_or("permanent", false),
        }
    }
}

/// Deletes a version, softly or for ever.
#[utoipa::path(delete, path = "/api/artifacts/{name}/{version}", tag = "artifacts", params(("name" = String, Path), ("version" = String, Path), ("permanent" = Option<bool>, Query)), responses((status = 200, body = Object), (status = 404, body = crate::ErrorBody)))]
async fn delete_artifact(
    State(app): State<App>,
    UrlPath((name, version)): UrlPath<(String, String)>,
    Params(params): Params<DeleteParams>,
) -> ApiResult<Json<Value>> {
    let number = number_of(&version)?;
    let message = if params.permanent {
        "Permanently deleted"
    } else {
        "Deleted"
    };
    let message = format!("{message} {name}:v{number}");
    let store = app.store();
    blocking(move || store.delete_artifact(&name, number, params.permanent)).await?;
    Ok(Json(json!({"success": true, "message": message})))
}

/// Lists the files of a version.
#[utoipa::path(get, path = "/api/artifacts/{name}/{version}/files", tag = "artifacts", params(("name" = String, Path), ("version" = String, Path)), responses((status = 200, body = Object), (status = 404, body = crate::ErrorBody)))]
async fn list_artifact_files(
    State(app): State<App>,
    UrlPath((name, version)): UrlPath<(String, String)>,
) -> ApiResult<Json<Value>> {
    let number = number_of(&version)?;
    let store = app.store();
    let wanted = name.clone();
    let (manifest, folder) = blocking(move || store.artifact_manifest(&wanted, number)).await?;
    let member = |name: &str, other: Value| manifest.get(name).cloned().unwrap_or(other);
    let files = member("files", json!([]))
        .as_array()
        .cloned()
        .unwrap_or_default();
    let files: Vec<Value> = files
        .into_iter()
        .filter_map(|mut file| {
            let path = folder
                .join(file.get("path")?.as_str()?)
                .display()
                .to_string();
            let object = file.as_object_mut()?;
            object.insert("absolute_path".to_owned(), json!(path));
            object.insert("is_remote".to_owned(), json!(false));
            Some(file)
        })
        .collect();
    Ok(Json(json!({
        "artifact": format!("{name}:v{number}"),
        "files": files,
        "references": member("references", json!([])),
        "total_size": member("total_size", json!(0)),
        "total_files": member("total_files", json!(0)),
        "total_references": member("total_references", json!(0)),
        "is_remote": false,
    })))
}

struct LineageParams {
    max_depth: i64,
}

impl Shape for LineageParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            max_depth: fields.int_or("max_depth", 0..=100, 3),
        }
    }
}

/// Shows what a version came from and what came from it.
#[utoipa::path(get, path = "/api/artifacts/{name}/{version}/lineage", tag = "artifacts", params(("name" = String, Path), ("version" = String, Path), ("max_depth" = Option<i64>, Query)), responses((status = 200, body = Object), (status = 404, body = crate::ErrorBody)))]
async fn show_lineage(
    State(app): State<App>,
    UrlPath((name, version)): UrlPath<(String, String)>,
    Params(params): Params<LineageParams>,
) -> ApiResult<Json<Value>> {
    let number = number_of(&version)?;
    let depth = params.max_depth.unsigned_abs();
    let store = app.store();
    let root = format!("{name}:v{number}");
    let lineage = blocking(move || store.artifact_lineage(&name, number, depth)).await?;
    let nodes = lineage.nodes.iter().map(|node| {
        let kind = match node {
            LineageNode::Artifact(_) => "artifact",
            LineageNode::Run(_) => "run",
        };
        json!({"node_type": kind, "node_id": node.id(), "label": node.id(), "metadata": {}})
    });
    let edges = lineage.edges.iter().map(|(from, to, word, at)| json!({"source": from, "target": to, "edge_type": word, "created_at": at}));
    Ok(Json(
        json!({"root_artifact": root, "nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>()}),
    ))
}

/// Measures the artifact store.
#[utoipa::path(get, path = "/api/artifacts/stats", tag = "artifacts", responses((status = 200, body = Object)))]
async fn measure_artifacts(State(app): State<App>) -> ApiResult<Json<Value>> {
    let store = app.store();
    let (artifacts, pool) =
        blocking(move || Ok::<_, StoreError>((store.artifacts()?, store.artifact_pool_bytes()?)))
            .await?;
    let mut by_type: Map<String, Value> = Map::new();
    let (mut versions, mut bytes, mut files) = (0, 0, 0);
    for artifact in &artifacts {
        let own_bytes: u64 = artifact.versions.iter().map(ArtifactVersion::bytes).sum();
        versions += artifact.versions.len();
        bytes += own_bytes;
        files += artifact
            .versions
            .iter()
            .map(ArtifactVersion::files)
            .sum::<u64>();
        let part = by_type
            .entry(artifact.kind.clone())
            .or_insert_with(|| json!({"count": 0, "versions": 0, "size_bytes": 0}));
        let add = |name: &str, more: u64| json!(part[name].as_u64().unwrap_or_default() + more);
        *part = json!({"count": add("count", 1), "versions": add("versions", artifact.versions.len() as u64), "size_bytes": add("size_bytes", own_bytes)});
    }
    let saved = bytes.saturating_sub(pool.unwrap_or(bytes));
    let ratio = if bytes == 0 {
        0.0
    } else {
        saved as f64 / bytes as f64
    };
    Ok(Json(json!({
        "total_artifacts": artifacts.len(),
        "total_versions": versions,
        "total_size_bytes": bytes,
        "total_files": files,
        "dedup_enabled": pool.is_some(),
        "by_type": by_type,
        "dedup_pool_size_bytes": pool.unwrap_or_default(),
        "space_saved_bytes": saved,
        "dedup_ratio": ratio,
    })))
}

/// Shows which artifacts a run made and used.
#[utoipa::path(get, path = "/api/runs/{run_id}/artifacts", tag = "artifacts", params(("run_id" = String, Path)), responses((status = 200, body = Object), (status = 404, body = crate::ErrorBody)))]
async fn artifacts_of_run(
    State(app): State<App>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<Value>> {
    let store = app.store();
    let (created, used) = blocking(move || store.artifacts_of_run(&run_id)).await?;
    Ok(Json(json!({"created": created, "used": used})))
}
