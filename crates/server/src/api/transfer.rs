//! Runs leave as documents and archives, and come back from archives.

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State};
use axum::response::{IntoResponse as _, Response};
use runicorn_experiments::metrics::{Columns, RunMetrics, Table};
use runicorn_experiments::{
    ArchiveLimits, ExportedRun, ImportMode, ImportPreview, ImportProblem, RunStore, StoreError,
    Upload, ZipSource, html_report, markdown_report, time_stamp, write_tar_gz, write_zip,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::attachment;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Body, Fields, Params, Shape, UrlPath};

/// Largest archive that is taken, in bytes.
const MAX_UPLOAD_BYTES: u64 = 64 << 30;
/// Longest text field of a form, in bytes.
const MAX_FIELD_BYTES: usize = 4096;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(preview_import))
        .routes(routes!(import_archive))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(export_path))
        .routes(routes!(export_runs))
        .routes(routes!(export_all, export_one))
        .routes(routes!(export_csv))
        .routes(routes!(export_report))
        .merge(uploads)
}

struct PathExport {
    path: String,
    exact: bool,
    format: String,
}

impl Shape for PathExport {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            path: fields.text("path"),
            exact: fields.flag_or("exact", false),
            format: fields.text_or("format", "json"),
        }
    }
}

/// Exports the runs of a path: `json` (what the small files say), `zip` or `tar.gz` (all files).
#[utoipa::path(get, path = "/api/paths/export", tag = "transfer", params(("path" = String, Query), ("exact" = Option<bool>, Query), ("format" = Option<String>, Query)), responses((status = 200, body = Object)))]
async fn export_path(
    State(app): State<App>,
    Params(wanted): Params<PathExport>,
) -> ApiResult<Response> {
    if wanted.path.is_empty() {
        return Err(ApiError::bad_request("PATH_REQUIRED", "path is required"));
    }
    let format = Format::of(&wanted.format, &[Format::Json, Format::Zip, Format::TarGz])?;
    let store = app.store();
    let PathExport { path, exact, .. } = wanted;
    let (runs, sources) = {
        let path = path.clone();
        blocking(move || {
            let runs = store.exported(&path, exact)?;
            let sources = match format {
                Format::Zip => store.bare_sources(&runs)?,
                Format::TarGz => store.importable_sources(&ids_of(&runs))?,
                Format::Json | Format::Csv => Vec::new(),
            };
            Ok::<_, StoreError>((runs, sources))
        })
        .await?
    };
    let documents: Vec<Value> = runs.iter().map(document).collect();
    if format == Format::Json {
        let body =
            json!({"path": path, "exact": exact, "total_runs": documents.len(), "runs": documents});
        return Ok(Json(body).into_response());
    }
    if documents.is_empty() {
        let text = "No runs found for this path";
        return Err(ApiError::not_found("NO_RUNS", text));
    }
    let index = json!({"path": path, "total_runs": documents.len(), "runs": documents});
    let index = serde_json::to_string_pretty(&index).map_err(ApiError::internal)?;
    let name = format!("runicorn_export_{}", path.replace(['/', '\\'], "_"));
    Ok(archive(&name, format, Some(index), sources))
}

/// Runs to export.
#[derive(utoipa::ToSchema)]
struct RunsExport {
    run_ids: Vec<String>,
    format: Option<String>,
}

impl Shape for RunsExport {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            run_ids: fields.texts("run_ids"),
            format: fields.optional_text("format"),
        }
    }
}

/// Exports runs as an archive that an import takes: `zip`, or `tar.gz` if asked for.
#[utoipa::path(post, path = "/api/runs/export", tag = "transfer", request_body = RunsExport, responses((status = 200, body = Vec<u8>, content_type = "application/zip")))]
async fn export_runs(
    State(app): State<App>,
    Body(wanted): Body<RunsExport>,
) -> ApiResult<Response> {
    if wanted.run_ids.is_empty() {
        return Err(ApiError::bad_request(
            "RUN_IDS_REQUIRED",
            "run_ids must not be empty",
        ));
    }
    let format = wanted.format.as_deref().unwrap_or("zip");
    let format = Format::of(format, &[Format::Zip, Format::TarGz])?;
    let name = format!(
        "runicorn_export_{}runs_{}",
        wanted.run_ids.len(),
        time_stamp()
    );
    let store = app.store();
    let sources = blocking(move || {
        store
            .importable_sources(&wanted.run_ids)
            .map_err(|error| match error {
                StoreError::RunNotFound { .. } => {
                    ApiError::not_found("RUN_NOT_FOUND", error.to_string())
                }
                other => other.into(),
            })
    })
    .await?;
    Ok(archive(&name, format, None, sources))
}

struct AllExport {
    format: String,
}

impl Shape for AllExport {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            format: fields.text_or("format", "json"),
        }
    }
}

/// Exports all runs: `json`, `csv` (one line a run), `zip` or `tar.gz`.
#[utoipa::path(get, path = "/api/export", tag = "transfer", params(("format" = Option<String>, Query)), responses((status = 200, body = Object)))]
async fn export_all(
    State(app): State<App>,
    Params(wanted): Params<AllExport>,
) -> ApiResult<Response> {
    let all = [Format::Json, Format::Csv, Format::Zip, Format::TarGz];
    let format = Format::of(&wanted.format, &all)?;
    let store = app.store();
    let (runs, sources) = blocking(move || {
        let runs = store.exported("", false)?;
        let sources = match format {
            Format::Zip | Format::TarGz => store.importable_sources(&ids_of(&runs))?,
            Format::Json | Format::Csv => Vec::new(),
        };
        Ok::<_, StoreError>((runs, sources))
    })
    .await?;
    let documents: Vec<Value> = runs.iter().map(document).collect();
    Ok(match format {
        Format::Json => {
            let body = json!({"path": "", "exact": false, "total_runs": documents.len(), "runs": documents});
            Json(body).into_response()
        }
        Format::Csv => {
            let text = runs_as_csv(&runs);
            attachment::written(
                "runicorn_export.csv",
                "text/csv; charset=utf-8",
                move |out| out.write_all(text.as_bytes()),
            )
        }
        Format::Zip | Format::TarGz => {
            let index = json!({"path": "", "total_runs": documents.len(), "runs": documents});
            let index = serde_json::to_string_pretty(&index).map_err(ApiError::internal)?;
            archive(
                &format!("runicorn_export_{}", time_stamp()),
                format,
                Some(index),
                sources,
            )
        }
    })
}

/// One run to export.
#[derive(utoipa::ToSchema)]
struct RunExport {
    run_id: String,
    format: String,
}

impl Shape for RunExport {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            run_id: fields.text("run_id"),
            format: fields.text_or("format", "json"),
        }
    }
}

/// Exports one run: `json` with its metrics, `csv` of its metrics, `zip` or `tar.gz` of its files.
#[utoipa::path(post, path = "/api/export", tag = "transfer", request_body = RunExport, responses((status = 200, body = Object)))]
async fn export_one(State(app): State<App>, Body(wanted): Body<RunExport>) -> ApiResult<Response> {
    let all = [Format::Json, Format::Csv, Format::Zip, Format::TarGz];
    let format = Format::of(&wanted.format, &all)?;
    let store = app.store();
    let id = wanted.run_id;
    match format {
        Format::Csv => metrics_csv(&app, id).await,
        Format::Zip | Format::TarGz => {
            let name = format!("runicorn_export_{id}");
            let sources = blocking(move || store.importable_sources(&[id])).await?;
            Ok(archive(&name, format, None, sources))
        }
        Format::Json => {
            let name = format!("{id}.json");
            let (run, columns) = blocking(move || {
                let run = store.exported_run(&id)?;
                let columns = columns_of(&app, &store, &id)?;
                Ok::<_, StoreError>((run, columns))
            })
            .await?;
            let document = document(&run).to_string();
            Ok(attachment::written(&name, "application/json", move |out| {
                out.write_all(document.strip_suffix('}').unwrap_or_default().as_bytes())?;
                out.write_all(b",\"metrics\":")?;
                let table = Table::of(&columns);
                let mut outcome = Ok(());
                table.write_json(&table.rows(None), &mut |piece| {
                    outcome = out.write_all(&piece);
                    outcome.is_ok()
                });
                outcome?;
                out.write_all(b"}")
            }))
        }
    }
}

fn columns_of(app: &App, store: &RunStore, id: &str) -> Result<Arc<Columns>, StoreError> {
    Ok(app.metrics().of_run(&store.find(id)?)?.columns)
}

/// The metrics of a run as CSV: `step`, then one column for each metric.
#[utoipa::path(get, path = "/api/export/{run_id}/csv", tag = "transfer", params(("run_id" = String, Path)), responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_csv(
    State(app): State<App>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Response> {
    metrics_csv(&app, run_id).await
}

async fn metrics_csv(app: &App, id: String) -> ApiResult<Response> {
    let name = format!("{id}_metrics.csv");
    let app = app.clone();
    let columns = blocking(move || columns_of(&app, &app.store(), &id)).await?;
    Ok(attachment::written(
        &name,
        "text/csv; charset=utf-8",
        move |out| {
            let table = Table::of(&columns);
            let mut outcome = Ok(());
            table.write_csv(&table.rows(None), &mut |piece| {
                outcome = out.write_all(&piece);
                outcome.is_ok()
            });
            outcome
        },
    ))
}

struct ReportParams {
    format: String,
}

impl Shape for ReportParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            format: fields.text_or("format", "markdown"),
        }
    }
}

/// A run as a page of text: `markdown` or `html`.
#[utoipa::path(get, path = "/api/export/{run_id}/report", tag = "transfer", params(("run_id" = String, Path), ("format" = Option<String>, Query)), responses((status = 200, body = String, content_type = "text/markdown")))]
async fn export_report(
    State(app): State<App>,
    UrlPath(run_id): UrlPath<String>,
    Params(params): Params<ReportParams>,
) -> ApiResult<Response> {
    let (content_type, write): (_, fn(&_, &_, &_) -> String) = match params.format.as_str() {
        "markdown" => ("text/markdown; charset=utf-8", markdown_report),
        "html" => ("text/html; charset=utf-8", html_report),
        _ => {
            let text = "Format must be markdown or html";
            return Err(ApiError::bad_request("UNSUPPORTED_FORMAT", text));
        }
    };
    let name = format!("{run_id}_report.{}", params.format);
    let text = blocking(move || {
        let store = app.store();
        let run = store.exported_run(&run_id)?;
        let metrics = RunMetrics::of(&*columns_of(&app, &store, &run_id)?);
        let assets = store.assets(&run_id)?;
        let config = assets.get("config").and_then(Value::as_object).cloned();
        Ok::<_, StoreError>(write(&run, &metrics, &config.unwrap_or_default()))
    })
    .await?;
    Ok(attachment::written(&name, content_type, move |out| {
        out.write_all(text.as_bytes())
    }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Zip,
    TarGz,
}

impl Format {
    fn of(word: &str, taken: &[Self]) -> ApiResult<Self> {
        let format = match word {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "zip" => Some(Self::Zip),
            "tar.gz" | "tgz" => Some(Self::TarGz),
            _ => None,
        };
        format
            .filter(|format| taken.contains(format))
            .ok_or_else(|| {
                ApiError::bad_request("UNSUPPORTED_FORMAT", format!("Unsupported format: {word}"))
            })
    }
}

fn archive(name: &str, format: Format, index: Option<String>, files: Vec<ZipSource>) -> Response {
    let index = index.map(|text| ZipSource::text("index.json", text));
    let sources = index.into_iter().chain(files);
    if format == Format::TarGz {
        let name = format!("{name}.tar.gz");
        return attachment::written(&name, "application/gzip", move |out| {
            write_tar_gz(out, sources)
        });
    }
    let name = format!("{name}.zip");
    attachment::written(&name, "application/zip", move |out| write_zip(out, sources))
}

fn ids_of(runs: &[ExportedRun]) -> Vec<String> {
    runs.iter().map(|run| run.row.id.to_string()).collect()
}

fn document(run: &ExportedRun) -> Value {
    json!({
        "run_id": run.row.id.as_str(),
        "path": run.path,
        "alias": run.row.alias,
        "status": run.row.status,
        "created_time": run.row.created_at,
        "summary": run.summary,
        "meta": run.meta,
    })
}

fn runs_as_csv(runs: &[ExportedRun]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for key in runs.iter().flat_map(|run| run.summary.keys()) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let fixed = ["run_id", "path", "alias", "status", "created_time", "tags"];
    let header = fixed
        .iter()
        .map(|name| (*name).to_owned())
        .chain(columns.iter().map(|name| format!("summary.{name}")));
    let mut text = csv_line(header);
    for run in runs {
        let row = &run.row;
        let fields = [
            row.id.to_string(),
            run.path.clone(),
            row.alias.clone().unwrap_or_default(),
            row.status.clone(),
            row.created_at.to_string(),
            row.tags.join(";"),
        ];
        let summary = columns.iter().map(|name| match run.summary.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        text.push_str(&csv_line(fields.into_iter().chain(summary)));
    }
    text
}

/// One line; a field that a table program would take for a formula is kept a text.
fn csv_line(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields
        .map(|field| {
            let formula =
                field.starts_with(['=', '@', '+', '-', '\t']) && field.parse::<f64>().is_err();
            let field = if formula { format!("'{field}") } else { field };
            if field.contains(['"', ',', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        })
        .collect();
    fields.join(",") + "\r\n"
}

/// What an import form holds.
#[derive(Default)]
struct Form {
    upload: Option<Upload>,
    mode: Option<String>,
    preview_token: Option<String>,
}

/// Reads a form; the archive goes to a nameless file as it arrives.
async fn read_form(app: &App, request: Request) -> ApiResult<Form> {
    let mut form = Form::default();
    let broken = |error: axum::extract::multipart::MultipartError| {
        ApiError::bad_request("BODY_BROKEN", error.body_text())
    };
    // no form at all is a form without fields
    let Ok(mut parts) = Multipart::from_request(request, &()).await else {
        return Ok(form);
    };
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        match part.name().unwrap_or_default() {
            "file" => {
                let name = part.file_name().unwrap_or_default().to_owned();
                let store = app.store();
                let file = blocking(move || store.upload_file()).await?;
                let mut out = tokio::fs::File::from_std(file);
                let mut bytes = 0;
                while let Some(piece) = part.chunk().await.map_err(broken)? {
                    bytes += piece.len() as u64;
                    if bytes > MAX_UPLOAD_BYTES {
                        return Err(ApiError::too_large(format!(
                            "The archive is larger than {MAX_UPLOAD_BYTES} bytes"
                        )));
                    }
                    out.write_all(&piece).await.map_err(upload_failed)?;
                }
                out.flush().await.map_err(upload_failed)?;
                form.upload = Some(Upload {
                    file: out.into_std().await,
                    name,
                });
            }
            name @ ("mode" | "preview_token") => {
                let name = name.to_owned();
                let mut text = Vec::new();
                while let Some(piece) = part.chunk().await.map_err(broken)? {
                    text.extend_from_slice(&piece);
                    if text.len() > MAX_FIELD_BYTES {
                        return Err(ApiError::too_large("A form field is too long"));
                    }
                }
                let text = String::from_utf8_lossy(&text).into_owned();
                if name == "mode" {
                    form.mode = Some(text);
                } else {
                    form.preview_token = Some(text).filter(|token| !token.is_empty());
                }
            }
            _ => {}
        }
    }
    Ok(form)
}

fn upload_failed(error: std::io::Error) -> ApiError {
    StoreError::io("uploads", error).into()
}

impl From<ImportProblem> for ApiError {
    fn from(problem: ImportProblem) -> Self {
        match problem {
            ImportProblem::Archive(_) => Self::bad_request("BAD_ARCHIVE", problem.to_string()),
            ImportProblem::Store(error) => error.into(),
        }
    }
}

/// Looks into an archive and keeps it for half an hour.
#[utoipa::path(post, path = "/api/import/preview", tag = "transfer", request_body(content = Object, content_type = "multipart/form-data"), responses((status = 200, body = Object)))]
async fn preview_import(State(app): State<App>, request: Request) -> ApiResult<Json<Value>> {
    let form = read_form(&app, request).await?;
    let Some(upload) = form.upload else {
        let problem = json!({"type": "missing", "loc": ["body", "file"], "msg": "Field required", "input": null});
        return Err(ApiError::invalid(vec![problem]));
    };
    let name = upload.name.clone();
    let store = app.store();
    let preview = blocking(move || store.preview_import(upload)).await?;
    Ok(Json(preview_json(&name, &preview)))
}

fn preview_json(name: &str, preview: &ImportPreview) -> Value {
    let mut conflicts: Vec<&str> = preview
        .runs
        .iter()
        .filter(|run| run.conflict)
        .map(|run| run.id.as_str())
        .collect();
    conflicts.sort_unstable();
    let runs: Vec<Value> = preview
        .runs
        .iter()
        .map(|run| json!({"run_id": run.id, "path": run.path, "files_count": run.files, "conflict": run.conflict}))
        .collect();
    json!({
        "ok": true,
        "token": preview.token,
        "filename": name,
        "runs": runs,
        "total_runs": preview.runs.len(),
        "total_files": preview.total_files,
        "conflict_count": conflicts.len(),
        "conflict_run_ids": conflicts,
    })
}

/// Imports the runs of an archive. Nothing that is here is overwritten; nothing but runs is taken.
#[utoipa::path(post, path = "/api/import/archive", tag = "transfer", request_body(content = Object, content_type = "multipart/form-data"), responses((status = 200, body = Object)))]
async fn import_archive(State(app): State<App>, request: Request) -> ApiResult<Json<Value>> {
    let form = read_form(&app, request).await?;
    let word = form.mode.unwrap_or_else(|| "merge".to_owned());
    let word = word.trim().to_lowercase();
    let mode = match word.as_str() {
        "" | "merge" => ImportMode::Merge,
        "isolate" => ImportMode::Isolate,
        _ => {
            return Err(ApiError::bad_request(
                "INVALID_MODE",
                "mode must be merge or isolate",
            ));
        }
    };
    let store = app.store();
    let upload = match form.preview_token {
        Some(token) => store.take_previewed(&token).ok_or_else(|| {
            ApiError::bad_request("INVALID_TOKEN", "Invalid or expired preview token")
        })?,
        None => form.upload.ok_or_else(|| {
            let text = "file is required when preview_token is not provided";
            ApiError::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "FILE_REQUIRED",
                text,
            )
        })?,
    };
    let root = store.root().to_owned();
    let imported = blocking(move || store.import(&upload, mode, ArchiveLimits::default())).await?;
    let directories: Vec<String> = imported
        .directories
        .iter()
        .map(|directory| root.join(directory).display().to_string())
        .collect();
    Ok(Json(json!({
        "ok": true,
        "imported_files": imported.files,
        "new_run_dirs": directories,
        "new_run_ids": imported.ids,
        "skipped_count": imported.skipped.len(),
        "skipped_run_ids": imported.skipped,
        "storage": root.display().to_string(),
        "mode": if mode == ImportMode::Merge { "merge" } else { "isolate" },
        "isolate_base": imported.isolate_base,
    })))
}
