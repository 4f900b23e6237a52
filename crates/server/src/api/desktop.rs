//! What the page asks of the desktop shell around this server. Headless, there is none, and only the first route says so.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::desktop::Desktop;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Body, Fields, Shape};

/// Longer addresses are nothing a person wants to open.
const URL_LIMIT_BYTES: usize = 2048;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_desktop))
        .routes(routes!(painted))
        .routes(routes!(pick_folder))
        .routes(routes!(open))
}

/// The shell, or its absence.
#[derive(Serialize, utoipa::ToSchema)]
struct DesktopAnswer {
    available: bool,
    version: &'static str,
    /// `linux`, `macos` or `windows`.
    platform: &'static str,
}

/// Tells whether a desktop shell is there.
#[utoipa::path(get, path = "/api/desktop", tag = "desktop", responses((status = 200, body = DesktopAnswer)))]
async fn show_desktop(State(app): State<App>) -> Json<DesktopAnswer> {
    Json(DesktopAnswer {
        available: app.config().desktop.is_some(),
        version: env!("CARGO_PKG_VERSION"),
        platform: std::env::consts::OS,
    })
}

/// Something was done.
#[derive(Serialize, utoipa::ToSchema)]
struct Done {
    ok: bool,
}

/// The page has painted its first frame.
#[utoipa::path(post, path = "/api/desktop/painted", tag = "desktop", responses((status = 200, body = Done)))]
async fn painted(State(app): State<App>) -> Json<Done> {
    if let Some(desktop) = &app.config().desktop {
        desktop.painted();
    }
    Json(Done { ok: true })
}

/// A folder that a person chose.
#[derive(Serialize, utoipa::ToSchema)]
struct PickedFolder {
    /// Null when they cancelled.
    path: Option<String>,
}

/// Asks the person for a folder.
#[utoipa::path(post, path = "/api/desktop/pick-folder", tag = "desktop",
    responses((status = 200, body = PickedFolder), (status = 501, body = crate::ErrorBody)))]
async fn pick_folder(State(app): State<App>) -> ApiResult<Json<PickedFolder>> {
    let picked = shell(&app)?.pick_folder().await;
    Ok(Json(PickedFolder {
        path: picked.map(|path| path.display().to_string()),
    }))
}

struct OpenBody {
    url: String,
}

impl Shape for OpenBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            url: fields.filled_text("url"),
        }
    }
}

/// Opens an `https` address `{"url"}` in the person's browser.
#[utoipa::path(post, path = "/api/desktop/open", tag = "desktop", request_body = Object,
    responses((status = 200, body = Done), (status = 400, body = crate::ErrorBody), (status = 501, body = crate::ErrorBody)))]
async fn open(State(app): State<App>, Body(body): Body<OpenBody>) -> ApiResult<Json<Done>> {
    let desktop = shell(&app)?;
    if !is_openable(&body.url) {
        return Err(ApiError::bad_request(
            "URL_REFUSED",
            "Only https addresses are opened",
        ));
    }
    desktop.open_url(&body.url).await.map_err(|reason| {
        ApiError::unavailable("OPEN_FAILED", "The browser could not be opened").with_details(reason)
    })?;
    Ok(Json(Done { ok: true }))
}

fn shell(app: &App) -> ApiResult<Arc<dyn Desktop>> {
    app.config().desktop.clone().ok_or_else(|| {
        let status = axum::http::StatusCode::NOT_IMPLEMENTED;
        ApiError::new(status, "NO_DESKTOP", "This server has no desktop around it")
    })
}

/// An address with a host and without spaces, control characters or quotes, so that no browser start can be misled.
fn is_openable(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    url.len() <= URL_LIMIT_BYTES
        && rest.starts_with(|first: char| first.is_ascii_alphanumeric())
        && url.chars().all(|c| {
            !c.is_control()
                && !c.is_whitespace()
                && !matches!(c, '"' | '\'' | '`' | '\\' | '<' | '>' | '^' | '|')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_are_opened() {
        assert!(is_openable("https://example.org/a?b=c#d"));
        for url in [
            "http://example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "https://-oProxyCommand=x",
            "https://a b",
            "https://a\n",
            "https://a\"&calc",
            "HTTPS://a",
        ] {
            assert!(!is_openable(url), "{url}");
        }
    }
}
