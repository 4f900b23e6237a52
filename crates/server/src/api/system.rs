//! What the host does.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use runicorn_telemetry::{DiskSample, HostReading, Sensor};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_monitor))
        .routes(routes!(show_temperatures))
}

/// Shows processors, memory and disk. The numbers are those of the newest look; a request never waits for one but the first.
#[utoipa::path(get, path = "/api/system/monitor", tag = "system", responses((status = 200, body = Object)))]
async fn show_monitor(State(app): State<App>) -> Json<Value> {
    Json(match app.telemetry().host().await {
        Some(host) => monitor_of(&host),
        None => json!({"available": false, "reason": "This system tells nothing about itself"}),
    })
}

fn monitor_of(host: &HostReading) -> Value {
    let (cpu, memory) = (&host.cpu, &host.memory);
    let frequency = cpu
        .frequency
        .map(|mhz| json!({"current": mhz.current_mhz, "min": mhz.min_mhz, "max": mhz.max_mhz}));
    json!({
        "available": true,
        "ts": host.taken_at,
        "cpu": {
            "percent": cpu.percent,
            "count": cpu.count.unwrap_or(cpu.logical_count),
            "logical_count": cpu.logical_count,
            "per_core": cpu.per_core_percent,
            "frequency": frequency,
            "load_avg": cpu.load_average,
        },
        "memory": {
            "total": memory.total_bytes,
            "available": memory.available_bytes,
            "used": memory.used_bytes,
            "percent": memory.percent,
            "swap_total": memory.swap_total_bytes,
            "swap_used": memory.swap_used_bytes,
            "swap_percent": memory.swap_percent,
        },
        "disk": host.disk.as_ref().map_or_else(|| json!({}), disk_of),
        "platform": {"system": host.system, "release": host.release, "machine": host.machine},
    })
}

fn disk_of(disk: &DiskSample) -> Value {
    let io = disk.io.map(|io| {
        json!({
            "read_bytes": io.read_bytes,
            "write_bytes": io.write_bytes,
            "read_count": io.read_count,
            "write_count": io.write_count,
        })
    });
    json!({
        "path": disk.path,
        "total": disk.total_bytes,
        "used": disk.used_bytes,
        "free": disk.free_bytes,
        "percent": disk.percent,
        "io": io,
    })
}

/// Temperatures by chip, or why there are none.
#[derive(Serialize, utoipa::ToSchema)]
struct Temperatures {
    available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensors: Option<BTreeMap<String, Vec<Temperature>>>,
}

/// One temperature in degrees Celsius.
#[derive(Serialize, utoipa::ToSchema)]
struct Temperature {
    label: String,
    current: Option<f64>,
    high: Option<f64>,
    critical: Option<f64>,
}

impl From<&Sensor> for Temperature {
    fn from(sensor: &Sensor) -> Self {
        Self {
            label: sensor.label.clone(),
            current: sensor.current_celsius,
            high: sensor.high_celsius,
            critical: sensor.critical_celsius,
        }
    }
}

/// Shows the temperatures that this machine measures.
#[utoipa::path(get, path = "/api/system/temperatures", tag = "system", responses((status = 200, body = Temperatures)))]
async fn show_temperatures(State(app): State<App>) -> Json<Temperatures> {
    let host = app.telemetry().host().await;
    let sensors: BTreeMap<String, Vec<Temperature>> = host
        .iter()
        .flat_map(|host| &host.sensors)
        .map(|(chip, sensors)| {
            (
                chip.clone(),
                sensors.iter().map(Temperature::from).collect(),
            )
        })
        .collect();
    if sensors.is_empty() {
        let reason = Some("Temperature sensors not available");
        return Json(Temperatures {
            available: false,
            reason,
            sensors: None,
        });
    }
    Json(Temperatures {
        available: true,
        reason: None,
        sensors: Some(sensors),
    })
}
