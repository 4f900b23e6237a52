//! Small pictures for the page: made by few threads at once, kept, and not sent again to who has them.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runicorn_experiments::{StampedFile, StoreError, ThumbnailCache};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::blocking::blocking;
use crate::byte_ranges::{tag_of, tagged};
use crate::error::{ApiError, ApiResult};
use crate::etags;

/// Pictures that are decoded at once: each may take a quarter of a gigabyte.
const MOST_AT_ONCE: usize = 2;

/// The cache and who may work on it.
pub(crate) struct Thumbnails {
    cache: Arc<ThumbnailCache>,
    decoding: Semaphore,
}

impl Thumbnails {
    pub(crate) fn below(cache_dir: &Path) -> Self {
        Self {
            cache: Arc::new(ThumbnailCache::new(cache_dir.join("thumbnails"))),
            decoding: Semaphore::new(MOST_AT_ONCE),
        }
    }
}

/// The small picture of a file; `None` where the original is to be sent.
pub(crate) async fn small(
    app: &App,
    request: &HeaderMap,
    original: &StampedFile,
    run: &str,
    name: &str,
    side_px: u32,
) -> ApiResult<Option<Response>> {
    let side_px = ThumbnailCache::side_for(side_px);
    let tag = tag_of(&format!("{side_px}-"), original);
    if etags::is_known(request, &tag) {
        return Ok(Some(tagged(StatusCode::NOT_MODIFIED.into_response(), tag)));
    }
    let thumbnails = app.thumbnails();
    let place = format!("{}\n{run}\n{name}", app.store().root().display());
    let file = StampedFile {
        file: original.file.try_clone().map_err(ApiError::internal)?,
        ..*original
    };
    let _turn = thumbnails
        .decoding
        .acquire()
        .await
        .map_err(ApiError::internal)?;
    let cache = Arc::clone(&thumbnails.cache);
    let path = name.to_owned();
    let made = blocking(move || {
        let made = cache.small(&place, &file, side_px);
        made.map_err(|error| StoreError::io(path, error))
    })
    .await?;
    let Some(made) = made else {
        return Ok(None);
    };
    let mut response = Body::from(made.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(made.content_type),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(Some(tagged(response, tag)))
}
