//! Reads the small files of one run into a row, and repairs what is damaged.
//!
//! A file of the wrong shape never hides a run: what can be shown is shown and `problem` names the rest. The SDK rewrites these files
//! by truncating them, so an empty or cut-off file that was just written is read again a few milliseconds later before it counts as
//! damaged, and what it said before stays until it can be read again.

use std::io;
use std::path::Path;
use std::time::Duration;

use cap_std::fs::Dir;
use serde_json::{Map, Value};

use super::stamp::{self, STAMP_BYTES, Stamp};
use crate::error::ReadProblem;
use crate::json;
use crate::layout;
use crate::run::{Layout, RunId, RunPath, RunRow, StatusReason};
use crate::run_dir::{RootDir, RunDir, open_plain, read_bounded};

/// Largest `meta.json`, `status.json`, `summary.json` or `.deleted` that is read.
pub(crate) const MAX_SMALL_FILE_BYTES: u64 = 4 << 20;
/// Largest `assets.json` that is read.
pub(crate) const MAX_ASSETS_BYTES: u64 = 64 << 20;
/// How long and how often a file is read again when it looks as if somebody were writing it.
const REREAD_PAUSE: Duration = Duration::from_millis(4);
const REREADS: usize = 3;

/// The files whose stamps tell that a row is as it was.
const STAMPED: [&str; 5] = [
    layout::META,
    layout::STATUS,
    layout::SUMMARY,
    layout::ASSETS,
    layout::DELETED,
];
/// The files that grow while a run is live.
const GROWING: [&str; 2] = [layout::EVENTS, layout::LOGS];

/// Stamps of a run's directory and of the files its row is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RunStamps {
    pub(crate) dir: Stamp,
    files: [Stamp; STAMPED.len()],
    growing: [Stamp; GROWING.len()],
}

impl RunStamps {
    /// Whether the row's own files are the same; growth of metrics and logs aside.
    pub(crate) fn same_row(&self, other: &Self) -> bool {
        self.dir == other.dir && self.files == other.files
    }

    /// Whether metrics and logs are as they were.
    pub(crate) fn same_growth(&self, other: &Self) -> bool {
        self.growing == other.growing
    }

    /// Whether one of the row's files may have changed again unseen.
    pub(crate) fn is_racy(&self, looked_at_ns: i64) -> bool {
        self.files.iter().any(|stamp| stamp.is_racy(looked_at_ns)) || self.dir.is_racy(looked_at_ns)
    }

    /// Whether the directory holds what makes it a run.
    pub(crate) fn has_marker(&self) -> bool {
        let [meta, status, ..] = &self.files;
        meta.exists() || status.exists()
    }

    fn is_deleted(&self) -> bool {
        self.files.last().is_some_and(Stamp::exists)
    }

    /// When one of the files was last written, in Unix seconds.
    pub(crate) fn last_write_at(&self) -> Option<f64> {
        let files = self.files.iter().chain(&self.growing);
        let newest = files
            .filter(|stamp| stamp.exists())
            .map(|stamp| stamp.modified_ns)
            .max();
        newest.map(|newest| seconds(i128::from(newest)))
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let all = std::iter::once(&self.dir)
            .chain(&self.files)
            .chain(&self.growing);
        all.flat_map(|stamp| stamp.to_bytes()).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut stamps = bytes.chunks_exact(STAMP_BYTES).map_while(Stamp::from_bytes);
        let mut found = Self {
            dir: stamps.next()?,
            ..Self::default()
        };
        for place in found.files.iter_mut().chain(&mut found.growing) {
            *place = stamps.next()?;
        }
        Some(found)
    }
}

/// An open run directory, for reading several of its files quickly.
pub(crate) struct OpenRun<'a> {
    root: &'a RootDir,
    directory: &'a str,
    dir: Dir,
}

impl<'a> OpenRun<'a> {
    pub(crate) fn open(root: &'a RootDir, directory: &'a str) -> io::Result<Self> {
        let dir = root.dir.open_dir(directory)?;
        Ok(Self {
            root,
            directory,
            dir,
        })
    }

    /// The stamps as they are now.
    pub(crate) fn stamps(&self) -> io::Result<RunStamps> {
        Ok(RunStamps {
            dir: stamp::of_dir(&self.dir)?,
            files: STAMPED.map(|name| self.stamp(name)),
            growing: GROWING.map(|name| self.stamp(name)),
        })
    }

    fn stamp(&self, name: &str) -> Stamp {
        let (found, is_link) = stamp::of_name(&self.dir, Path::new(name));
        if !is_link {
            return found;
        }
        // The target is read through the root, which keeps a link inside; its time and size stand for the link's.
        let target = self.root.dir.metadata(Path::new(self.directory).join(name));
        let Ok(metadata) = target else { return found };
        let modified = metadata.modified().map(cap_std::time::SystemTime::into_std);
        let modified_ns = modified
            .map(|time| i64::try_from(crate::run_dir::nanoseconds(time)).unwrap_or_default());
        Stamp {
            modified_ns: modified_ns.unwrap_or_default(),
            bytes: metadata.len(),
            ..found
        }
    }

    fn read(&self, name: &str, max_bytes: u64) -> Result<Vec<u8>, ReadProblem> {
        let file = open_plain(&self.dir, Path::new(name)).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => Err(error),
            _ => open_plain(&self.root.dir, &Path::new(self.directory).join(name)),
        })?;
        read_bounded(file, max_bytes)
    }

    fn read_object(&self, name: &'static str, stamp: Stamp) -> SmallFile {
        if !stamp.exists() {
            return SmallFile::Missing;
        }
        let limit = if name == layout::ASSETS {
            MAX_ASSETS_BYTES
        } else {
            MAX_SMALL_FILE_BYTES
        };
        patiently(stamp, || object_of(name, self.read(name, limit)))
    }

    /// Reads the row. Where a file cannot be read, what `last` says of it stays.
    pub(crate) fn read_row(
        &self,
        place: &Place,
        stamps: &RunStamps,
        last: Option<&RunRow>,
    ) -> RunRow {
        let [meta, status, summary, assets, deleted] = stamps.files;
        let mut row = RunRow::empty(
            place.id.clone(),
            place.path.clone(),
            self.directory,
            place.layout,
        );
        row.deleted = place.layout == Layout::Recycled || stamps.is_deleted();
        row.has_meta = meta.exists();
        row.last_write_at = stamps.last_write_at();
        let mut problems = Vec::new();
        self.part(layout::META, meta, &mut row, last, &mut problems);
        self.part(layout::STATUS, status, &mut row, last, &mut problems);
        self.part(layout::SUMMARY, summary, &mut row, last, &mut problems);
        self.part(layout::ASSETS, assets, &mut row, last, &mut problems);
        if place.layout == Layout::Recycled {
            self.original_path(deleted, &mut row);
        }
        if row.created_at_is_guess {
            row.created_at = seconds(i128::from(stamps.dir.modified_ns));
        }
        row.problem = (!problems.is_empty()).then(|| problems.join("; "));
        row.status.clone_from(&row.recorded_status);
        row.reason = row.recorded_reason;
        row
    }

    fn part(
        &self,
        name: &'static str,
        stamp: Stamp,
        row: &mut RunRow,
        last: Option<&RunRow>,
        problems: &mut Vec<String>,
    ) {
        match self.read_object(name, stamp) {
            SmallFile::Object(object) => Facts {
                name,
                object,
                problems,
            }
            .into_row(row),
            SmallFile::Missing if name == layout::STATUS => {
                row.recorded_reason = StatusReason::MissingStatus;
            }
            SmallFile::Missing => {}
            SmallFile::Damaged(problem) => {
                problems.push(problem);
                if let Some(last) = last {
                    keep_last(name, row, last);
                }
                if name == layout::STATUS {
                    row.recorded_reason = StatusReason::TornStatus;
                }
            }
        }
    }

    fn original_path(&self, deleted: Stamp, row: &mut RunRow) {
        let marker = self.read_object(layout::DELETED, deleted);
        let recorded = match &marker {
            SmallFile::Object(object) => object.get("original_path").and_then(Value::as_str),
            _ => None,
        };
        if let Some(path) = recorded.or(row.meta_path.as_deref()) {
            row.path = RunPath::from_directory(path);
        }
    }
}

/// Which run is read.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) id: RunId,
    pub(crate) path: RunPath,
    pub(crate) layout: Layout,
}

/// A small JSON file, as far as it can be read.
pub(crate) enum SmallFile {
    Object(Map<String, Value>),
    Missing,
    Damaged(String),
}

impl SmallFile {
    /// Reads a JSON object of a run; waits a moment for a writer when it is empty or cut off.
    pub(crate) fn read(run: &RunDir, name: &str, max_bytes: u64) -> Self {
        let read = || object_of(name, run.read(name, max_bytes));
        let modified_ns = run.stat(name).map_or(0, |stat| stat.modified_ns);
        let stamp = Stamp {
            modified_ns: i64::try_from(modified_ns).unwrap_or_default(),
            ..Stamp::default()
        };
        patiently(stamp, read)
    }
}

fn object_of(name: &str, read: Result<Vec<u8>, ReadProblem>) -> SmallFile {
    match read {
        Ok(bytes) => match json::parse_object(&bytes) {
            Ok(object) => SmallFile::Object(object),
            Err(_) if bytes.is_empty() => SmallFile::Damaged(format!("{name} is empty")),
            Err(problem) => SmallFile::Damaged(format!("{name}: {problem}")),
        },
        Err(ReadProblem::Missing) => SmallFile::Missing,
        Err(problem) => SmallFile::Damaged(format!("{name}: {problem}")),
    }
}

/// Reads again what is damaged and was just written.
fn patiently(stamp: Stamp, read: impl Fn() -> SmallFile) -> SmallFile {
    let mut found = read();
    for _ in 0..REREADS {
        if !(matches!(found, SmallFile::Damaged(_)) && stamp.is_racy(now_ns())) {
            break;
        }
        std::thread::sleep(REREAD_PAUSE);
        found = read();
    }
    found
}

/// Reads a run into a row; the status is the recorded one.
pub(crate) fn read_row(run: &RunDir) -> RunRow {
    let place = Place {
        id: run.id.clone(),
        path: run.path.clone(),
        layout: run.layout,
    };
    let open = OpenRun::open(run.root(), &run.directory);
    match open.and_then(|open| Ok((open.stamps()?, open))) {
        Ok((stamps, open)) => open.read_row(&place, &stamps, None),
        Err(error) => {
            let mut row = RunRow::empty(place.id, place.path, &run.directory, run.layout);
            row.problem = Some(format!("the directory cannot be read: {error}"));
            row
        }
    }
}

fn keep_last(name: &str, row: &mut RunRow, last: &RunRow) {
    match name {
        layout::META => {
            row.meta_path.clone_from(&last.meta_path);
            row.alias.clone_from(&last.alias);
            row.tags.clone_from(&last.tags);
            row.pid = last.pid;
            row.hostname.clone_from(&last.hostname);
            row.created_at = last.created_at;
            row.created_at_is_guess = last.created_at_is_guess;
        }
        layout::STATUS => {
            row.recorded_status.clone_from(&last.recorded_status);
            row.started_at = last.started_at;
            row.ended_at = last.ended_at;
        }
        layout::SUMMARY => {
            row.best_metric_name.clone_from(&last.best_metric_name);
            row.best_metric_value = last.best_metric_value;
            row.best_metric_step = last.best_metric_step;
            row.best_metric_mode.clone_from(&last.best_metric_mode);
        }
        _ => row.assets_count = last.assets_count,
    }
}

/// The members of one file, taken with the types they should have.
struct Facts<'a> {
    name: &'static str,
    object: Map<String, Value>,
    problems: &'a mut Vec<String>,
}

impl Facts<'_> {
    fn into_row(mut self, row: &mut RunRow) {
        match self.name {
            layout::META => self.meta(row),
            layout::STATUS => {
                if let Some(word) = self.text("status").filter(|word| !word.is_empty()) {
                    row.recorded_status = word;
                }
                row.started_at = self.number("started_at");
                row.ended_at = self.number("ended_at");
            }
            layout::SUMMARY => {
                row.best_metric_name = self.text("best_metric_name");
                row.best_metric_value = self.number("best_metric_value");
                row.best_metric_step = self.integer("best_metric_step");
                row.best_metric_mode = self.text("best_metric_mode");
            }
            _ => row.assets_count = assets_count(&self.object),
        }
    }

    fn meta(&mut self, row: &mut RunRow) {
        row.meta_path = self.text("path");
        row.alias = self.text("alias");
        row.tags = self.texts("tags");
        row.pid = self.integer("pid");
        row.hostname = self.text("hostname");
        if let Some(created_at) = self.number("created_at") {
            row.created_at = created_at;
            row.created_at_is_guess = false;
        }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.object.get_mut(key)? {
            Value::String(text) => Some(std::mem::take(text)),
            Value::Null => None,
            _ => self.wrong(key, "a text"),
        }
    }

    fn number(&mut self, key: &str) -> Option<f64> {
        match self.object.get(key)? {
            Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Value::Null => None,
            _ => self.wrong(key, "a number"),
        }
    }

    fn integer(&mut self, key: &str) -> Option<i64> {
        let number = match self.object.get(key)? {
            Value::Number(number) => number,
            Value::Null => return None,
            _ => return self.wrong(key, "an integer"),
        };
        let whole = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and small"
        )]
        let found = number.as_i64().or(whole.map(|float| float as i64));
        found.or_else(|| self.wrong(key, "an integer"))
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let items = match self.object.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return self.wrong(key, "a list of texts").unwrap_or_default(),
        };
        let texts: Vec<String> = items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        if texts.len() < items.len() {
            self.wrong::<()>(key, "a list of texts");
        }
        texts
    }

    fn wrong<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        self.problems
            .push(format!("{}: {key} is not {expected}", self.name));
        None
    }
}

/// How many assets `assets.json` names.
pub fn assets_count(assets: &Map<String, Value>) -> u64 {
    let snapshot = assets.get("code").and_then(|code| code.get("snapshot"));
    let config = assets.get("config").and_then(Value::as_object);
    let lists = ["datasets", "pretrained", "outputs"]
        .iter()
        .filter_map(|key| assets.get(*key).and_then(Value::as_array))
        .map(|items| items.len() as u64)
        .sum::<u64>();
    u64::from(snapshot.is_some_and(Value::is_object))
        + u64::from(config.is_some_and(|config| !config.is_empty()))
        + lists
}

/// Unix seconds of nanoseconds since 1970.
pub(crate) fn seconds(nanoseconds: i128) -> f64 {
    nanoseconds as f64 / 1e9
}

/// Nanoseconds since 1970 of this moment.
pub(crate) fn now_ns() -> i64 {
    i64::try_from(crate::run_dir::nanoseconds(std::time::SystemTime::now())).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_a_run_survive_their_bytes() {
        let stamps = RunStamps {
            dir: Stamp {
                node: 5,
                ..Stamp::default()
            },
            ..RunStamps::default()
        };
        assert_eq!(RunStamps::from_bytes(&stamps.to_bytes()), Some(stamps));
        assert_eq!(RunStamps::from_bytes(&stamps.to_bytes()[..100]), None);
    }

    #[test]
    fn assets_are_counted_as_the_real_server_counts() {
        let check = |text: &str, expected: u64| {
            assert_eq!(
                assets_count(&json::parse_object(text.as_bytes()).unwrap()),
                expected,
                "{text}"
            );
        };
        check(
            r#"{"code":{},"config":{},"datasets":[],"pretrained":[],"outputs":[]}"#,
            0,
        );
        check(
            r#"{"code":{"snapshot":{}},"config":{"args":{}},"datasets":[1,2],"outputs":[3]}"#,
            5,
        );
        check(r#"{"code":[],"config":[1],"datasets":"x"}"#, 0);
    }
}
