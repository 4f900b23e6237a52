//! Values of many runs for the columns of a table: configuration, summary, and the last, smallest and largest value of each metric.
//!
//! What was read is kept and known by the stamps of the three files it came from, so asking again costs three looks at a file. A short
//! `events.jsonl` is read past the cache of metrics: walking over thousands of runs must not push out the columns that charts show.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Map, Number, Value};

use crate::growing::FileStamp;
use crate::index::record::{MAX_ASSETS_BYTES, SmallFile};
use crate::layout;
use crate::metrics::{MetricCache, MetricSummary, RunMetrics};
use crate::run_dir::RunDir;

/// Memory that values may take, about. Beyond it all are forgotten and read again where they are asked for.
const LIMIT_BYTES: u64 = 24 << 20;
/// A longer text is cut: it is for a cell of a table.
const LONGEST_TEXT_CHARS: usize = 300;
/// Values nested deeper stay together as JSON.
const DEEPEST: usize = 8;
/// Most values of one file of one run.
const MOST_VALUES: usize = 5000;

/// One column: where its values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueField {
    /// A member of the configuration; members of members are joined by dots.
    Config(String),
    /// A member of `summary.json`, joined likewise.
    Summary(String),
    /// The last number of a metric.
    Last(String),
    /// The smallest finite number of a metric.
    Min(String),
    /// The largest finite number of a metric.
    Max(String),
}

impl ValueField {
    /// `config:lr`, `summary:acc`, `last:loss`, `min:loss` or `max:loss`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':')?;
        let name = name.to_owned();
        Some(match kind {
            "config" => Self::Config(name),
            "summary" => Self::Summary(name),
            "last" => Self::Last(name),
            "min" => Self::Min(name),
            "max" => Self::Max(name),
            _ => return None,
        })
    }
}

/// The values of one run.
#[derive(Debug, Default)]
pub struct RunValues {
    config: Vec<(String, Value)>,
    summary: Vec<(String, Value)>,
    metrics: Vec<MetricSummary>,
}

impl RunValues {
    fn read(run: &RunDir, metrics: &MetricCache) -> Self {
        let mut config = Vec::new();
        if let SmallFile::Object(assets) = SmallFile::read(run, layout::ASSETS, MAX_ASSETS_BYTES)
            && let Some(Value::Object(recorded)) = assets.get("config")
        {
            for part in ["args", "extra"] {
                if let Some(Value::Object(members)) = recorded.get(part) {
                    flatten(members, "", 0, &mut config);
                }
            }
        }
        let mut summary = Vec::new();
        if let SmallFile::Object(members) = SmallFile::read(run, layout::SUMMARY, MAX_ASSETS_BYTES)
        {
            flatten(&members, "", 0, &mut summary);
        }
        // Of the two parts of a configuration the later one counts, as the SDK merges them.
        config.reverse();
        for values in [&mut config, &mut summary] {
            values.sort_by(|a, b| a.0.cmp(&b.0));
            values.dedup_by(|later, kept| later.0 == kept.0);
        }
        let reading = metrics.of_run_in_passing(run);
        Self {
            config,
            summary,
            metrics: reading.map_or_else(|_| Vec::new(), |it| RunMetrics::of(&it.columns).metrics),
        }
    }

    /// The value of a column; null where the run has none. Numbers that are none are the texts `NaN`, `Infinity` and `-Infinity`.
    pub fn of(&self, field: &ValueField) -> Value {
        let recorded = |values: &[(String, Value)], name: &str| {
            let at = values.binary_search_by(|(key, _)| key.as_str().cmp(name));
            at.map_or(Value::Null, |at| values[at].1.clone())
        };
        let metric = |name: &str, value: fn(&MetricSummary) -> Option<f64>| {
            let at = self
                .metrics
                .binary_search_by(|metric| metric.name.as_str().cmp(name));
            at.ok()
                .and_then(|at| value(&self.metrics[at]))
                .map_or(Value::Null, number)
        };
        match field {
            ValueField::Config(name) => recorded(&self.config, name),
            ValueField::Summary(name) => recorded(&self.summary, name),
            ValueField::Last(name) => metric(name, |metric| metric.last),
            ValueField::Min(name) => metric(name, |metric| metric.min),
            ValueField::Max(name) => metric(name, |metric| metric.max),
        }
    }

    /// About.
    fn bytes(&self) -> u64 {
        let recorded = self.config.iter().chain(&self.summary);
        let texts: usize = recorded
            .map(|(name, value)| name.len() + value.as_str().map_or(0, str::len) + 64)
            .sum();
        let metrics: usize = self
            .metrics
            .iter()
            .map(|metric| metric.name.len() + size_of::<MetricSummary>())
            .sum();
        (texts + metrics) as u64
    }
}

fn number(value: f64) -> Value {
    Number::from_f64(value).map_or_else(
        || {
            let word = match value {
                _ if value.is_nan() => "NaN",
                _ if value > 0.0 => "Infinity",
                _ => "-Infinity",
            };
            Value::String(word.to_owned())
        },
        Value::Number,
    )
}

/// The members of an object and of the objects in it. Lists, and what lies too deep, become their JSON.
fn flatten(
    members: &Map<String, Value>,
    prefix: &str,
    depth: usize,
    into: &mut Vec<(String, Value)>,
) {
    for (name, value) in members {
        if into.len() >= MOST_VALUES {
            return;
        }
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) if depth < DEEPEST && !inner.is_empty() => {
                flatten(inner, &format!("{name}."), depth + 1, into);
            }
            Value::Object(_) | Value::Array(_) => {
                into.push((name, Value::String(cut(&value.to_string()))));
            }
            Value::String(text) => into.push((name, Value::String(cut(text)))),
            _ => into.push((name, value.clone())),
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The files that values come from, as they were when they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamps([FileStamp; 3]);

impl Stamps {
    fn of(run: &RunDir) -> Self {
        Self(
            [layout::ASSETS, layout::SUMMARY, layout::EVENTS].map(|name| {
                let file = run.open(name);
                file.and_then(|file| FileStamp::of(&file))
                    .unwrap_or_default()
            }),
        )
    }

    /// Whether all were so old that a later change must have another stamp.
    fn are_settled(&self) -> bool {
        self.0.iter().all(FileStamp::is_settled)
    }
}

#[derive(Debug, Clone)]
struct Held {
    stamps: Stamps,
    settled: bool,
    values: Arc<RunValues>,
}

/// Names that columns can have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueNames {
    /// Of configurations.
    pub config: BTreeSet<String>,
    /// Of summaries.
    pub summary: BTreeSet<String>,
    /// Of metrics.
    pub metrics: BTreeSet<String>,
}

/// Values of runs that were asked for lately.
#[derive(Debug, Default)]
pub struct ValueCache {
    held: Mutex<HashMap<PathBuf, Held>>,
    bytes: AtomicU64,
}

impl ValueCache {
    /// The values of each run, on two threads; `None` for those that `deadline` came before.
    pub fn of_runs(
        &self,
        runs: &[RunDir],
        metrics: &MetricCache,
        deadline: Instant,
    ) -> Vec<Option<Arc<RunValues>>> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(vec![None; runs.len()]);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                // The first one is always read, so that whoever asks again gets on.
                match runs.get(at) {
                    Some(run) if at == 0 || Instant::now() < deadline => {
                        let values = self.of_run(run, metrics);
                        found.lock()[at] = Some(values);
                    }
                    _ => return,
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
        found.into_inner()
    }

    fn of_run(&self, run: &RunDir, metrics: &MetricCache) -> Arc<RunValues> {
        let stamps = Stamps::of(run);
        if let Some(held) = self.held.lock().get(&run.dir)
            && held.settled
            && held.stamps == stamps
        {
            return Arc::clone(&held.values);
        }
        let values = Arc::new(RunValues::read(run, metrics));
        let held = Held {
            stamps,
            settled: stamps.are_settled(),
            values: Arc::clone(&values),
        };
        self.keep(run.dir.clone(), held);
        values
    }

    fn keep(&self, dir: PathBuf, new: Held) {
        let bytes = new.values.bytes();
        let mut held = self.held.lock();
        if self.bytes.load(Ordering::Relaxed) + bytes > LIMIT_BYTES {
            held.clear();
            self.bytes.store(0, Ordering::Relaxed);
        }
        let before = held.insert(dir, new).map_or(0, |old| old.values.bytes());
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
    }
}

impl ValueNames {
    /// Names of everything that these runs have.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunValues>) -> Self {
        let add = |into: &mut BTreeSet<String>, name: &String| {
            if !into.contains(name) {
                into.insert(name.clone());
            }
        };
        let mut names = Self::default();
        for values in runs {
            for (name, _) in &values.config {
                add(&mut names.config, name);
            }
            for (name, _) in &values.summary {
                add(&mut names.summary, name);
            }
            for metric in &values.metrics {
                add(&mut names.metrics, &metric.name);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::Layout;
    use crate::run_dir::RootDir;

    struct Runs {
        _folder: tempfile::TempDir,
        dirs: Vec<RunDir>,
        metrics: MetricCache,
    }

    impl Runs {
        fn of(configs: &[Value]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = Arc::new(RootDir::open(folder.path()).unwrap());
            let dirs = configs.iter().enumerate().map(|(at, config)| {
                let directory = format!("runs/{at}");
                std::fs::create_dir_all(folder.path().join(&directory)).unwrap();
                let assets = folder.path().join(&directory).join(layout::ASSETS);
                std::fs::write(assets, json!({"config": config}).to_string()).unwrap();
                RunDir::new(Arc::clone(&root), &directory, Layout::Current, false).unwrap()
            });
            Self {
                dirs: dirs.collect(),
                metrics: MetricCache::new(folder.path().join("cache"), 1 << 20),
                _folder: folder,
            }
        }

        fn config(&self, name: &str) -> Value {
            let values = RunValues::read(&self.dirs[0], &self.metrics);
            values.of(&ValueField::Config(name.to_owned()))
        }
    }

    #[test]
    fn members_of_members_are_joined_by_dots_and_lists_are_their_json() {
        let config = json!({"args": {"opt": {"name": "adamw", "betas": [0.9, 0.99], "none": {}}}});
        let runs = Runs::of(&[config]);
        assert_eq!(runs.config("opt.name"), "adamw");
        assert_eq!(runs.config("opt.betas"), "[0.9,0.99]");
        assert_eq!(runs.config("opt.none"), "{}");
        assert_eq!(runs.config("opt"), Value::Null);
    }

    #[test]
    fn what_was_added_later_counts_more_than_an_argument() {
        let runs = Runs::of(&[json!({"args": {"lr": 1, "a": 1}, "extra": {"lr": 2}})]);
        assert_eq!((runs.config("lr"), runs.config("a")), (json!(2), json!(1)));
    }

    #[test]
    fn a_configuration_that_is_no_object_has_no_values_and_hurts_nobody() {
        for config in [
            json!([1, 2]),
            json!("text"),
            json!({"args": [1], "extra": 5}),
        ] {
            assert_eq!(Runs::of(&[config]).config("lr"), Value::Null);
        }
    }

    #[test]
    fn long_texts_are_cut_for_a_cell() {
        let runs = Runs::of(&[json!({"args": {"text": "界".repeat(5000)}})]);
        let text = runs.config("text");
        assert_eq!(
            text.as_str().unwrap().chars().count(),
            LONGEST_TEXT_CHARS + 1
        );
    }

    #[test]
    fn when_time_is_over_at_least_one_run_is_read_so_that_asking_again_gets_on() {
        let runs = Runs::of(&[json!({}), json!({}), json!({})]);
        let found = ValueCache::default().of_runs(&runs.dirs, &runs.metrics, Instant::now());
        let read: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(read, [true, false, false]);
    }

    #[test]
    fn memory_stays_below_its_limit() {
        let text = "x".repeat(LONGEST_TEXT_CHARS);
        let member = |at| (format!("key{at}"), Value::from(text.clone()));
        let args: Map<String, Value> = (0..4000).map(member).collect();
        let runs = Runs::of(&vec![json!({"args": args}); 20]);
        let cache = ValueCache::default();
        let deadline = Instant::now() + std::time::Duration::from_mins(1);
        let found = cache.of_runs(&runs.dirs, &runs.metrics, deadline);
        assert!(found.iter().all(Option::is_some));
        let held = cache.held.lock();
        let bytes: u64 = held.values().map(|held| held.values.bytes()).sum();
        assert!(held.len() < 20 && bytes <= LIMIT_BYTES, "{bytes}");
        assert_eq!(bytes, cache.bytes.load(Ordering::Relaxed));
    }
}
