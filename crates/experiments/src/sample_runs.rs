//! A small storage root with sample runs, in the form that the SDK writes, for somebody who has recorded none yet.
//!
//! Seven runs of three projects: learning curves that cross and overtake each other, a run that diverged and failed, one that was
//! interrupted, logs with colours, images of predictions, configurations to compare. Made in a folder of ours, never in the user's root, and
//! whole at once: it is written beside its place and renamed.

mod picture;
mod story;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::error::StoreError;
use crate::layout;
use story::{STORIES, Story};

/// Where the sample root lies in a state folder.
pub fn sample_root(state_dir: &Path) -> PathBuf {
    state_dir.join("samples").join("root")
}

/// Makes the sample root, unless it is there, and says where it is.
pub fn make_sample_runs(state_dir: &Path) -> Result<PathBuf, StoreError> {
    let root = sample_root(state_dir);
    if root.join(layout::RUNS).is_dir() {
        return Ok(root);
    }
    let parent = state_dir.join("samples");
    let failed = |error| StoreError::io(&parent, error);
    fs::create_dir_all(&parent).map_err(failed)?;
    let draft = tempfile::Builder::new()
        .prefix("draft-")
        .tempdir_in(&parent)
        .map_err(failed)?;
    let now = Timestamp::now();
    for story in &STORIES {
        write_run(draft.path(), &root, story, now).map_err(failed)?;
    }
    match fs::rename(draft.path(), &root) {
        // Somebody else has just made it.
        Err(_) if root.join(layout::RUNS).is_dir() => Ok(root),
        Err(error) => Err(failed(error)),
        Ok(()) => {
            // The draft's folder is the root now; there is nothing left to remove.
            drop(draft.keep());
            Ok(root)
        }
    }
}

/// Writes a run into `draft`, which will be `root`.
fn write_run(draft: &Path, root: &Path, story: &Story, now: Timestamp) -> io::Result<()> {
    let started = now.as_millisecond() as f64 / 1000.0 - story.hours_ago * 3600.0;
    let id = run_id(started, story);
    let dir = draft.join(layout::run_directory(story.path, &id));
    fs::create_dir_all(dir.join(layout::MEDIA))?;
    let meta = json!({
        "id": id, "path": story.path, "alias": story.alias, "created_at": started, "python": "3.11.7",
        "platform": "Linux 6.8.0 (x86_64)", "hostname": "sample-gpu-01", "pid": 4242,
        "storage_dir": root.display().to_string(), "workspace_root": "/home/me/project", "tags": story.tags,
    });
    put(&dir, layout::META, &meta)?;
    let ended = started + story.steps as f64 * story.step_secs;
    put(
        &dir,
        layout::STATUS,
        &json!({"status": story.status, "started_at": started, "ended_at": ended}),
    )?;
    let config =
        json!({"args": (story.config)(), "extra": {}, "config_files": ["configs/train.yaml"]});
    let assets =
        json!({"code": {}, "config": config, "datasets": [], "pretrained": [], "outputs": []});
    put(&dir, layout::ASSETS, &assets)?;
    let records = story.records();
    let mut events = String::new();
    for record in &records {
        let time = started + record.step as f64 * story.step_secs;
        let mut data = record.values.clone();
        data.insert("global_step".to_owned(), record.step.into());
        data.insert("time".to_owned(), json!(time));
        let line = json!({"ts": time, "type": "metrics", "data": data});
        // JSON has no word for it, but the SDK writes it.
        let line = line.to_string().replace("\"<nan>\"", "NaN");
        writeln!(events, "{line}").map_err(io::Error::other)?;
    }
    for (at, step) in story.image_steps.iter().enumerate() {
        let (time, progress) = (
            started + *step as f64 * story.step_secs,
            *step as f64 / story.steps as f64,
        );
        let name = format!(
            "{}_{:06x}_predictions.png",
            (time * 1000.0).round(),
            at + 0xA0_0001
        );
        fs::write(
            dir.join(layout::MEDIA).join(&name),
            picture::predictions(progress, at),
        )?;
        let data = json!({"key": "predictions", "path": format!("media/{name}"), "step": step, "caption": format!("step {step}")});
        writeln!(
            events,
            "{}",
            json!({"ts": time, "type": "image", "data": data})
        )
        .map_err(io::Error::other)?;
    }
    fs::write(dir.join(layout::EVENTS), events)?;
    fs::write(dir.join(layout::LOGS), story.logs(&records, started))?;
    if let Some(best) = story.best(&records) {
        put(&dir, layout::SUMMARY, &best)?;
    }
    Ok(())
}

fn put(dir: &Path, name: &str, value: &Value) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    fs::write(dir.join(name), text)
}

/// The SDK's form of an id: local time and six hexadecimal digits.
fn run_id(started: f64, story: &Story) -> String {
    let time = local(started).strftime("%Y%m%d_%H%M%S").to_string();
    let mark = xxhash_rust::xxh3::xxh3_64(story.alias.as_bytes()) & 0xFF_FFFF;
    format!("{time}_{mark:06x}")
}

/// Local time of Unix seconds.
fn local(secs: f64) -> jiff::Zoned {
    #[expect(clippy::cast_possible_truncation, reason = "a time of these days")]
    let time = Timestamp::from_second(secs as i64).unwrap_or_default();
    time.to_zoned(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse_object;

    #[test]
    fn the_sample_root_is_made_once_and_reads_like_any_other() {
        let state = tempfile::tempdir().unwrap();
        let root = make_sample_runs(state.path()).unwrap();
        assert_eq!(make_sample_runs(state.path()).unwrap(), root);
        let store = crate::RunStore::open(crate::StoreConfig {
            root,
            cache_dir: state.path().join("cache"),
            state_dir: state.path().join("state"),
            ..crate::StoreConfig::default()
        })
        .unwrap();
        let list = store.complete_list(std::time::Duration::from_secs(30));
        assert_eq!(list.len(), STORIES.len());
        for row in list.rows() {
            assert!(row.id.is_standard(), "{}", row.id);
            assert_eq!(row.problem, None, "{}", row.id);
            assert_eq!(row.assets_count, 1);
            let run = store.find(row.id.as_str()).unwrap();
            let events = run.read(layout::EVENTS, 1 << 24).unwrap();
            let lines = events
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            assert!(lines.filter(|line| parse_object(line).is_ok()).count() > 20);
            assert!(
                run.read(layout::LOGS, 1 << 24).unwrap().contains(&0x1b),
                "logs have colours"
            );
        }
        let statuses: std::collections::BTreeSet<_> =
            list.rows().map(|row| row.status.clone()).collect();
        assert_eq!(
            statuses.into_iter().collect::<Vec<_>>(),
            ["failed", "finished", "interrupted"]
        );
        let pictures = list.rows().filter(|row| {
            let run = store.find(row.id.as_str()).unwrap();
            !run.list(layout::MEDIA, 100).unwrap().is_empty()
        });
        assert!(pictures.count() >= 2);
    }

    #[test]
    fn nothing_is_left_beside_the_sample_root() {
        let state = tempfile::tempdir().unwrap();
        make_sample_runs(state.path()).unwrap();
        let names: Vec<_> = fs::read_dir(state.path().join("samples"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["root"]);
    }
}
