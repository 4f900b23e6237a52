//! What the GPUs did while a run ran: their history cut to the run's time, for the cards that its process used where that is known.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use runicorn_experiments::{RunDetail, RunStatus};
use runicorn_telemetry::{GpuReading, GpuSample, GpuState, Minute, MinuteGpu};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::health::unix_now;
use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// A chart needs no more readings.
const MOST_READINGS: i64 = 5000;
/// What a chart is given when it does not say.
const READINGS: i64 = 1000;
/// A mean stands for the minute around it.
const HALF_MINUTE_SECS: f64 = 30.0;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_run_gpus))
}

struct TimeParams {
    since: Option<f64>,
    until: Option<f64>,
    limit: i64,
}

impl Shape for TimeParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            since: fields.optional_float("since"),
            until: fields.optional_float("until"),
            limit: fields.int_or("limit", 1..=MOST_READINGS, READINGS),
        }
    }
}

/// The GPUs of a run's time.
#[derive(Serialize, utoipa::ToSchema)]
struct RunGpus {
    run: String,
    /// The time that is answered for, in Unix seconds.
    since: f64,
    until: f64,
    /// How the cards were found: `process` (the run's process held them), `environment` (its `CUDA_VISIBLE_DEVICES`), or `all`.
    chosen_by: &'static str,
    /// Why there is nothing: `other_host`, `off`, `no_driver` or `no_readings`.
    reason: Option<&'static str>,
    /// The host's name, or what the driver's absence is called.
    detail: Option<String>,
    gpus: Vec<GpuLine>,
}

/// One card: a value for each time, null where it was not told.
#[derive(Serialize, utoipa::ToSchema)]
struct GpuLine {
    index: u32,
    uuid: Option<String>,
    name: String,
    /// Unix seconds, rising.
    ts: Vec<f64>,
    util_gpu: Vec<Option<f64>>,
    mem_used_pct: Vec<Option<f64>>,
    temp_c: Vec<Option<f64>>,
    power_w: Vec<Option<f64>>,
}

/// Shows what the GPUs did while a run ran, or in a part of that time: single readings of the last hours, one-minute means before.
#[utoipa::path(get, path = "/api/run-gpus/{id}", tag = "gpus",
    params(("id" = String, Path),
        ("since" = Option<f64>, Query, description = "Unix seconds; the run's start when absent"),
        ("until" = Option<f64>, Query, description = "Unix seconds; the run's end, or now, when absent"),
        ("limit" = Option<i64>, Query, description = "Most single readings of a card")),
    responses((status = 200, body = RunGpus), (status = 404, body = crate::ErrorBody)))]
async fn show_run_gpus(
    State(app): State<App>,
    UrlPath(id): UrlPath<String>,
    Params(params): Params<TimeParams>,
) -> ApiResult<Json<RunGpus>> {
    let now = app.telemetry().gpus().await;
    blocking(move || {
        let store = app.store();
        let detail = store.detail(&id)?;
        let (began, ended) = time_of(&detail);
        let mut answer = RunGpus {
            run: id,
            since: params.since.unwrap_or(began),
            until: params.until.unwrap_or(ended),
            chosen_by: "all",
            reason: None,
            detail: None,
            gpus: Vec::new(),
        };
        let host = detail.row.hostname.clone().unwrap_or_default();
        if !host.is_empty() && host != store.host_name() {
            answer.reason = Some("other_host");
            answer.detail = Some(host);
            return Ok::<_, ApiError>(Json(answer));
        }
        let limit = usize::try_from(params.limit).unwrap_or(1);
        let telemetry = app.telemetry();
        let readings = telemetry.history_between(answer.since, answer.until, limit);
        let minutes = minutes_between(
            telemetry.minutes(began.min(answer.since) - 60.0),
            ended.max(answer.until),
        );
        let of_run = |minute: &&Minute| minute.ts + 60.0 >= began && minute.ts <= ended;
        let run_minutes: Vec<&Minute> = minutes.iter().filter(of_run).collect();
        let cards = cards_of(&detail, &run_minutes, &now);
        answer.chosen_by = cards.word();
        answer.gpus = lines_of(&minutes, &readings, &cards, answer.since, answer.until);
        if answer.gpus.is_empty() {
            (answer.reason, answer.detail) = reason_of(&now.state, telemetry.plan().enabled);
        }
        Ok(Json(answer))
    })
    .await
}

/// From when to when the run ran, as far as its files tell.
fn time_of(detail: &RunDetail) -> (f64, f64) {
    let row = &detail.row;
    let began = row.started_at.unwrap_or(row.created_at);
    let ended = row.ended_at.or(match row.state() {
        RunStatus::Running => Some(unix_now()),
        _ => row.last_write_at,
    });
    (began, ended.unwrap_or(began).max(began))
}

fn minutes_between(mut minutes: Vec<Minute>, until: f64) -> Vec<Minute> {
    minutes.retain(|minute| minute.ts <= until);
    minutes
}

fn reason_of(state: &GpuState, is_on: bool) -> (Option<&'static str>, Option<String>) {
    match state {
        GpuState::Absent { reason } => (Some("no_driver"), Some(reason.clone())),
        GpuState::Present(_) if !is_on => (Some("off"), None),
        GpuState::Present(_) => (Some("no_readings"), None),
    }
}

/// A card: its uuid stays when the numbers change.
type CardKey = Result<String, u32>;

fn key(uuid: Option<&String>, index: u32) -> CardKey {
    uuid.cloned().ok_or(index)
}

/// The cards that are shown.
enum Cards {
    /// Those that the run's process held.
    OfProcess(BTreeSet<CardKey>),
    /// Those that the run was told to see.
    Visible(Vec<String>),
    All,
}

impl Cards {
    fn word(&self) -> &'static str {
        match self {
            Self::OfProcess(_) => "process",
            Self::Visible(_) => "environment",
            Self::All => "all",
        }
    }

    fn has(&self, uuid: Option<&String>, index: u32) -> bool {
        match self {
            Self::All => true,
            Self::OfProcess(cards) => cards.contains(&key(uuid, index)),
            Self::Visible(names) => names.iter().any(|name| {
                let is_uuid =
                    name.starts_with("GPU-") && uuid.is_some_and(|uuid| uuid.starts_with(name));
                is_uuid || name.parse() == Ok(index)
            }),
        }
    }
}

/// The cards that the run's process held at any time of the run; else those that it was told to see; else all.
fn cards_of(detail: &RunDetail, minutes: &[&Minute], now: &GpuReading) -> Cards {
    let pid = detail.row.pid.and_then(|pid| u32::try_from(pid).ok());
    if let Some(pid) = pid {
        let past = minutes.iter().flat_map(|minute| &minute.gpus);
        let held = past.filter(|gpu| gpu.pids.contains(&pid));
        let mut cards: BTreeSet<CardKey> =
            held.map(|gpu| key(gpu.uuid.as_ref(), gpu.index)).collect();
        if let (RunStatus::Running, GpuState::Present(gpus)) = (detail.row.state(), &now.state) {
            let holds = |gpu: &&GpuSample| gpu.processes.iter().any(|process| process.pid == pid);
            let held = gpus.iter().filter(holds);
            cards.extend(held.map(|gpu| key(gpu.uuid.as_ref(), gpu.index)));
        }
        if !cards.is_empty() {
            return Cards::OfProcess(cards);
        }
    }
    let variables = detail.environment.as_ref().and_then(|environment| {
        environment
            .get("env_variables")?
            .get("CUDA_VISIBLE_DEVICES")
    });
    let names: Vec<String> = variables
        .and_then(|text| text.as_str())
        .into_iter()
        .flat_map(|text| text.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| name.starts_with("GPU-") || name.parse::<u32>().is_ok())
        .collect();
    if names.is_empty() {
        Cards::All
    } else {
        Cards::Visible(names)
    }
}

/// Means as far as there are no single readings, then these.
fn lines_of(
    minutes: &[Minute],
    readings: &[GpuReading],
    cards: &Cards,
    since: f64,
    until: f64,
) -> Vec<GpuLine> {
    let mut lines = Vec::new();
    let finer = readings
        .first()
        .map_or(f64::INFINITY, |reading| reading.taken_at);
    for minute in minutes {
        let at = minute.ts + HALF_MINUTE_SECS;
        if at < since || at > until || minute.ts + 2.0 * HALF_MINUTE_SECS > finer {
            continue;
        }
        for gpu in &minute.gpus {
            if cards.has(gpu.uuid.as_ref(), gpu.index) {
                line_of(&mut lines, gpu.index, gpu.uuid.as_ref(), &gpu.name).push_mean(at, gpu);
            }
        }
    }
    for reading in readings {
        let GpuState::Present(gpus) = &reading.state else {
            continue;
        };
        for gpu in gpus {
            if cards.has(gpu.uuid.as_ref(), gpu.index) {
                line_of(&mut lines, gpu.index, gpu.uuid.as_ref(), &gpu.name)
                    .push(reading.taken_at, gpu);
            }
        }
    }
    lines.sort_by_key(|line| line.index);
    lines
}

fn line_of<'a>(
    lines: &'a mut Vec<GpuLine>,
    index: u32,
    uuid: Option<&String>,
    name: &str,
) -> &'a mut GpuLine {
    let wanted = key(uuid, index);
    let found = lines
        .iter()
        .position(|line| key(line.uuid.as_ref(), line.index) == wanted);
    let at = found.unwrap_or_else(|| {
        lines.push(GpuLine {
            index,
            uuid: uuid.cloned(),
            name: name.to_owned(),
            ts: Vec::new(),
            util_gpu: Vec::new(),
            mem_used_pct: Vec::new(),
            temp_c: Vec::new(),
            power_w: Vec::new(),
        });
        lines.len() - 1
    });
    &mut lines[at]
}

impl GpuLine {
    fn push_mean(&mut self, at: f64, gpu: &MinuteGpu) {
        let total = gpu.mem_total_mib.filter(|total| *total > 0.0);
        self.ts.push(at);
        self.util_gpu.push(gpu.util_gpu_percent);
        self.mem_used_pct.push(
            gpu.mem_used_mib
                .zip(total)
                .map(|(used, total)| used / total * 100.0),
        );
        self.temp_c.push(gpu.temperature_celsius);
        self.power_w.push(gpu.power_watts);
    }

    fn push(&mut self, at: f64, gpu: &GpuSample) {
        self.ts.push(at);
        self.util_gpu.push(gpu.util_gpu_percent);
        self.mem_used_pct.push(gpu.mem_used_percent());
        self.temp_c.push(gpu.temperature_celsius);
        self.power_w.push(gpu.power_watts);
    }
}
