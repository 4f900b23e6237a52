//! Notes of runs and views of the run table, kept in the state folder of the server that owns the root.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use runicorn_experiments::RunId;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::annotations::{Note, View};
use crate::api::health::unix_now;
use crate::app::App;
use crate::blocking::{blocking, blocking_ok};
use crate::error::ApiResult;
use crate::validate::{Body, Fields, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_views))
        .routes(routes!(keep_view, drop_view))
        .routes(routes!(list_notes))
        .routes(routes!(keep_note))
}

/// Views of the run table, by name.
#[derive(Serialize, utoipa::ToSchema)]
struct RunViewsAnswer {
    views: Vec<RunView>,
}

/// One view.
#[derive(Serialize, utoipa::ToSchema)]
struct RunView {
    name: String,
    /// The query of the page's address: search, order, columns and all.
    query: String,
    /// Unix seconds.
    updated_at: f64,
}

async fn views_of(app: App) -> ApiResult<Json<RunViewsAnswer>> {
    let kept = blocking_ok(move || app.annotations().views()).await?;
    let views = kept
        .into_iter()
        .map(|(name, view)| RunView {
            name,
            query: view.query,
            updated_at: view.updated_at,
        })
        .collect();
    Ok(Json(RunViewsAnswer { views }))
}

/// Lists the views of the run table.
#[utoipa::path(get, path = "/api/run-views", tag = "runs", responses((status = 200, body = RunViewsAnswer)))]
async fn list_views(State(app): State<App>) -> ApiResult<Json<RunViewsAnswer>> {
    views_of(app).await
}

/// What a view shows.
#[derive(utoipa::ToSchema)]
struct RunViewBody {
    /// The query of the page's address, at most 16 KiB.
    query: String,
}

impl Shape for RunViewBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            query: fields.text("query"),
        }
    }
}

/// Keeps a view under a name, in place of the one that has it; gives all views.
#[utoipa::path(put, path = "/api/run-views/{name}", tag = "runs", params(("name" = String, Path)), request_body = RunViewBody,
    responses((status = 200, body = RunViewsAnswer), (status = 400, body = crate::ErrorBody), (status = 409, body = crate::ErrorBody)))]
async fn keep_view(
    State(app): State<App>,
    UrlPath(name): UrlPath<String>,
    Body(view): Body<RunViewBody>,
) -> ApiResult<Json<RunViewsAnswer>> {
    let keeper = app.clone();
    let view = View {
        query: view.query,
        updated_at: unix_now(),
    };
    blocking(move || keeper.annotations().keep_view(&name, view)).await?;
    views_of(app).await
}

/// Forgets a view; gives the others.
#[utoipa::path(delete, path = "/api/run-views/{name}", tag = "runs", params(("name" = String, Path)),
    responses((status = 200, body = RunViewsAnswer)))]
async fn drop_view(
    State(app): State<App>,
    UrlPath(name): UrlPath<String>,
) -> ApiResult<Json<RunViewsAnswer>> {
    let keeper = app.clone();
    blocking(move || keeper.annotations().drop_view(&name)).await?;
    views_of(app).await
}

/// Notes by run id.
#[derive(Serialize, utoipa::ToSchema)]
struct RunNotesAnswer {
    notes: BTreeMap<String, Note>,
}

/// Lists the notes of all runs.
#[utoipa::path(get, path = "/api/run-notes", tag = "runs", responses((status = 200, body = RunNotesAnswer)))]
async fn list_notes(State(app): State<App>) -> ApiResult<Json<RunNotesAnswer>> {
    let notes = blocking_ok(move || app.annotations().notes()).await?;
    Ok(Json(RunNotesAnswer { notes }))
}

/// A note.
#[derive(utoipa::ToSchema)]
struct RunNoteBody {
    /// At most 16 KiB; nothing but spaces takes the note away.
    text: String,
}

impl Shape for RunNoteBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            text: fields.text("text"),
        }
    }
}

/// Keeps what is said about a run; gives all notes.
#[utoipa::path(put, path = "/api/run-notes/{id}", tag = "runs", params(("id" = String, Path)), request_body = RunNoteBody,
    responses((status = 200, body = RunNotesAnswer), (status = 400, body = crate::ErrorBody)))]
async fn keep_note(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Body(note): Body<RunNoteBody>,
) -> ApiResult<Json<RunNotesAnswer>> {
    RunId::standard(&id)?;
    let keeper = app.clone();
    let note = Note {
        text: note.text,
        updated_at: unix_now(),
    };
    blocking(move || keeper.annotations().keep_note(&id, note)).await?;
    list_notes(State(app)).await
}
