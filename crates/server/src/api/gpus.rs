//! What the GPUs do, and did.

use axum::Json;
use axum::extract::State;
use runicorn_telemetry::{GpuProcess, GpuReading, GpuSample, GpuState, HistoryPlan, Minute};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::preferences::GpuHistorySettings;
use crate::validate::{Body, Fields, Params, Shape};

const BYTES_PER_MIB: f64 = 1_048_576.0;
/// A plot needs no more; whoever wants each one asks with `limit`.
const HISTORY_SAMPLES: i64 = 5000;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_gpus))
        .routes(routes!(show_gpus_short))
        .routes(routes!(show_history))
        .routes(routes!(show_minutes))
        .routes(routes!(show_history_config, set_history_config))
}

/// The GPUs now, or why there are none.
#[derive(Serialize, utoipa::ToSchema)]
struct Telemetry {
    available: bool,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Unix seconds.
    ts: f64,
    gpus: Vec<GpuNow>,
}

/// One GPU; what it does not tell is null.
#[derive(Serialize, utoipa::ToSchema)]
struct GpuNow {
    index: u32,
    name: String,
    uuid: Option<String>,
    util_gpu: Option<f64>,
    util_mem: Option<f64>,
    mem_total_mib: Option<f64>,
    mem_used_mib: Option<f64>,
    temp_c: Option<f64>,
    power_w: Option<f64>,
    power_limit_w: Option<f64>,
    clock_sm_mhz: Option<f64>,
    clock_mem_mhz: Option<f64>,
    /// `P0` is the fastest state.
    pstate: Option<String>,
    fan_speed_pct: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mem_used_pct: Option<f64>,
    processes: Vec<Process>,
}

/// A process on a GPU.
#[derive(Serialize, utoipa::ToSchema)]
struct Process {
    pid: u32,
    program: Option<String>,
    user: Option<String>,
    used_mib: Option<f64>,
}

impl From<&GpuReading> for Telemetry {
    fn from(reading: &GpuReading) -> Self {
        let (reason, gpus) = match &reading.state {
            GpuState::Absent { reason } => (Some(reason.clone()), Vec::new()),
            GpuState::Present(gpus) => (None, gpus.iter().map(GpuNow::from).collect()),
        };
        Self {
            available: reason.is_none(),
            reason,
            ts: reading.taken_at,
            gpus,
        }
    }
}

impl From<&GpuSample> for GpuNow {
    fn from(sample: &GpuSample) -> Self {
        Self {
            index: sample.index,
            name: sample.name.clone(),
            uuid: sample.uuid.clone(),
            util_gpu: sample.util_gpu_percent,
            util_mem: sample.util_mem_percent,
            mem_total_mib: sample.mem_total_mib,
            mem_used_mib: sample.mem_used_mib,
            temp_c: sample.temperature_celsius,
            power_w: sample.power_watts,
            power_limit_w: sample.power_limit_watts,
            clock_sm_mhz: sample.clock_sm_mhz,
            clock_mem_mhz: sample.clock_mem_mhz,
            pstate: sample.performance_state.map(|state| format!("P{state}")),
            fan_speed_pct: sample.fan_speed_percent,
            mem_used_pct: sample.mem_used_percent(),
            processes: sample.processes.iter().map(Process::from).collect(),
        }
    }
}

impl From<&GpuProcess> for Process {
    fn from(process: &GpuProcess) -> Self {
        Self {
            pid: process.pid,
            program: process.program.clone(),
            user: process.user.clone(),
            used_mib: process.used_bytes.map(|bytes| bytes as f64 / BYTES_PER_MIB),
        }
    }
}

/// Shows the GPUs now.
#[utoipa::path(get, path = "/api/gpu/telemetry", tag = "gpus", responses((status = 200, body = Telemetry)))]
async fn show_gpus(State(app): State<App>) -> Json<Telemetry> {
    Json(Telemetry::from(&*app.telemetry().gpus().await))
}

/// The same under the name that the 0.6 client uses.
#[utoipa::path(get, path = "/api/gpu", tag = "gpus", responses((status = 200, body = Telemetry)))]
async fn show_gpus_short(state: State<App>) -> Json<Telemetry> {
    show_gpus(state).await
}

struct HistoryParams {
    since: Option<f64>,
    limit: i64,
}

impl Shape for HistoryParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            since: fields.optional_float("since"),
            limit: fields.int_or("limit", 1..=1_000_000, HISTORY_SAMPLES),
        }
    }
}

/// What the GPUs did since the server started, at most 24 hours (or as configured).
#[derive(Serialize, utoipa::ToSchema)]
struct History {
    available: bool,
    enabled: bool,
    samples: Vec<Telemetry>,
}

/// Shows what the GPUs did; thinned evenly to `limit` readings.
#[utoipa::path(get, path = "/api/gpu/telemetry/history", tag = "gpus",
    params(("since" = Option<f64>, Query, description = "Unix seconds"), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = History)))]
async fn show_history(
    State(app): State<App>,
    Params(params): Params<HistoryParams>,
) -> ApiResult<Json<History>> {
    let limit = usize::try_from(params.limit).unwrap_or(1);
    blocking(move || {
        let telemetry = app.telemetry();
        let readings = telemetry.history(params.since.unwrap_or(0.0), limit);
        let samples: Vec<Telemetry> = readings.iter().map(Telemetry::from).collect();
        Ok::<_, ApiError>(Json(History {
            available: !samples.is_empty(),
            enabled: telemetry.plan().enabled,
            samples,
        }))
    })
    .await
}

/// One-minute means, kept across restarts.
#[derive(Serialize, utoipa::ToSchema)]
struct Minutes {
    #[schema(value_type = Vec<Object>)]
    minutes: Vec<Minute>,
}

/// Shows one-minute means of the GPUs from a time on (the last day when none is named).
#[utoipa::path(get, path = "/api/gpu/telemetry/minutes", tag = "gpus",
    params(("since" = Option<f64>, Query, description = "Unix seconds")), responses((status = 200, body = Minutes)))]
async fn show_minutes(
    State(app): State<App>,
    Params(params): Params<HistoryParams>,
) -> ApiResult<Json<Minutes>> {
    let since = params
        .since
        .unwrap_or_else(|| crate::api::health::unix_now() - 86_400.0);
    let minutes = blocking(move || Ok::<_, ApiError>(app.telemetry().minutes(since))).await?;
    Ok(Json(Minutes { minutes }))
}

/// How GPU history is kept.
#[derive(Serialize, utoipa::ToSchema)]
struct HistoryConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    enabled: bool,
    interval_sec: f64,
    max_duration_h: f64,
}

impl HistoryConfig {
    fn of(plan: HistoryPlan, ok: Option<bool>) -> Json<Self> {
        Json(Self {
            ok,
            enabled: plan.enabled,
            interval_sec: plan.interval_secs,
            max_duration_h: plan.keep_secs / 3600.0,
        })
    }
}

/// Shows how GPU history is kept.
#[utoipa::path(get, path = "/api/gpu/telemetry/config", tag = "gpus", responses((status = 200, body = HistoryConfig)))]
async fn show_history_config(State(app): State<App>) -> Json<HistoryConfig> {
    HistoryConfig::of(app.telemetry().plan(), None)
}

struct HistoryConfigBody {
    enabled: Option<bool>,
    interval_sec: Option<f64>,
    max_duration_h: Option<f64>,
}

impl Shape for HistoryConfigBody {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            enabled: fields.optional_flag("enabled"),
            interval_sec: fields.optional_float("interval_sec"),
            max_duration_h: fields.optional_float("max_duration_h"),
        }
    }
}

/// Changes how GPU history is kept, at once; numbers out of bounds are moved to the nearest that is possible.
#[utoipa::path(post, path = "/api/gpu/telemetry/config", tag = "gpus", request_body = Object,
    responses((status = 200, body = HistoryConfig)))]
async fn set_history_config(
    State(app): State<App>,
    Body(body): Body<HistoryConfigBody>,
) -> ApiResult<Json<HistoryConfig>> {
    blocking(move || {
        let current = app.telemetry().plan();
        let plan = app.telemetry().set_plan(HistoryPlan {
            enabled: body.enabled.unwrap_or(current.enabled),
            interval_secs: body.interval_sec.unwrap_or(current.interval_secs),
            keep_secs: body
                .max_duration_h
                .map_or(current.keep_secs, |hours| hours * 3600.0),
        });
        app.preferences().set_gpu_history(GpuHistorySettings {
            enabled: plan.enabled,
            interval_sec: plan.interval_secs,
            max_duration_h: plan.keep_secs / 3600.0,
        })?;
        Ok::<_, ApiError>(HistoryConfig::of(plan, Some(true)))
    })
    .await
}
