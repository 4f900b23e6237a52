//! The document of the API. It is built from the routes; `openapi.json` beside this crate is its committed copy, from which the
//! page's types are generated. [`crate::docs_pages`] shows it.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use crate::app::App;
use crate::router;

/// The document without routes.
pub(crate) fn empty() -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").build();
    let info = InfoBuilder::new()
        .title("Runicorn Desktop")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Runicorn's documented API and the routes of the desktop page. Every failure has one body: `ErrorBody`.",
        ))
        .license(Some(license))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// The whole document, as `/openapi.json` serves it.
pub fn document() -> OpenApi {
    router::routes().into_openapi()
}

/// `/openapi.json`.
pub(crate) fn routes(document: &OpenApi) -> Router<App> {
    let json: Bytes = serde_json::to_vec(document).unwrap_or_default().into();
    Router::new().route(
        "/openapi.json",
        get(move || {
            let json = json.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], json) }
        }),
    )
}
