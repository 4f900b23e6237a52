//! Logs by what their lines say of themselves: those of a level and a stretch of time, and the line nearest to a time. Reading a long log
//! ends in time; the server keeps the place, and the same question goes on from there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use runicorn_experiments::StoreError;
use runicorn_experiments::logs::{
    FilteredLine, FilteredQuestion, FilteredStart, Level, LogClock, LogFilter, ReadLimits, time_of,
    words_of_time,
};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::logs::{Cancel, has_ended};
use crate::app::App;
use crate::blocking::blocking;
use crate::error::ApiResult;
use crate::validate::{Fields, Params, Shape, UrlPath};

/// One answer comes after so long at the latest, so that the page can say how far it is.
const STEP_TIME: Duration = Duration::from_millis(700);
/// Looking for a time reads once through everything, or ends here.
const NEAREST_TIME: Duration = Duration::from_secs(10);
const MAX_LINES: i64 = 5000;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_filtered))
        .routes(routes!(show_nearest))
}

/// The filter among the fields of a question.
pub(super) fn filter_of(fields: &mut Fields<'_>) -> LogFilter {
    let level = fields.optional_text("level").and_then(|word| {
        let level = Level::parse(&word);
        if level.is_none() {
            fields.refuse(
                "level",
                "Input should be 'debug', 'info', 'warning', 'error' or 'critical'",
            );
        }
        level
    });
    LogFilter {
        level,
        since: time_field(fields, "since"),
        until: time_field(fields, "until"),
    }
}

/// A time; what is named to the second or to the minute ends with it.
fn time_field(fields: &mut Fields<'_>, name: &str) -> Option<f64> {
    let text = fields.optional_text(name)?;
    let rest = match (name, text.parse::<f64>()) {
        ("until", Err(_)) if text.matches(':').count() < 2 => 59.999,
        ("until", Err(_)) => 0.999,
        _ => 0.0,
    };
    let time = time_of(&text).map(|time| time + rest);
    if time.is_none() {
        fields.refuse(
            name,
            "Input should be Unix seconds or a time like 2026-01-31T23:59:59",
        );
    }
    time
}

/// How the times in the log of a run are read.
pub(super) fn clock_of(app: &App, run_id: &str) -> LogClock {
    let list = app.store().list();
    let created_at = list
        .get(run_id)
        .filter(|row| !row.created_at_is_guess)
        .map(|row| row.created_at);
    LogClock::of_run(run_id, created_at)
}

struct FilterParams {
    filter: LogFilter,
    from: i64,
    line: Option<i64>,
    tail: Option<i64>,
    count: i64,
}

impl Shape for FilterParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            filter: filter_of(fields),
            from: fields.int_or("from", 0..=i64::MAX, 0),
            line: fields.optional_int("line", 0..=i64::MAX),
            tail: fields.optional_int("tail", 0..=MAX_LINES),
            count: fields.int_or("count", 0..=MAX_LINES, 1000),
        }
    }
}

/// Some of the lines that a filter shows.
#[derive(Serialize, utoipa::ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four questions with yes or no for an answer"
)]
struct FilteredAnswer {
    run: String,
    /// Whether there is a log at all.
    exists: bool,
    /// Lines looked at so far.
    read_lines: u64,
    /// Bytes looked at so far.
    read_bytes: u64,
    total_bytes: u64,
    /// False when time was up: the same question goes on.
    complete: bool,
    /// Of the lines looked at, those that the filter shows.
    shown_lines: u64,
    /// Whether any line carries a time.
    has_times: bool,
    /// Whether any line carries a level.
    has_levels: bool,
    /// Place of the first line given among the shown ones; the first is 0.
    first: u64,
    lines: Vec<FilteredLineAnswer>,
}

/// A line that is shown.
#[derive(Serialize, utoipa::ToSchema)]
struct FilteredLineAnswer {
    /// Its number in the log; the first is 0.
    line: u64,
    /// As recorded.
    text: String,
    /// Whether it was too long and ends in a mark.
    cut: bool,
    /// `debug`, `info`, `warning`, `error` or `critical`.
    level: Option<&'static str>,
    /// Unix seconds, of the line itself or of the last one before that carries a time.
    time: Option<f64>,
    /// The same on the clock of this machine, as `since` and `until` take it.
    clock: Option<String>,
    /// Whether the time is the line's own.
    own_time: bool,
}

impl From<FilteredLine> for FilteredLineAnswer {
    fn from(line: FilteredLine) -> Self {
        Self {
            line: line.line,
            text: line.text,
            cut: line.is_cut,
            level: line.facts.level.map(Level::word),
            time: line.facts.time,
            clock: line.facts.time.and_then(words_of_time),
            own_time: line.facts.has_own_time,
        }
    }
}

/// Lines of a log of a level and of a stretch of time. The level is the word near the start of a line; indented lines and tracebacks belong
/// to the line above. Times without a zone are those of this machine's zone.
#[utoipa::path(get, path = "/api/log-filter/{run_id}", operation_id = "filter_log", tag = "logs",
    params(("run_id" = String, Path),
        ("level" = Option<String>, Query, description = "This serious or more: `debug`, `info`, `warning`, `error` or `critical`"),
        ("since" = Option<String>, Query, description = "Unix seconds, or a time on the clock of this machine like `2026-01-31T23:59:59`"),
        ("until" = Option<String>, Query, description = "As `since`; all of the minute or the second that it names is shown"),
        ("from" = Option<u64>, Query, description = "Place of the first line among the shown ones; default 0"),
        ("line" = Option<u64>, Query, description = "From the first shown line at or after this one of the log instead"),
        ("tail" = Option<u64>, Query, description = "The last lines instead, at most 5000"),
        ("count" = Option<u64>, Query, description = "At most 5000; default 1000")),
    responses((status = 200, body = FilteredAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_filtered(
    State(app): State<App>,
    Params(params): Params<FilterParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<FilteredAnswer>> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _stops_reading = Cancel(Arc::clone(&cancelled));
    blocking(move || {
        let run = app.store().find(&run_id)?;
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        let (start, count) = match (params.tail, params.line) {
            (Some(count), _) => (FilteredStart::Tail, count),
            (None, Some(line)) => (FilteredStart::Line(number(line)), params.count),
            (None, None) => (FilteredStart::Place(number(params.from)), params.count),
        };
        let clock = clock_of(&app, &run_id);
        let question = FilteredQuestion {
            filter: params.filter,
            clock: &clock,
            start,
            count: usize::try_from(count).unwrap_or(0),
            is_ended: has_ended(&app, &run_id),
        };
        let limits = ReadLimits {
            time: STEP_TIME,
            is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        };
        let page = app.logs().filtered(&run, &question, &limits)?;
        Ok::<_, StoreError>(Json(FilteredAnswer {
            run: run_id,
            exists: page.exists,
            read_lines: page.read_lines,
            read_bytes: page.read_bytes,
            total_bytes: page.total_bytes,
            complete: page.complete,
            shown_lines: page.shown_lines,
            has_times: page.said.times,
            has_levels: page.said.levels,
            first: page.first,
            lines: page.lines.into_iter().map(Into::into).collect(),
        }))
    })
    .await
}

struct NearestParams {
    time: Option<f64>,
}

impl Shape for NearestParams {
    fn read(fields: &mut Fields<'_>) -> Self {
        let time = fields.optional_float("time");
        if time.is_none() {
            fields.refuse("time", "Field required");
        }
        Self { time }
    }
}

/// The line of a log that was written nearest to a time.
#[derive(Serialize, utoipa::ToSchema)]
struct NearestAnswer {
    run: String,
    /// Null when no line carries a time.
    line: Option<u64>,
    /// Of that line, in Unix seconds.
    time: Option<f64>,
    /// False when the log is longer than what was looked at.
    complete: bool,
}

/// The line of a log whose own time is nearest to one; of several the first.
#[utoipa::path(get, path = "/api/log-nearest/{run_id}", operation_id = "nearest_log_line", tag = "logs",
    params(("run_id" = String, Path), ("time" = f64, Query, description = "Unix seconds")),
    responses((status = 200, body = NearestAnswer), (status = 404, body = crate::ErrorBody)))]
async fn show_nearest(
    State(app): State<App>,
    Params(params): Params<NearestParams>,
    UrlPath(run_id): UrlPath<String>,
) -> ApiResult<Json<NearestAnswer>> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _stops_reading = Cancel(Arc::clone(&cancelled));
    blocking(move || {
        let run = app.store().find(&run_id)?;
        let limits = ReadLimits {
            time: NEAREST_TIME,
            is_cancelled: &|| cancelled.load(Ordering::Relaxed),
        };
        let clock = clock_of(&app, &run_id);
        let time = params.time.unwrap_or_default();
        let (found, complete) = app.logs().nearest(&run, &clock, time, &limits)?;
        Ok::<_, StoreError>(Json(NearestAnswer {
            run: run_id,
            line: found.map(|found| found.line),
            time: found.map(|found| found.time),
            complete,
        }))
    })
    .await
}
