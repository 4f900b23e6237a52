//! The two pages that show the API's document: `/docs` and `/redoc`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::app::App;
use crate::error::ApiError;
use crate::ui_files;

/// Both pages bring their own styles and draw with inline ones; scripts stay files of ours.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; worker-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const SWAGGER_PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Runicorn Desktop API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>
"#;

const SWAGGER_START: &str = r##"window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"##;

const REDOC_PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Runicorn Desktop API</title></head>
<body><redoc spec-url="/openapi.json"></redoc>
<script src="/redoc.standalone.js"></script></body></html>
"#;

/// Both pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/docs", get(|| std::future::ready(page(SWAGGER_PAGE))))
        .route("/docs/{file}", get(swagger_file))
        .route("/redoc", get(redoc))
}

fn page(html: &'static str) -> Response {
    let policy = HeaderValue::from_static(PAGE_POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

async fn redoc() -> Response {
    if ui_files::exists("redoc.standalone.js") {
        return page(REDOC_PAGE);
    }
    ApiError::unavailable(
        "UI_NOT_BUILT",
        "The page was not built with this server; see /docs",
    )
    .into_response()
}

async fn swagger_file(Path(file): Path<String>) -> Response {
    if file == "start.js" {
        return ([(header::CONTENT_TYPE, "text/javascript")], SWAGGER_START).into_response();
    }
    match utoipa_swagger_ui::serve(
        &file,
        Arc::new(utoipa_swagger_ui::Config::from("/openapi.json")),
    ) {
        Ok(Some(found)) => (
            [(header::CONTENT_TYPE, found.content_type)],
            found.bytes.into_owned(),
        )
            .into_response(),
        _ => ApiError::unknown_route().into_response(),
    }
}
