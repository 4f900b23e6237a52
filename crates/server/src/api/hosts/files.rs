//! Folders of another machine.

use axum::Json;
use axum::extract::State;
use runicorn_remote::{FolderEntry, files};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::environments::live;
use crate::app::App;
use crate::error::ApiResult;
use crate::remote_failure::OrFailed;
use crate::validate::{Fields, Params, Shape};

/// Entries of one answer when nothing else is asked for; the rest of a larger folder is asked for with `offset`.
const PAGE: i64 = 10_000;
const PAGE_LIMIT: i64 = 100_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_folder))
        .routes(routes!(look))
}

struct ListParams {
    connection_id: String,
    path: String,
    offset: usize,
    limit: usize,
}

impl Shape for ListParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut count = |name, low, default| {
            let count = fields.int_or(name, low..=PAGE_LIMIT * 100, default);
            usize::try_from(count).unwrap_or(0)
        };
        let (offset, limit) = (count("offset", 0, 0), count("limit", 1, PAGE));
        Self {
            connection_id: fields.text("connection_id"),
            path: fields.text_or("path", "~"),
            offset,
            limit: limit.min(usize::try_from(PAGE_LIMIT).unwrap_or(limit)),
        }
    }
}

/// A folder, or a part of it: folders first, then by name.
#[derive(Serialize, utoipa::ToSchema)]
struct Folder {
    /// `~` expanded.
    path: String,
    items: Vec<FolderItem>,
    /// The same list under the name that the documents give it.
    entries: Vec<FolderItem>,
    /// How many there are in all.
    total: usize,
    /// Where the next part begins.
    next_offset: Option<usize>,
}

/// An entry of a folder.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct FolderItem {
    name: String,
    /// Links are not followed.
    is_dir: bool,
    /// 0 for folders.
    size: u64,
    /// Seconds since the epoch.
    mtime: i64,
}

impl From<FolderEntry> for FolderItem {
    fn from(entry: FolderEntry) -> Self {
        Self {
            name: entry.name,
            is_dir: entry.is_dir,
            size: entry.size_bytes,
            mtime: entry.modified_secs,
        }
    }
}

/// Lists a folder of a connected machine.
#[utoipa::path(get, path = "/api/remote/fs/list", operation_id = "list_remote_folder", tag = "hosts",
    params(("connection_id" = String, Query), ("path" = Option<String>, Query, description = "`~` when absent"),
        ("offset" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Folder), (status = 404, body = crate::ErrorBody)))]
async fn list_folder(
    State(app): State<App>,
    Params(params): Params<ListParams>,
) -> ApiResult<Json<Folder>> {
    let connection = live(&app, &params.connection_id)?;
    let page = files::list(&connection, &params.path, params.offset, params.limit).await;
    let page = page.or_failed("Failed to list directory: ")?;
    let items: Vec<FolderItem> = page.entries.into_iter().map(FolderItem::from).collect();
    Ok(Json(Folder {
        path: page.path,
        entries: items.clone(),
        items,
        total: page.total,
        next_offset: page.next_offset,
    }))
}

struct LookParams {
    connection_id: String,
    path: String,
}

impl Shape for LookParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            connection_id: fields.text("connection_id"),
            path: fields.text("path"),
        }
    }
}

/// Whether something is there.
#[derive(Serialize, utoipa::ToSchema)]
struct Look {
    path: String,
    exists: bool,
    is_dir: bool,
}

/// Looks whether a path exists on a connected machine.
#[utoipa::path(get, path = "/api/remote/fs/exists", operation_id = "look_at_remote_path", tag = "hosts",
    params(("connection_id" = String, Query), ("path" = String, Query)),
    responses((status = 200, body = Look), (status = 404, body = crate::ErrorBody)))]
async fn look(State(app): State<App>, Params(params): Params<LookParams>) -> ApiResult<Json<Look>> {
    let connection = live(&app, &params.connection_id)?;
    let (exists, is_dir) = files::exists(&connection, &params.path)
        .await
        .or_failed("Failed to check path: ")?;
    Ok(Json(Look {
        path: params.path,
        exists,
        is_dir,
    }))
}
