//! Means of metrics over groups of runs, as the charts of a comparison draw them beside or instead of the runs.

use std::sync::Arc;

use runicorn_experiments::metrics::{Band, Columns, MeanSeries, SeriesView, means};
use serde::{Deserialize, Serialize};

use super::series::{LastAnswer, last_answer, non_finite_answer};

/// Most runs in all groups of a question together.
pub(super) const MOST_MEMBERS: usize = 10_000;

/// What is drawn around a mean.
#[derive(Deserialize, Serialize, Clone, Copy, Default, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BandKind {
    /// From the smallest to the largest value.
    #[default]
    Range,
    /// One standard error of the mean to either side.
    StandardError,
}

/// The mean of one metric over the runs of a group. At every x at which any of them has a point it is the mean over the runs whose own first
/// and last point lie around it, each with its latest value; NaN and infinities are left out.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct GroupSeries {
    /// Place of the group in the question.
    group: usize,
    metric: String,
    /// Runs of the group that have the metric.
    runs: u64,
    /// Points of the whole mean, gaps too.
    points: u64,
    /// Smallest x of the whole mean.
    x_from: Option<f64>,
    /// Largest x of the whole mean.
    x_to: Option<f64>,
    /// Ascending; one point beyond each edge of the window is given too.
    x: Vec<f64>,
    /// Finite, as long as `x`.
    y: Vec<f64>,
    /// As long as `x`, when smoothing was asked for.
    smooth: Option<Vec<f64>>,
    /// Lower edge of the band, as long as `x`; smoothed as the mean is.
    low: Vec<f64>,
    /// Upper edge of the band.
    high: Vec<f64>,
    /// `[x, "nan"]` where no run has a number.
    #[schema(value_type = Vec<Vec<Object>>)]
    non_finite: Vec<(f64, &'static str)>,
    /// Gaps of the whole mean.
    non_finite_points: u64,
    /// Whether every point of the window is given.
    exact: bool,
    last: Option<LastAnswer>,
    problem: Option<String>,
}

/// The means of all groups as JSON, group by group; two threads share the groups. Runs that cannot be read have no part in them. `extents`:
/// the x axis of each metric's chart, where it is wider than a mean.
pub(super) fn group_series(
    groups: &[Vec<Arc<Columns>>],
    metrics: &[String],
    view: &SeriesView,
    band: BandKind,
    extents: &[Option<(f64, f64)>],
) -> Vec<Vec<u8>> {
    let band = match band {
        BandKind::Range => Band::Range,
        BandKind::StandardError => Band::StandardError,
    };
    let some = |first: usize, groups: &[Vec<Arc<Columns>>]| -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for (at, runs) in groups.iter().enumerate() {
            let runs: Vec<&Columns> = runs.iter().map(|columns| &**columns).collect();
            let found = means(&runs, metrics, view, band, extents);
            all.extend(
                metrics
                    .iter()
                    .zip(found)
                    .map(|(metric, mean)| wire(first + at, metric, mean)),
            );
        }
        all
    };
    let (mine, others) = groups.split_at(groups.len().div_ceil(2));
    std::thread::scope(|scope| {
        let helper = (!others.is_empty()).then(|| scope.spawn(|| some(mine.len(), others)));
        let mut all = some(0, mine);
        all.extend(
            helper
                .and_then(|helper| helper.join().ok())
                .unwrap_or_default(),
        );
        all
    })
}

fn wire(group: usize, metric: &str, mean: MeanSeries) -> Vec<u8> {
    let series = mean.series;
    let answer = GroupSeries {
        group,
        metric: metric.to_owned(),
        runs: mean.runs,
        points: series.points,
        x_from: series.x_from,
        x_to: series.x_to,
        x: series.x,
        y: series.y,
        smooth: series.smooth,
        low: mean.low,
        high: mean.high,
        non_finite: non_finite_answer(series.non_finite),
        non_finite_points: series.non_finite_points,
        exact: series.exact,
        last: series.last.map(last_answer),
        problem: series.problem,
    };
    serde_json::to_vec(&answer).unwrap_or_else(|_| b"null".to_vec())
}
