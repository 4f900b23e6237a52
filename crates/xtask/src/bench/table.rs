//! The table that `bench` prints.

/// What a row should reach.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// Ours takes at most so many seconds.
    Seconds(f64),
    /// The same, and is at least so many times faster than the real one.
    SecondsAndRatio(f64, f64),
    /// At most so much, in the row's own unit.
    AtMost(f64),
    /// At least so much, in the row's own unit.
    AtLeast(f64),
    /// A rate that is at least the real one's.
    NotSlower,
}

/// One line.
pub(super) struct Row {
    what: String,
    real: Option<f64>,
    ours: Option<f64>,
    unit: Option<&'static str>,
    goal: Goal,
}

impl Row {
    /// Seconds of both.
    pub(super) fn against(what: &str, real: f64, ours: f64, goal: Goal) -> Self {
        Self {
            what: what.to_owned(),
            real: Some(real),
            ours: Some(ours),
            unit: None,
            goal,
        }
    }

    /// Seconds of ours alone; `None` when it could not be measured here.
    pub(super) fn seconds(what: &str, ours: Option<f64>, goal: Goal) -> Self {
        Self {
            what: what.to_owned(),
            real: None,
            ours,
            unit: None,
            goal,
        }
    }

    /// Another measure of both.
    pub(super) fn against_figure(
        what: &str,
        real: f64,
        ours: f64,
        unit: &'static str,
        goal: Goal,
    ) -> Self {
        Self {
            what: what.to_owned(),
            real: Some(real),
            ours: Some(ours),
            unit: Some(unit),
            goal,
        }
    }

    /// Megabytes a second of both; ours must not be slower.
    pub(super) fn rate(what: &str, real: f64, ours: f64) -> Self {
        Self {
            what: what.to_owned(),
            real: Some(real),
            ours: Some(ours),
            unit: Some("MB/s"),
            goal: Goal::NotSlower,
        }
    }

    /// Another measure of ours alone.
    pub(super) fn figure(what: &str, ours: f64, unit: &'static str, goal: Goal) -> Self {
        Self {
            what: what.to_owned(),
            real: None,
            ours: Some(ours),
            unit: Some(unit),
            goal,
        }
    }

    fn ratio(&self) -> Option<f64> {
        match self.goal {
            Goal::NotSlower => Some(self.ours? / self.real?),
            _ => Some(self.real? / self.ours?),
        }
    }

    /// `None` when it was not measured.
    fn is_reached(&self) -> Option<bool> {
        let ours = self.ours?;
        Some(match self.goal {
            Goal::Seconds(limit) | Goal::AtMost(limit) => ours <= limit,
            Goal::SecondsAndRatio(limit, ratio) => {
                ours <= limit && self.ratio().is_some_and(|reached| reached >= ratio)
            }
            Goal::AtLeast(least) => ours >= least,
            Goal::NotSlower => self.ratio().is_some_and(|reached| reached >= 1.0),
        })
    }

    fn figure_text(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "-".to_owned(),
            (Some(value), Some(unit)) => format!("{} {unit}", short(value)),
            (Some(seconds), None) if seconds < 0.1 => format!("{:.1} ms", seconds * 1e3),
            (Some(seconds), None) => format!("{seconds:.2} s"),
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::Seconds(limit) | Goal::AtMost(limit) => {
                format!("<= {}", self.figure_text(Some(limit)))
            }
            Goal::SecondsAndRatio(limit, ratio) => {
                format!("<= {}, >= {ratio}x", self.figure_text(Some(limit)))
            }
            Goal::AtLeast(least) => format!(">= {}", self.figure_text(Some(least))),
            Goal::NotSlower => ">= 1.0x".to_owned(),
        }
    }

    /// No row may be worse than twice its goal.
    fn is_within_twice(&self) -> bool {
        let Some(ours) = self.ours else { return true };
        match self.goal {
            Goal::Seconds(limit) | Goal::AtMost(limit) => ours <= 2.0 * limit,
            Goal::SecondsAndRatio(limit, ratio) => {
                ours <= 2.0 * limit && self.ratio().is_some_and(|reached| reached >= ratio / 2.0)
            }
            Goal::AtLeast(least) => ours >= least / 2.0,
            Goal::NotSlower => self.ratio().is_some_and(|reached| reached >= 0.5),
        }
    }

    fn verdict(&self) -> String {
        match self.is_reached() {
            None => "not measured here".to_owned(),
            Some(true) => "reached".to_owned(),
            Some(false) if self.is_within_twice() => "MISSED".to_owned(),
            Some(false) => "MISSED, worse than twice the goal".to_owned(),
        }
    }
}

/// With one digit behind the point where that says something.
fn short(value: f64) -> String {
    if value < 20.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// Prints all rows.
pub(super) fn print(rows: &[Row]) {
    println!("\n| what | real viewer | ours | ratio | goal | |\n|---|---:|---:|---:|---:|---|");
    for row in rows {
        let ratio = row
            .ratio()
            .map_or_else(|| "-".to_owned(), |ratio| format!("{}x", short(ratio)));
        let (real, ours) = (row.figure_text(row.real), row.figure_text(row.ours));
        println!(
            "| {} | {real} | {ours} | {ratio} | {} | {} |",
            row.what,
            row.goal_text(),
            row.verdict()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_with_a_ratio_needs_both() {
        let goal = Goal::SecondsAndRatio(0.005, 40.0);
        for (real, ours, reached) in [(0.3, 0.004, true), (0.1, 0.004, false), (0.9, 0.006, false)]
        {
            assert_eq!(
                Row::against("", real, ours, goal).is_reached(),
                Some(reached)
            );
        }
        assert_eq!(Row::seconds("", None, goal).is_reached(), None);
    }

    #[test]
    fn a_row_that_is_worse_than_twice_its_goal_is_told_apart() {
        for (ours, twice) in [(0.09, true), (0.19, true), (0.21, false)] {
            let row = Row::seconds("", Some(ours), Goal::Seconds(0.1));
            assert_eq!(row.is_within_twice(), twice, "{ours}");
        }
        assert!(Row::rate("", 500.0, 260.0).is_within_twice());
        assert!(!Row::rate("", 500.0, 240.0).is_within_twice());
    }
}
