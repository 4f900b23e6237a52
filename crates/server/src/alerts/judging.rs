//! Whether something has happened to a watched run. Pure: what the files say comes in, what to tell comes out.
//!
//! What was so before anybody watched is told to nobody: a run must have been seen running to end, have written while it was watched
//! to stall, and get another NaN than those it had.

use std::collections::BTreeMap;

use runicorn_experiments::{RunRow, RunStatus};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::history::RunEvent;
use super::rules::Wanted;

/// Metrics that are named in one event.
const METRICS_NAMED: usize = 5;
/// Metrics whose NaNs from before the watch are remembered.
const METRICS_REMEMBERED: usize = 1000;

/// What is remembered of a run that is running and watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WatchedRun {
    /// It has written something within the limit while it was watched; before that its silence is nothing new.
    pub(crate) has_written: bool,
    /// How many numbers of which metrics were not finite when the watch began; absent until they were counted.
    pub(crate) non_finite: Option<BTreeMap<String, u64>>,
}

/// What is told of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) event: RunEvent,
    /// The word of the run's state, for an end.
    #[serde(default)]
    pub(crate) status: Option<String>,
    /// How long nothing was written, for a stall.
    #[serde(default)]
    pub(crate) silent_secs: Option<f64>,
    /// The first metrics that are not finite.
    #[serde(default)]
    pub(crate) metrics: Vec<String>,
    /// Which wishes this fulfils: the empty one is any metric.
    #[serde(default)]
    wishes: Vec<String>,
}

impl Told {
    pub(crate) fn of(event: RunEvent) -> Self {
        Self {
            event,
            status: None,
            silent_secs: None,
            metrics: Vec::new(),
            wishes: vec![String::new()],
        }
    }

    /// Stands for what must not be told twice.
    pub(crate) fn keys(&self, root: &str, run: &str) -> impl Iterator<Item = String> {
        let head = format!("{root}\0{run}\0{:?}", self.event);
        let wishes = self.wishes.clone().into_iter();
        wishes.map(move |wish| {
            let key = format!("{head}\0{wish}");
            format!("{:032x}", xxh3_128(key.as_bytes()))
        })
    }
}

/// What to tell of a run that was running and no longer is.
pub(crate) fn end(row: &RunRow, wanted: &Wanted) -> Option<Told> {
    let (event, is_wanted) = match row.state() {
        RunStatus::Running => return None,
        RunStatus::Failed => (RunEvent::Failed, wanted.failed),
        _ => (RunEvent::Ended, wanted.ended),
    };
    is_wanted.then(|| Told {
        status: Some(row.status.chars().take(40).collect()),
        ..Told::of(event)
    })
}

/// What a look at the silence of a run says.
#[derive(Debug, PartialEq)]
pub(crate) enum Silence {
    /// It is not to be looked at.
    OfNoInterest,
    /// When it will be too long, in Unix seconds, unless something is written.
    Until(f64),
    /// It has become too long.
    TooLong(Told),
}

/// Looks at the silence of a running run that last wrote something at `last_write_at`.
pub(crate) fn silence(
    watched: &mut WatchedRun,
    wanted: &Wanted,
    last_write_at: f64,
    now: f64,
) -> Silence {
    let Some(limit_secs) = wanted.stalled_after_secs else {
        watched.has_written = false;
        return Silence::OfNoInterest;
    };
    let silent_secs = now - last_write_at;
    if silent_secs < limit_secs {
        watched.has_written = true;
        return Silence::Until(last_write_at + limit_secs);
    }
    if !std::mem::take(&mut watched.has_written) {
        return Silence::OfNoInterest;
    }
    Silence::TooLong(Told {
        silent_secs: Some(silent_secs),
        ..Told::of(RunEvent::Stalled)
    })
}

/// Looks at how many numbers of which metrics are not finite. The first look at a run that was there before the watch is where counting
/// starts.
pub(crate) fn non_finite(
    watched: &mut WatchedRun,
    wanted: &Wanted,
    counts: &BTreeMap<String, u64>,
) -> Option<Told> {
    let Some(before) = &watched.non_finite else {
        let counts = counts.iter().take(METRICS_REMEMBERED);
        let counts = counts.map(|(name, count)| (name.clone(), *count));
        watched.non_finite = Some(counts.collect());
        return None;
    };
    let more = counts
        .iter()
        .filter(|(name, count)| **count > before.get(*name).copied().unwrap_or(0))
        .map(|(name, _)| name);
    let named = |name: &&String| wanted.metrics.contains(*name);
    let mut wishes: Vec<String> = more.clone().filter(named).cloned().collect();
    let is_wanted = |name: &&String| wanted.any_metric || named(name);
    let metrics: Vec<String> = more
        .filter(is_wanted)
        .take(METRICS_NAMED)
        .map(|name| name.chars().take(200).collect())
        .collect();
    if metrics.is_empty() {
        return None;
    }
    wishes.extend(wanted.any_metric.then(String::new));
    Some(Told {
        metrics,
        wishes,
        ..Told::of(RunEvent::NonFinite)
    })
}

#[cfg(test)]
mod tests {
    use runicorn_experiments::{Layout, RunId, RunPath};

    use super::*;

    fn stalls(after_secs: f64) -> Wanted {
        Wanted {
            stalled_after_secs: Some(after_secs),
            ..Wanted::default()
        }
    }

    fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    #[test]
    fn an_end_is_told_by_the_word_that_it_ended_with() {
        let id = RunId::new("a").unwrap();
        let mut row = RunRow::empty(id, RunPath::default(), "runs/a", Layout::Current);
        let wanted = |ended, failed| Wanted {
            ended,
            failed,
            ..Wanted::default()
        };
        for (word, event, is_failure) in [
            ("finished", RunEvent::Ended, false),
            ("interrupted", RunEvent::Ended, false),
            ("a word of its own", RunEvent::Ended, false),
            ("failed", RunEvent::Failed, true),
        ] {
            row.status = word.to_owned();
            let told = end(&row, &wanted(!is_failure, is_failure)).unwrap();
            assert_eq!((told.event, told.status.as_deref()), (event, Some(word)));
            assert_eq!(end(&row, &wanted(is_failure, !is_failure)), None, "{word}");
        }
        row.status = "running".to_owned();
        assert_eq!(end(&row, &wanted(true, true)), None);
    }

    #[test]
    fn silence_is_told_when_it_becomes_too_long_and_not_when_it_always_was() {
        let mut watched = WatchedRun::default();
        let wanted = stalls(10.0);
        assert_eq!(
            silence(&mut watched, &wanted, 0.0, 50.0),
            Silence::OfNoInterest
        );
        assert_eq!(
            silence(&mut watched, &wanted, 55.0, 60.0),
            Silence::Until(65.0)
        );
        let Silence::TooLong(told) = silence(&mut watched, &wanted, 55.0, 65.0) else {
            panic!("it is silent");
        };
        assert_eq!(told.silent_secs, Some(10.0));
        assert_eq!(
            silence(&mut watched, &wanted, 55.0, 66.0),
            Silence::OfNoInterest
        );
        assert_eq!(
            silence(&mut watched, &Wanted::default(), 65.0, 66.0),
            Silence::OfNoInterest
        );
        assert_eq!(
            silence(&mut watched, &wanted, 0.0, 66.0),
            Silence::OfNoInterest
        );
    }

    #[test]
    fn only_new_numbers_that_are_not_finite_count_and_only_of_metrics_that_are_asked_for() {
        let any = Wanted {
            any_metric: true,
            ..Wanted::default()
        };
        let mut watched = WatchedRun::default();
        let before = counts(&[("loss", 2)]);
        assert_eq!(non_finite(&mut watched, &any, &before), None);
        assert_eq!(non_finite(&mut watched, &any, &before), None);
        let after = counts(&[("acc", 1), ("loss", 2)]);
        assert_eq!(
            non_finite(&mut watched, &any, &after).unwrap().metrics,
            ["acc"]
        );
        let loss = Wanted {
            metrics: ["loss".to_owned()].into(),
            ..Wanted::default()
        };
        assert_eq!(non_finite(&mut watched, &loss, &after), None);
        let later = counts(&[("acc", 1), ("loss", 3)]);
        assert_eq!(
            non_finite(&mut watched, &loss, &later).unwrap().metrics,
            ["loss"]
        );
    }

    #[test]
    fn a_metric_that_is_asked_for_by_name_is_told_beside_any_other() {
        let mut wanted = Wanted {
            any_metric: true,
            ..Wanted::default()
        };
        let mut watched = WatchedRun {
            non_finite: Some(BTreeMap::new()),
            ..WatchedRun::default()
        };
        let keys = |told: &Told| told.keys("/r", "a").collect::<Vec<_>>();
        let any = keys(&non_finite(&mut watched, &wanted, &counts(&[("acc", 1)])).unwrap());
        wanted.metrics.insert("loss".to_owned());
        let both = counts(&[("acc", 1), ("loss", 1)]);
        let both = keys(&non_finite(&mut watched, &wanted, &both).unwrap());
        assert_eq!((any.len(), both.len()), (1, 2));
        assert!(both.contains(&any[0]));
    }
}
