//! Series for charts: metrics over an axis, reduced to the pixels that will show them. Every line of the file counts here, and with a cursor
//! only new points travel.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use runicorn_experiments::metrics::{
    Axis, Columns, Cursor, LastPoint, NonFinite, Series, SeriesSource, SeriesView, Smoothing,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::run_metrics::{MAX_RUNS, is_live};
use super::series_groups::{BandKind, GroupSeries, MOST_MEMBERS, group_series};
use crate::app::App;
use crate::blocking::blocking;
use crate::compression::SentAsIs;
use crate::error::{ApiError, ApiResult};
use crate::validate::Typed;

/// More series than a page can show.
const MAX_SERIES: usize = 20_000;
const MAX_WIDTH_PX: usize = 8192;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_series))
}

/// Which series, over what, for how wide a chart.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
struct SeriesQuestion {
    runs: Vec<String>,
    metrics: Vec<String>,
    /// `step`, `relative_step`, `wall_time`, `relative_time` or `metric:<name>`.
    #[serde(default = "default_axis")]
    x: String,
    /// Left edge of the window; the first point when absent.
    #[serde(default)]
    from: Option<f64>,
    /// Right edge of the window; the last point when absent.
    #[serde(default)]
    to: Option<f64>,
    /// Width of the drawing in device pixels, 1 to 8192; a point stands at the nearest of its columns, 0 to this.
    #[serde(default = "default_width_px")]
    width_px: usize,
    #[serde(default)]
    log_x: bool,
    #[serde(default)]
    smoothing: Option<SmoothingQuestion>,
    /// Groups of runs of which the mean of each metric is wanted: at most 1,000 groups of 10,000 runs together.
    #[serde(default)]
    groups: Vec<Vec<String>>,
    /// What is given around the means of groups.
    #[serde(default)]
    band: BandKind,
    /// In the order of `metrics`: smallest and largest x of what else stands in the chart of each, `[from, to]` or null. Pixel columns are
    /// those of an x axis over all of it.
    #[serde(default)]
    #[schema(value_type = Vec<Option<Vec<f64>>>)]
    extents: Vec<Option<(f64, f64)>>,
    /// From the last answer: only points recorded since are sent, if that can be.
    #[serde(default, skip_serializing)]
    cursor: Option<String>,
}

fn default_axis() -> String {
    "step".to_owned()
}

fn default_width_px() -> usize {
    1000
}

/// How to smooth.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
struct SmoothingQuestion {
    /// `ema`, `gaussian` or `running_mean`.
    kind: SmoothingKind,
    /// Weight of the past (0 to below 1), standard deviation in points, or points.
    amount: f64,
}

#[derive(Deserialize, Serialize, Clone, Copy, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SmoothingKind {
    Ema,
    Gaussian,
    RunningMean,
}

/// Series, in the order of `runs` and within one of `metrics`.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is put together from pieces")]
struct SeriesAnswer {
    series: Vec<OneSeries>,
    /// In the order of `groups` and within one of `metrics`; with `delta` none, they are what they were.
    groups: Vec<GroupSeries>,
    /// For the next question.
    cursor: String,
    /// Whether only new points are given.
    delta: bool,
    /// Whether more may come.
    live: bool,
}

/// One metric of one run.
#[derive(Serialize, utoipa::ToSchema)]
struct OneSeries {
    run: String,
    metric: String,
    /// Points of the whole series, finite or not.
    points: u64,
    /// Smallest x of the whole series.
    x_from: Option<f64>,
    /// Largest x of the whole series.
    x_to: Option<f64>,
    /// Ascending; one point beyond each edge of the window is given too.
    x: Vec<f64>,
    /// Finite, as long as `x`.
    y: Vec<f64>,
    /// As long as `x`, when smoothing was asked for.
    smooth: Option<Vec<f64>>,
    /// `[x, "nan" | "inf" | "-inf"]`; also the nearest beyond an edge, where it ends the line.
    #[schema(value_type = Vec<Vec<Object>>)]
    non_finite: Vec<(f64, &'static str)>,
    /// Of the whole series.
    non_finite_points: u64,
    /// Whether every point of the window is given.
    exact: bool,
    last: Option<LastAnswer>,
    problem: Option<String>,
}

/// The last point recorded.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LastAnswer {
    x: f64,
    /// Null when it is not finite.
    y: Option<f64>,
    /// Unix seconds.
    time: Option<f64>,
}

/// Metrics of runs as curves, at most four points for each pixel column, six when smoothed; with a cursor only what is new.
#[utoipa::path(post, path = "/api/series", tag = "metrics", request_body = SeriesQuestion,
    responses((status = 200, body = SeriesAnswer), (status = 422, body = crate::ErrorBody)))]
async fn show_series(
    State(app): State<App>,
    Typed(question): Typed<SeriesQuestion>,
) -> ApiResult<Response> {
    let view = view_of(&question)?;
    let body = blocking(move || answer(&app, &question, &view)).await?;
    let mut response = Body::from(body).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response.extensions_mut().insert(SentAsIs);
    Ok(response)
}

fn view_of(question: &SeriesQuestion) -> ApiResult<SeriesView> {
    let refuse = |field: &str, message: &str, input: serde_json::Value| {
        ApiError::invalid_value(&json!(["body", field]), message, &input)
    };
    let members: usize = question.groups.iter().map(Vec::len).sum();
    if question.groups.len() > MAX_RUNS || members > MOST_MEMBERS {
        return Err(refuse("groups", "too many runs at once", members.into()));
    }
    let lines = question.runs.len().saturating_add(question.groups.len());
    if lines.saturating_mul(question.metrics.len()) > MAX_SERIES {
        return Err(refuse(
            "metrics",
            "too many series at once",
            question.metrics.len().into(),
        ));
    }
    if !(1..=MAX_WIDTH_PX).contains(&question.width_px) {
        return Err(refuse(
            "width_px",
            "Input should be from 1 to 8192",
            question.width_px.into(),
        ));
    }
    let axis = Axis::parse(&question.x)
        .ok_or_else(|| refuse("x", "no such axis", question.x.clone().into()))?;
    let smoothing = question.smoothing.as_ref().map(smoothing_of).transpose();
    let smoothing =
        smoothing.map_err(|message| refuse("smoothing", message, serde_json::Value::Null))?;
    Ok(SeriesView {
        axis,
        from: question.from,
        to: question.to,
        width_px: question.width_px,
        log_x: question.log_x,
        smoothing,
    })
}

fn smoothing_of(question: &SmoothingQuestion) -> Result<Smoothing, &'static str> {
    match question.kind {
        SmoothingKind::Ema if (0.0..1.0).contains(&question.amount) => {
            Ok(Smoothing::Ema(question.amount))
        }
        SmoothingKind::Ema => Err("amount should be at least 0 and less than 1"),
        SmoothingKind::Gaussian if question.amount >= 0.0 => {
            Ok(Smoothing::Gaussian(question.amount))
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked, and more points than there are make no difference"
        )]
        SmoothingKind::RunningMean if question.amount >= 0.0 => {
            Ok(Smoothing::RunningMean(question.amount as usize))
        }
        _ => Err("amount should be at least 0"),
    }
}

/// The rows of each run, or why there are none.
type Source = Result<Arc<Columns>, String>;

fn answer(app: &App, question: &SeriesQuestion, view: &SeriesView) -> Result<Vec<u8>, ApiError> {
    let store = app.store();
    let columns = |run: &String| -> Source {
        let found = store.find(run).map_err(|error| error.to_string())?;
        app.metrics()
            .of_run(&found)
            .map(|reading| reading.columns)
            .map_err(|error| error.to_string())
    };
    let sources: Vec<Source> = question.runs.iter().map(columns).collect();
    let of_group = |runs: &Vec<String>| -> Vec<Source> { runs.iter().map(columns).collect() };
    let members: Vec<Vec<Source>> = question.groups.iter().map(of_group).collect();
    let asked = serde_json::to_vec(question).map_err(ApiError::internal)?;
    let asked = xxhash_rust::xxh3::xxh3_64(&asked);
    let everyone = sources.iter().chain(members.iter().flatten());
    let cursor = Cursor::after(
        asked,
        everyone.map(|source| source.as_ref().ok().map(|columns| &**columns)),
    );
    // A point more of one run moves the mean at points of the others: groups are drawn anew unless nothing was added.
    let known = question.cursor.as_deref().and_then(Cursor::parse);
    let known = known.filter(|known| question.groups.is_empty() || *known == cursor);
    let delta = known.and_then(|known| appended(&sources, question, view, asked, &known));
    let is_delta = delta.is_some();
    let members: Vec<Vec<Arc<Columns>>> = members
        .into_iter()
        .map(|runs| runs.into_iter().flatten().collect())
        .collect();
    let (series, groups) = match delta {
        Some(series) => (series, Vec::new()),
        None => drawn(&sources, &members, question, view),
    };
    let live = question
        .runs
        .iter()
        .chain(question.groups.iter().flatten())
        .any(|run| is_live(&store, run));
    let mut body = br#"{"series":["#.to_vec();
    join(&mut body, &series);
    body.extend_from_slice(br#"],"groups":["#);
    join(&mut body, &groups);
    body.extend_from_slice(
        format!(r#"],"cursor":"{cursor}","delta":{is_delta},"live":{live}}}"#).as_bytes(),
    );
    Ok(body)
}

fn join(body: &mut Vec<u8>, parts: &[Vec<u8>]) {
    for (at, one) in parts.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(one);
    }
}

/// The new points of every series as JSON; `None` when one of them must be drawn anew.
fn appended(
    sources: &[Source],
    question: &SeriesQuestion,
    view: &SeriesView,
    asked: u64,
    known: &Cursor,
) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for (at, (run, source)) in question.runs.iter().zip(sources).enumerate() {
        let columns = source.as_ref().ok()?;
        let row = known.rows_seen(asked, at, columns)?;
        let series = SeriesSource::of(columns, view);
        for metric in &question.metrics {
            all.push(wire(run, metric, series.appended(metric, row)?));
        }
    }
    Some(all)
}

/// Smallest and largest x.
type Extent = (f64, f64);

/// Every series and every mean as JSON. What stands in one chart shares its pixel columns.
fn drawn(
    sources: &[Source],
    members: &[Vec<Arc<Columns>>],
    question: &SeriesQuestion,
    view: &SeriesView,
) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let everyone = sources.iter().flatten().chain(members.iter().flatten());
    let extents = shared_extents(everyone, question, view);
    let groups = group_series(members, &question.metrics, view, question.band, &extents);
    (whole(sources, question, view, &extents), groups)
}

/// Every series as JSON; two threads share the work when there is much.
fn whole(
    sources: &[Source],
    question: &SeriesQuestion,
    view: &SeriesView,
    extents: &[Option<Extent>],
) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let extents = extents.iter().copied();
    let wanted: Vec<(&String, Option<Extent>)> = question.metrics.iter().zip(extents).collect();
    for (run, source) in question.runs.iter().zip(sources) {
        match source {
            Ok(columns) => {
                let series = SeriesSource::of(columns, view);
                let some = |wanted: &[(&String, Option<Extent>)]| -> Vec<_> {
                    wanted
                        .iter()
                        .map(|&(metric, extent)| {
                            wire(run, metric, series.whole_over(metric, extent))
                        })
                        .collect()
                };
                let (mine, others) = wanted.split_at(wanted.len().div_ceil(2));
                std::thread::scope(|scope| {
                    let helper = (!others.is_empty()).then(|| scope.spawn(|| some(others)));
                    all.extend(some(mine));
                    all.extend(
                        helper
                            .and_then(|helper| helper.join().ok())
                            .unwrap_or_default(),
                    );
                });
            }
            Err(problem) => {
                let missing = || Series {
                    exact: true,
                    problem: Some(problem.clone()),
                    ..Series::default()
                };
                all.extend(
                    question
                        .metrics
                        .iter()
                        .map(|metric| wire(run, metric, missing())),
                );
            }
        }
    }
    all
}

/// The x axis that all of a chart is drawn over, for each metric; `None` where a run has only its own.
fn shared_extents<'a>(
    everyone: impl Iterator<Item = &'a Arc<Columns>> + Clone,
    question: &SeriesQuestion,
    view: &SeriesView,
) -> Vec<Option<Extent>> {
    let given = question.extents.iter().copied();
    let mut extents: Vec<Option<Extent>> = given
        .chain(std::iter::repeat(None))
        .take(question.metrics.len())
        .collect();
    let is_alone = everyone.clone().nth(1).is_none() && question.extents.is_empty();
    if is_alone || (view.from.is_some() && view.to.is_some()) {
        return extents;
    }
    for columns in everyone {
        let series = SeriesSource::of(columns, view);
        for (metric, extent) in question.metrics.iter().zip(&mut extents) {
            let own = series.extent(metric);
            let wider = |(a, b): Extent, (from, to): Extent| (a.min(from), b.max(to));
            *extent = match (*extent, own) {
                (Some(known), Some(own)) => Some(wider(known, own)),
                (known, own) => known.or(own),
            };
        }
    }
    extents
}

fn wire(run: &str, metric: &str, series: Series) -> Vec<u8> {
    let answer = OneSeries {
        run: run.to_owned(),
        metric: metric.to_owned(),
        points: series.points,
        x_from: series.x_from,
        x_to: series.x_to,
        x: series.x,
        y: series.y,
        smooth: series.smooth,
        non_finite: non_finite_answer(series.non_finite),
        non_finite_points: series.non_finite_points,
        exact: series.exact,
        last: series.last.map(last_answer),
        problem: series.problem,
    };
    serde_json::to_vec(&answer).unwrap_or_else(|_| b"null".to_vec())
}

pub(super) fn non_finite_answer(marks: Vec<(f64, NonFinite)>) -> Vec<(f64, &'static str)> {
    marks
        .into_iter()
        .map(|(x, kind)| (x, kind.word()))
        .collect()
}

pub(super) fn last_answer(last: LastPoint) -> LastAnswer {
    LastAnswer {
        x: last.x,
        y: Some(last.y).filter(|y| y.is_finite()),
        time: last.time,
    }
}
