//! Every route, one line per room.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::ApiError;
use crate::{api, openapi, ui_files};

/// All routes with their documentation.
pub(crate) fn routes() -> OpenApiRouter<App> {
    let routes = OpenApiRouter::with_openapi(openapi::empty())
        .merge(api::health::routes())
        .merge(api::logs::routes())
        .merge(api::log_filter::routes())
        .merge(api::metrics::routes())
        .merge(api::run_metrics::routes())
        .merge(api::series::routes())
        .merge(api::moment::routes())
        .merge(api::runs::routes())
        .merge(api::run_list::routes())
        .merge(api::run_values::routes())
        .merge(api::annotations::routes())
        .merge(api::paths::routes())
        .merge(api::samples::routes())
        .merge(api::experiments::routes())
        .merge(api::experiment_metrics::routes())
        .merge(api::settings::routes())
        .merge(api::alerts::routes())
        .merge(api::desktop::routes())
        .merge(api::live::routes())
        .merge(api::retired::routes())
        .merge(api::recycle_bin::routes())
        .merge(api::edits::routes())
        .merge(api::assets::routes())
        .merge(api::asset_list::routes())
        .merge(api::media::routes())
        .merge(api::transfer::routes())
        .merge(api::artifacts::routes())
        .merge(api::gpus::routes())
        .merge(api::run_gpus::routes())
        .merge(api::system::routes())
        .merge(api::diagnostics::routes());
    #[cfg(feature = "hosts")]
    let routes = routes.merge(api::hosts::routes());
    routes
}

/// The routes, ready to be called.
pub(crate) fn build(app: App) -> Router {
    let (routes, document) = routes().split_for_parts();
    let routes = routes.merge(openapi::routes(&document));
    #[cfg(feature = "docs")]
    let routes = routes.merge(crate::docs_pages::routes());
    let routes = routes
        .fallback(anything_else)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app);
    with_layers(routes)
}

/// What stands around every handler.
fn with_layers(routes: Router) -> Router {
    routes
        .layer(crate::compression::layer())
        .layer(CatchPanicLayer::custom(
            |_panic: Box<dyn std::any::Any + Send>| {
                ApiError::internal("a handler panicked").into_response()
            },
        ))
}

/// True where an unknown path is answered as JSON and never with the page.
pub(crate) fn is_api_path(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// The answer to a path that nobody serves.
pub(crate) fn unknown(method: &Method) -> Response {
    if *method == Method::GET || *method == Method::HEAD {
        return ApiError::unknown_route().into_response();
    }
    let mut response = ApiError::method_not_allowed().into_response();
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

async fn anything_else(State(_app): State<App>, request: Request) -> Response {
    if request.headers().contains_key(header::UPGRADE) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if is_api_path(request.uri().path()) || !matches!(*request.method(), Method::GET | Method::HEAD)
    {
        return unknown(request.method());
    }
    ui_files::answer(&request)
}

/// A GET of a path that only takes other methods is an unknown page, as with the documented server.
async fn wrong_method(method: Method) -> Response {
    if method == Method::GET {
        return ApiError::unknown_route().into_response();
    }
    ApiError::method_not_allowed().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn broken() -> &'static str {
        panic!("secret insides")
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_a_500_with_the_error_body_and_without_insides() {
        let routes = with_layers(Router::new().route("/", get(broken)));
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "INTERNAL");
        assert!(!body.to_string().contains("secret"));
    }
}
