//! Every point of a series in memory, and which of them a chart draws. Pure.

use super::reduce::{self, Window};
use super::series::{NonFinite, SeriesView};

/// Every point of a series.
#[derive(Default)]
pub(super) struct Points {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// How many of them lie before the row that was asked about.
    pub(super) old: usize,
    pub(super) last_row: u64,
    pub(super) ascending: bool,
    pub(super) non_finite: u64,
    pub(super) without_x: u64,
    pub(super) below_log: u64,
}

/// What of a series is drawn.
#[derive(Default)]
pub(super) struct Drawn {
    /// Indices of points, ascending.
    pub(super) picks: Vec<usize>,
    pub(super) non_finite: Vec<(f64, NonFinite)>,
    /// Whether that is every point of the window.
    pub(super) exact: bool,
}

impl Points {
    #[inline]
    pub(super) fn add(&mut self, x: f64, y: f64, log_x: bool) {
        if !x.is_finite() {
            self.without_x += 1;
        } else if log_x && x <= 0.0 {
            self.below_log += 1;
        } else {
            self.ascending &= self.x.last().is_none_or(|&last| last <= x);
            self.non_finite += u64::from(!y.is_finite());
            self.x.push(x);
            self.y.push(y);
        }
    }

    /// The first or the last x.
    pub(super) fn edge(&self, pick: fn(f64, f64) -> f64) -> Option<f64> {
        if self.ascending {
            let (first, last) = (*self.x.first()?, *self.x.last()?);
            return Some(pick(first, last));
        }
        self.x.iter().copied().reduce(pick)
    }

    /// Puts the points in the order of x; equal ones stay in file order.
    pub(super) fn sort(&mut self) {
        if self.ascending {
            return;
        }
        let mut order: Vec<usize> = (0..self.x.len()).collect();
        order.sort_by(|&a, &b| self.x[a].total_cmp(&self.x[b]));
        self.y = order.iter().map(|&at| self.y[at]).collect();
        self.x = order.iter().map(|&at| self.x[at]).collect();
        self.ascending = true;
    }

    /// What of these sorted points the window shows: where `y` or one of the values `beside` it is first, smallest, largest or last in a
    /// pixel column. The values beside are finite where `y` is. Where the view says no edge it is that of `extent`, else the points' own.
    pub(super) fn drawn(
        &self,
        view: &SeriesView,
        extent: Option<(f64, f64)>,
        beside: &[&[f64]],
    ) -> Drawn {
        let (Some(first), Some(last)) = (self.edge(f64::min), self.edge(f64::max)) else {
            return Drawn {
                exact: true,
                ..Drawn::default()
            };
        };
        let (first, last) = extent.unwrap_or((first, last));
        let from = view
            .from
            .filter(|&from| !view.log_x || from > 0.0)
            .unwrap_or(first);
        let window = Window {
            from,
            to: view.to.unwrap_or(last),
            width_px: view.width_px.max(1),
            log_x: view.log_x,
        };
        let finite: Option<Vec<usize>> = (self.non_finite > 0).then(|| {
            let numbers = self.y.iter().enumerate().filter(|(_, y)| y.is_finite());
            numbers.map(|(at, _)| at).collect()
        });
        let pick = |values: &[f64], smooth: Option<&[f64]>| match &finite {
            None => reduce::by_pixel(&self.x, values, smooth, &window),
            Some(finite) => {
                let x: Vec<f64> = finite.iter().map(|&at| self.x[at]).collect();
                let of =
                    |values: &[f64]| -> Vec<f64> { finite.iter().map(|&at| values[at]).collect() };
                let (y, smooth) = (of(values), smooth.map(of));
                let picks = reduce::by_pixel(&x, &y, smooth.as_deref(), &window);
                picks.into_iter().map(|pick| finite[pick]).collect()
            }
        };
        let mut picks = pick(&self.y, beside.first().copied());
        if let Some(others) = beside.get(1..).filter(|others| !others.is_empty()) {
            picks.extend(others.iter().flat_map(|values| pick(values, None)));
            picks.sort_unstable();
            picks.dedup();
        }
        let marks = gap_marks(self, &window);
        let inside = |x: f64| x >= window.from && x <= window.to;
        let given = picks.iter().filter(|&&at| inside(self.x[at])).count() + marks.len();
        let all = self
            .x
            .partition_point(|&x| x <= window.to)
            .saturating_sub(self.x.partition_point(|&x| x < window.from));
        Drawn {
            picks,
            non_finite: with_gaps_beyond(self, &window, marks),
            exact: given == all,
        }
    }
}

/// What a person should know about points that have no place on the axis.
pub(super) fn problem_of(without_x: u64, below_log: u64) -> Option<String> {
    let mut problems = Vec::new();
    if without_x > 0 {
        problems.push(format!("{without_x} points have no value on this axis"));
    }
    if below_log > 0 {
        problems.push(format!(
            "{below_log} points are not above 0 on a logarithmic axis"
        ));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Non-finite values of the window: of each run of one kind within a pixel column the first and the last.
fn gap_marks(points: &Points, window: &Window) -> Vec<(f64, NonFinite)> {
    let mut marks: Vec<(f64, NonFinite)> = Vec::new();
    let mut ends: [Option<(usize, usize)>; 3] = [None; 3];
    let inside = points
        .x
        .iter()
        .zip(&points.y)
        .filter(|(x, y)| !y.is_finite() && **x >= window.from && **x <= window.to);
    for (&x, &y) in inside {
        let kind = NonFinite::of(y);
        let column = window.column(x);
        match &mut ends[kind as usize] {
            Some((at, second)) if *at == column => {
                if *second == usize::MAX {
                    marks.push((x, kind));
                    *second = marks.len() - 1;
                } else {
                    marks[*second].0 = x;
                }
            }
            end => {
                marks.push((x, kind));
                *end = Some((column, usize::MAX));
            }
        }
    }
    marks.sort_by(|a, b| a.0.total_cmp(&b.0));
    marks
}

/// The marks with one more before or behind the window, when the nearest point beyond that edge is no finite one: then no line
/// runs over the edge.
fn with_gaps_beyond(
    points: &Points,
    window: &Window,
    marks: Vec<(f64, NonFinite)>,
) -> Vec<(f64, NonFinite)> {
    let gap = |at: Option<usize>| {
        let at = at?;
        let (&x, &y) = (points.x.get(at)?, points.y.get(at)?);
        (!y.is_finite()).then(|| (x, NonFinite::of(y)))
    };
    let start = points.x.partition_point(|&x| x < window.from);
    let end = points.x.partition_point(|&x| x <= window.to);
    let before = gap(start.checked_sub(1));
    let behind = gap(Some(end));
    before.into_iter().chain(marks).chain(behind).collect()
}
