//! What a person wants to be told of: which runs, and what happens to them.

use std::collections::BTreeSet;

use runicorn_experiments::RunRow;
use serde::{Deserialize, Serialize};

/// More rules than anybody keeps in mind.
const MOST_RULES: usize = 100;
/// Most runs of one rule.
const MOST_RUNS: usize = 1000;
/// Most metrics of one rule.
const MOST_METRICS: usize = 100;
/// Longest name of a run, folder, tag or metric.
const LONGEST_NAME_BYTES: usize = 1024;
/// A shorter silence is no sign of anything.
const SHORTEST_STALL_SECS: f64 = 1.0;
/// A longer one is a month.
const LONGEST_STALL_SECS: f64 = 31.0 * 86_400.0;

/// The runs of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum WatchedRuns {
    /// Every run.
    All,
    /// These.
    Chosen {
        /// Their ids, at most 1,000.
        ids: BTreeSet<String>,
    },
    /// Those in a folder and below it.
    Folder {
        /// Such as `cv/detection`.
        path: String,
    },
    /// Those with a tag.
    Tag {
        /// The tag.
        tag: String,
    },
}

/// One rule. Each event is told once for each run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box that a person ticks"
)]
pub(crate) struct AlertRule {
    /// Chosen by the page.
    pub(crate) id: String,
    pub(crate) enabled: bool,
    pub(crate) runs: WatchedRuns,
    /// The run finished or was interrupted.
    pub(crate) ended: bool,
    /// The run failed, or its process is gone.
    pub(crate) failed: bool,
    /// Nothing was written for so long while the run is running.
    pub(crate) stalled_after_secs: Option<f64>,
    /// A metric is NaN or infinite.
    pub(crate) non_finite: bool,
    /// Only these metrics; none means any.
    #[serde(default)]
    pub(crate) metrics: BTreeSet<String>,
}

/// Every rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRules {
    /// At most 100.
    pub(crate) rules: Vec<AlertRule>,
}

/// What all rules together want to know of one run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) ended: bool,
    pub(crate) failed: bool,
    /// The shortest silence that somebody wants to hear of.
    pub(crate) stalled_after_secs: Option<f64>,
    pub(crate) any_metric: bool,
    pub(crate) metrics: BTreeSet<String>,
}

impl Wanted {
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn asks_for_metrics(&self) -> bool {
        self.any_metric || !self.metrics.is_empty()
    }
}

impl AlertRules {
    /// A sentence about what cannot be kept.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.rules.len() > MOST_RULES {
            return Some(format!("at most {MOST_RULES} rules"));
        }
        self.rules.iter().find_map(AlertRule::fault)
    }

    /// Whether there is anything to look for.
    pub(crate) fn are_idle(&self) -> bool {
        !self.rules.iter().any(AlertRule::is_active)
    }

    /// What to look for in a run.
    pub(crate) fn wanted(&self, row: &RunRow) -> Wanted {
        let mut wanted = Wanted::default();
        let active = self.rules.iter().filter(|rule| rule.is_active());
        for rule in active.filter(|rule| rule.runs.holds(row)) {
            wanted.ended |= rule.ended;
            wanted.failed |= rule.failed;
            let stalls = [wanted.stalled_after_secs, rule.stalled_after_secs];
            wanted.stalled_after_secs = stalls.into_iter().flatten().reduce(f64::min);
            if rule.non_finite {
                wanted.any_metric |= rule.metrics.is_empty();
                wanted.metrics.extend(rule.metrics.iter().cloned());
            }
        }
        wanted
    }
}

impl AlertRule {
    fn is_active(&self) -> bool {
        self.enabled
            && (self.ended || self.failed || self.non_finite || self.stalled_after_secs.is_some())
    }

    fn fault(&self) -> Option<String> {
        let stall = self.stalled_after_secs.unwrap_or(SHORTEST_STALL_SECS);
        if !(SHORTEST_STALL_SECS..=LONGEST_STALL_SECS).contains(&stall) {
            return Some("stalled_after_secs is from one second to 31 days".to_owned());
        }
        if self.metrics.len() > MOST_METRICS {
            return Some(format!("at most {MOST_METRICS} metrics in a rule"));
        }
        let mut names: Vec<&String> = self.metrics.iter().chain([&self.id]).collect();
        match &self.runs {
            WatchedRuns::All => {}
            WatchedRuns::Chosen { ids } if ids.len() > MOST_RUNS => {
                return Some(format!("at most {MOST_RUNS} runs in a rule"));
            }
            WatchedRuns::Chosen { ids } => names.extend(ids),
            WatchedRuns::Folder { path } => names.push(path),
            WatchedRuns::Tag { tag } => names.push(tag),
        }
        let is_long = |name: &&String| name.len() > LONGEST_NAME_BYTES;
        names
            .iter()
            .any(is_long)
            .then(|| format!("names of at most {LONGEST_NAME_BYTES} bytes"))
    }
}

impl WatchedRuns {
    fn holds(&self, row: &RunRow) -> bool {
        match self {
            Self::All => true,
            Self::Chosen { ids } => ids.contains(row.id.as_str()),
            Self::Folder { path } => row.path.is_within(path.trim_matches('/')),
            Self::Tag { tag } => row.tags.contains(tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use runicorn_experiments::{Layout, RunId, RunPath};

    use super::*;

    fn row(id: &str, path: &str, tags: &[&str]) -> RunRow {
        let id = RunId::new(id).unwrap();
        let mut row = RunRow::empty(id, RunPath::from_directory(path), "runs/x", Layout::Current);
        row.tags = tags.iter().map(ToString::to_string).collect();
        row
    }

    fn rule(runs: WatchedRuns) -> AlertRule {
        AlertRule {
            id: "a".to_owned(),
            enabled: true,
            runs,
            ended: true,
            failed: false,
            stalled_after_secs: None,
            non_finite: false,
            metrics: BTreeSet::new(),
        }
    }

    fn holds(runs: WatchedRuns, row: &RunRow) -> bool {
        let rules = AlertRules {
            rules: vec![rule(runs)],
        };
        !rules.wanted(row).is_nothing()
    }

    #[test]
    fn a_rule_holds_all_runs_or_chosen_ones_or_a_folder_or_a_tag() {
        let row = row("one", "cv/det", &["best"]);
        assert!(holds(WatchedRuns::All, &row));
        let chosen = |id: &str| WatchedRuns::Chosen {
            ids: [id.to_owned()].into(),
        };
        assert!(holds(chosen("one"), &row) && !holds(chosen("two"), &row));
        let folder = |path: &str| WatchedRuns::Folder {
            path: path.to_owned(),
        };
        assert!(holds(folder("cv/"), &row) && holds(folder("cv/det"), &row));
        assert!(!holds(folder("c"), &row));
        let tag = |tag: &str| WatchedRuns::Tag {
            tag: tag.to_owned(),
        };
        assert!(holds(tag("best"), &row) && !holds(tag("bes"), &row));
    }

    #[test]
    fn rules_of_one_run_add_up_and_the_shortest_silence_counts() {
        let mut first = rule(WatchedRuns::All);
        (first.stalled_after_secs, first.non_finite) = (Some(900.0), true);
        first.metrics = ["loss".to_owned()].into();
        let mut second = rule(WatchedRuns::All);
        (second.ended, second.stalled_after_secs) = (false, Some(60.0));
        let mut off = rule(WatchedRuns::All);
        (off.enabled, off.failed) = (false, true);
        let rules = AlertRules {
            rules: vec![first, second, off],
        };
        let wanted = Wanted {
            ended: true,
            stalled_after_secs: Some(60.0),
            metrics: ["loss".to_owned()].into(),
            ..Wanted::default()
        };
        assert_eq!(rules.wanted(&row("one", "", &[])), wanted);
    }

    #[test]
    fn rules_that_cannot_be_kept_say_why() {
        let mut short = rule(WatchedRuns::All);
        short.stalled_after_secs = Some(f64::NAN);
        let long = rule(WatchedRuns::Tag {
            tag: "x".repeat(2000),
        });
        let many = (0..2000).map(|id| id.to_string()).collect();
        for bad in [short, long, rule(WatchedRuns::Chosen { ids: many })] {
            assert!(AlertRules { rules: vec![bad] }.fault().is_some());
        }
        let rules = vec![rule(WatchedRuns::All); 101];
        assert!(AlertRules { rules }.fault().is_some());
    }
}
