//! Whether the server is there, and on what it works.

use axum::Json;
use axum::extract::State;
use runicorn_experiments::metrics::CacheStats;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::metrics::DOCUMENTED_MAX_SIZE;
use crate::api::settings::StorageBackend;
use crate::app::App;
use crate::blocking::blocking_ok;
use crate::error::ApiResult;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_health))
}

/// The answer of `/api/health`.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// Always `ok`: a server that is not does not answer.
    status: &'static str,
    /// The storage root.
    storage: String,
    /// Our version.
    version: &'static str,
    /// Unix seconds.
    timestamp: f64,
    /// How runs are read.
    storage_backend: StorageBackend,
    cache: CacheState,
}

/// What the metric cache has done.
#[derive(Serialize, utoipa::ToSchema)]
struct CacheState {
    enabled: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    /// As text: `58.6%`.
    hit_rate: String,
    hits: u64,
    misses: u64,
    incremental_updates: u64,
    size: u64,
    max_size: u64,
}

impl From<CacheStats> for CacheState {
    fn from(stats: CacheStats) -> Self {
        let all = (stats.hits + stats.misses + stats.incremental_updates).max(1);
        Self {
            enabled: true,
            kind: "incremental",
            hit_rate: format!("{:.1}%", stats.hits as f64 / all as f64 * 100.0),
            hits: stats.hits,
            misses: stats.misses,
            incremental_updates: stats.incremental_updates,
            size: stats.size,
            max_size: DOCUMENTED_MAX_SIZE.max(stats.size),
        }
    }
}

/// Tells that the server is there.
#[utoipa::path(get, path = "/api/health", tag = "health", responses((status = 200, body = Health)))]
async fn show_health(State(app): State<App>) -> ApiResult<Json<Health>> {
    blocking_ok(move || {
        let store = app.store();
        Json(Health {
            status: "ok",
            storage: store.root().display().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            timestamp: unix_now(),
            storage_backend: StorageBackend::of(store.state().source),
            cache: app.metrics().stats().into(),
        })
    })
    .await
}

/// Now, in Unix seconds.
pub(crate) fn unix_now() -> f64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
