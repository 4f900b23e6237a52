//! What a run saved: its assets, downloads, code, the documented list of images, and how much the root holds.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use runicorn_experiments::{
    AssetReference, Download, DownloadProblem, FolderSize, RunDir, RunId, RunImage, StorageStats,
    assets_count, write_zip,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::attachment;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_assets))
        .routes(routes!(show_references))
        .routes(routes!(download))
        .routes(routes!(show_images))
        .routes(routes!(list_code))
        .routes(routes!(show_code))
        .routes(routes!(measure))
}

/// Shows `assets.json` of a run.
#[utoipa::path(get, path = "/api/runs/{id}/assets", tag = "assets", params(("id" = String, Path)), responses((status = 200, body = Object)))]
async fn show_assets(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<Value>> {
    let store = app.store();
    let wanted = id.clone();
    let assets = blocking(move || store.assets(&wanted)).await?;
    let count = assets_count(&assets);
    Ok(Json(
        json!({"run_id": id, "assets": assets, "assets_count": count}),
    ))
}

/// Shows which assets only this run has, and which it shares.
#[utoipa::path(get, path = "/api/runs/{id}/assets/refs", tag = "assets", params(("id" = String, Path)), responses((status = 200, body = Object)))]
async fn show_references(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<Value>> {
    RunId::standard(&id)?;
    let store = app.store();
    let wanted = id.clone();
    let references = blocking(move || store.asset_references(&wanted)).await?;
    let (orphaned, shared): (Vec<_>, Vec<_>) = references
        .iter()
        .partition(|asset| asset.other_runs.is_empty());
    let orphaned: Vec<Value> = orphaned.into_iter().map(reference_json).collect();
    let shared: Vec<Value> = shared.into_iter().map(reference_json).collect();
    Ok(Json(
        json!({"run_id": id, "orphaned_count": orphaned.len(), "shared_count": shared.len(), "orphaned_assets": orphaned, "shared_assets": shared}),
    ))
}

fn reference_json(asset: &AssetReference) -> Value {
    let mut object = json!({
        "asset_id": asset.asset_id,
        "asset_type": asset.asset_type,
        "name": asset.name,
        "fingerprint": asset.fingerprint,
        "role": asset.role,
        "ref_count": asset.other_runs.len() + 1,
    });
    if !asset.other_runs.is_empty() {
        object["other_runs"] = json!(asset.other_runs);
    }
    object
}

struct DownloadParams {
    path: String,
    filename: Option<String>,
}

impl Shape for DownloadParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.text("path"),
            filename: fields.optional_text("filename"),
        }
    }
}

/// Sends a file, a folder or an archived dataset of a run.
#[utoipa::path(get, path = "/api/runs/{id}/assets/download", tag = "assets", params(("id" = String, Path), ("path" = String, Query), ("filename" = Option<String>, Query)), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
async fn download(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<DownloadParams>,
) -> ApiResult<Response> {
    let store = app.store();
    let found =
        blocking(move || store.download(&id, &params.path, params.filename.as_deref())).await?;
    Ok(match found {
        Download::File { file, name, bytes } => attachment::file(file, bytes, &name),
        Download::Zip { name, sources } => {
            attachment::written(&name, "application/zip", move |out| write_zip(out, sources))
        }
    })
}

impl From<DownloadProblem> for ApiError {
    fn from(problem: DownloadProblem) -> Self {
        let text = problem.to_string();
        match problem {
            DownloadProblem::Unsafe => Self::forbidden("UNSAFE_PATH", text),
            DownloadProblem::NotOfThisRun => Self::forbidden("NOT_OF_THIS_RUN", text),
            DownloadProblem::Missing => Self::not_found("FILE_NOT_FOUND", text),
            DownloadProblem::EmptyManifest => Self::not_found("EMPTY_MANIFEST", text),
            DownloadProblem::Unsupported => Self::bad_request("UNSUPPORTED_TARGET", text),
            DownloadProblem::Store(error) => error.into(),
        }
    }
}

/// Lists the images of a run whose files are there.
#[utoipa::path(get, path = "/api/runs/{id}/images", tag = "assets", params(("id" = String, Path)), responses((status = 200, body = Object)))]
async fn show_images(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<Value>> {
    let store = app.store();
    let wanted = id.clone();
    let (run, images) = blocking(move || store.images(&wanted)).await?;
    let images: Vec<Value> = images
        .iter()
        .filter(|image| !image.missing)
        .map(|image| documented_image(&run, image))
        .collect();
    Ok(Json(json!({"run_id": id, "images": images})))
}

fn documented_image(run: &RunDir, image: &RunImage) -> Value {
    let key = match &image.key {
        Value::Null => json!("image"),
        Value::String(key) if key.is_empty() => json!("image"),
        key => key.clone(),
    };
    json!({"step": image.step, "key": key, "path": run.dir.join(&image.file).to_string_lossy()})
}

/// A file of a code snapshot.
#[derive(Serialize, utoipa::ToSchema)]
struct CodeEntry {
    /// Path in the snapshot.
    path: String,
    /// Length in bytes.
    bytes: u64,
}

/// The code snapshot of a run.
#[derive(Serialize, utoipa::ToSchema)]
struct CodeList {
    /// Whether there is one.
    available: bool,
    /// Length of the archive in bytes.
    archive_bytes: u64,
    /// Its files, sorted by path.
    files: Vec<CodeEntry>,
}

/// Lists the code snapshot of a run.
#[utoipa::path(get, path = "/api/run-code/{id}", tag = "ui", params(("id" = String, Path)), responses((status = 200, body = CodeList)))]
async fn list_code(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<CodeList>> {
    let store = app.store();
    let code = blocking(move || store.code(&id)).await?;
    let files = code.files.into_iter().map(|file| CodeEntry {
        path: file.path,
        bytes: file.bytes,
    });
    Ok(Json(CodeList {
        available: code.available,
        archive_bytes: code.archive_bytes,
        files: files.collect(),
    }))
}

struct CodeParams {
    path: String,
}

impl Shape for CodeParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.text("path"),
        }
    }
}

/// The text of one file of a code snapshot.
#[derive(Serialize, utoipa::ToSchema)]
struct CodeContent {
    /// Path in the snapshot.
    path: String,
    /// The text; absent when it is binary or too long to show.
    text: Option<String>,
    /// Length in bytes.
    bytes: u64,
    /// Not a text.
    binary: bool,
}

/// Shows one file of the code snapshot of a run.
#[utoipa::path(get, path = "/api/run-code/{id}/file", tag = "ui", params(("id" = String, Path), ("path" = String, Query)), responses((status = 200, body = CodeContent)))]
async fn show_code(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<CodeParams>,
) -> ApiResult<Json<CodeContent>> {
    let store = app.store();
    let path = params.path.clone();
    let code = blocking(move || store.code_text(&id, &params.path)).await?;
    let code = code.ok_or_else(|| ApiError::not_found("FILE_NOT_FOUND", "File not found"))?;
    Ok(Json(CodeContent {
        path,
        text: code.text,
        bytes: code.bytes,
        binary: code.binary,
    }))
}

/// Measures the storage root.
#[utoipa::path(get, path = "/api/storage/stats", tag = "storage", responses((status = 200, body = Object)))]
async fn measure(State(app): State<App>) -> ApiResult<Json<Value>> {
    let store = app.store();
    let root = store.root().display().to_string();
    let stats = blocking(move || store.storage_stats()).await?;
    Ok(Json(stats_json(&root, &stats)))
}

fn stats_json(root: &str, stats: &StorageStats) -> Value {
    let archive = stats.blobs.bytes + stats.manifests.bytes + stats.outputs.bytes;
    let categories: Map<String, Value> = stats
        .manifest_categories
        .iter()
        .map(|(name, size)| (name.clone(), counted(*size)))
        .collect();
    let mut archive_part = sized(archive);
    archive_part["blobs"] = counted(stats.blobs);
    archive_part["manifests"] = counted(stats.manifests);
    archive_part["manifests"]["by_category"] = Value::Object(categories);
    archive_part["outputs"] = counted(stats.outputs);
    let mut runs = sized(stats.runs.bytes);
    runs["projects_count"] = json!(stats.projects_count);
    runs["experiments_count"] = json!(stats.experiments_count);
    runs["paths_count"] = json!(stats.paths_count);
    runs["runs_count"] = json!(stats.runs_count);
    json!({
        "storage_root": root,
        "total": sized(archive + stats.runs.bytes + stats.index.bytes),
        "archive": archive_part,
        "runs": runs,
        "index": sized(stats.index.bytes),
    })
}

fn sized(bytes: u64) -> Value {
    json!({"size_bytes": bytes, "size_human": human(bytes)})
}

fn counted(size: FolderSize) -> Value {
    let mut value = sized(size.bytes);
    value["file_count"] = json!(size.files);
    value
}

fn human(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_written_in_steps_of_1024_with_two_decimals() {
        for (bytes, text) in [
            (0, "0.00 B"),
            (257, "257.00 B"),
            (59904, "58.50 KB"),
            (1 << 20, "1.00 MB"),
            (1 << 60, "1024.00 PB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
