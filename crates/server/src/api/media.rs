//! Pictures, films and sounds of a run, for our pages: their list, their bytes from anywhere within, and small pictures.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use runicorn_experiments::{MediaKind, StampedFile};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::attachment;
use crate::blocking::blocking;
use crate::byte_ranges;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_media))
        .routes(routes!(show_file))
        .routes(routes!(show_thumbnail))
}

/// An image, film or sound of a run.
#[derive(Serialize, utoipa::ToSchema)]
struct MediaItem {
    /// Step, if it has one.
    step: Option<i64>,
    /// Name it was logged under.
    key: String,
    /// Its caption.
    caption: Option<String>,
    /// Name for `/api/run-file`.
    file: String,
    /// `image`, `video`, `audio` or `other`.
    kind: &'static str,
    /// Length in bytes.
    bytes: u64,
    /// When it was logged, Unix seconds.
    time: Option<f64>,
    /// The event is there, the file is not.
    missing: bool,
}

/// The media of a run.
#[derive(Serialize, utoipa::ToSchema)]
struct MediaList {
    /// The run.
    run: String,
    /// Its media in the order they were logged.
    images: Vec<MediaItem>,
}

/// Lists the media of a run, for our pages.
#[utoipa::path(get, path = "/api/run-images/{id}", tag = "ui", params(("id" = String, Path)), responses((status = 200, body = MediaList)))]
async fn show_media(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<MediaList>> {
    let store = app.store();
    let wanted = id.clone();
    let (_, images) = blocking(move || store.images(&wanted)).await?;
    let images = images.into_iter().map(|image| MediaItem {
        step: image.step,
        key: image
            .key
            .as_str()
            .map_or_else(|| image.key.to_string(), str::to_owned),
        caption: image.caption,
        kind: image.kind.word(),
        bytes: image.bytes,
        time: image.time,
        missing: image.missing,
        file: image.file,
    });
    Ok(Json(MediaList {
        run: id,
        images: images.collect(),
    }))
}

struct FileParams {
    file: String,
}

impl Shape for FileParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            file: fields.text("file"),
        }
    }
}

/// Sends a file of a run's folder, or the part of it that is asked for: safe media to be shown, everything else to be saved.
#[utoipa::path(get, path = "/api/run-file/{id}", tag = "ui", params(("id" = String, Path), ("file" = String, Query)), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 206, description = "The part that `Range` names"), (status = 304, description = "The caller has it"), (status = 416, description = "`Range` lies beyond the end")))]
async fn show_file(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<FileParams>,
    request: HeaderMap,
) -> ApiResult<Response> {
    let store = app.store();
    let name = params.file.clone();
    let found = blocking(move || store.run_file(&id, &params.file)).await?;
    Ok(original(&request, found, &name))
}

fn original(request: &HeaderMap, found: StampedFile, name: &str) -> Response {
    let mut response = byte_ranges::answer(request, found, attachment::content_type(name));
    if MediaKind::of(name) == MediaKind::Other {
        let own_name = name.rsplit('/').next().unwrap_or_default();
        response.headers_mut().insert(
            header::CONTENT_DISPOSITION,
            attachment::disposition(own_name),
        );
    }
    guarded(response)
}

/// Whatever a file holds, a browser that opens its address gives it no power, and asks whether it is still the same.
fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=0, must-revalidate"),
    );
    response
}

struct ThumbnailParams {
    file: String,
    #[cfg_attr(
        not(feature = "thumbnails"),
        expect(dead_code, reason = "the original is sent")
    )]
    side_px: u32,
}

impl Shape for ThumbnailParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            file: fields.text("file"),
            side_px: fields
                .int_or("px", 16..=4096, 256)
                .try_into()
                .unwrap_or(256),
        }
    }
}

/// Sends a picture of a run's folder at about the asked size, or the original where it is small, moves or cannot be made smaller.
#[utoipa::path(get, path = "/api/run-thumbnail/{id}", tag = "ui", params(("id" = String, Path), ("file" = String, Query), ("px" = Option<u32>, Query)), responses((status = 200, body = Vec<u8>, content_type = "image/*"), (status = 304, description = "The caller has it")))]
async fn show_thumbnail(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<ThumbnailParams>,
    request: HeaderMap,
) -> ApiResult<Response> {
    if MediaKind::of(&params.file) != MediaKind::Image {
        return Err(ApiError::bad_request("NO_PICTURE", "Not a picture"));
    }
    let store = app.store();
    let (wanted, name) = (id.clone(), params.file.clone());
    let found = blocking(move || store.run_file(&wanted, &params.file)).await?;
    #[cfg(feature = "thumbnails")]
    if let Some(small) =
        crate::thumbnails::small(&app, &request, &found, &id, &name, params.side_px).await?
    {
        return Ok(guarded(small));
    }
    Ok(original(&request, found, &name))
}
