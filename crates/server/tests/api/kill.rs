//! Our viewer is killed in the middle of writes, 200 times in all for each SDK, into a root that this SDK writes at the same
//! time. Nothing is lost, and the count of what was answered and of what was under way shows that there was something to lose.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::programs::{Program, python_with};

const ROUNDS: u64 = 200;
/// Fewer changes than this answered, or fewer kills with one under way, and the rounds have proved nothing.
const ENOUGH: u64 = 50;
/// The run whose alias changes, the one that moves about, and the one that the SDK is writing.
const RENAMED: &str = "20250101_000000_000000";
const MOVED: &str = "20250101_000000_000001";
const LIVE: &str = "20250101_000000_0000ff";

const SDK: &str = r#"
import sys, threading, time
import runicorn as rn
root = sys.argv[1]
for number, name in enumerate(["a", "b"]):
    run = rn.init(path="kill/" + name, storage=root, run_id="20250101_000000_00000%d" % number)
    for step in range(5):
        run.log({"loss": 1.0 / (step + 1)}, step=step)
    run.finish()
run = rn.init(path="live", storage=root, run_id="20250101_000000_0000ff")
stop = threading.Event()
def wait_for_the_end():
    sys.stdin.readline()
    stop.set()
threading.Thread(target=wait_for_the_end, daemon=True).start()
print("ready", flush=True)
count = 0
while not stop.is_set():
    run.log({"loss": count}, step=count)
    run.log_text("line %d" % count)
    count += 1
    time.sleep(0.004)
run.finish()
print(count, flush=True)
"#;

/// Something that a request changes: what was answered for, and what is under way.
#[derive(Default)]
struct Changing<T> {
    answered: T,
    asked: Option<T>,
}

impl<T: Clone + PartialEq + std::fmt::Debug> Changing<T> {
    fn settle(&mut self, found: T, what: &str) {
        let fits = found == self.answered || Some(&found) == self.asked.as_ref();
        assert!(
            fits,
            "{what} is {found:?}: answered was {:?}, asked {:?}",
            self.answered, self.asked
        );
        self.answered = found;
        self.asked = None;
    }
}

/// What the requests have done so far, as far as it was answered.
#[derive(Default)]
struct Truth {
    alias: Mutex<Changing<u64>>,
    live_alias: Mutex<Changing<u64>>,
    place: Mutex<Changing<String>>,
    /// Imported runs that must be there, or gone.
    imported: Mutex<Vec<(String, Changing<bool>)>>,
    tally: Tally,
}

/// What the rounds came to.
#[derive(Default)]
struct Tally {
    renamed: AtomicU64,
    moved: AtomicU64,
    imported: AtomicU64,
    /// Rounds that ended with a change asked for and not answered.
    under_way: AtomicU64,
    answer: Notify,
}

impl Tally {
    fn add(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
        self.answer.notify_one();
    }

    /// Waits for so many answers from now on.
    async fn wait_for(&self, answers: u64) {
        let answered = || self.all()[..3].iter().map(|(_, count)| count).sum::<u64>();
        let wanted = answered() + answers;
        while answered() < wanted {
            self.answer.notified().await;
        }
    }

    fn all(&self) -> [(&'static str, u64); 4] {
        [
            ("renames", &self.renamed),
            ("moves", &self.moved),
            ("imports", &self.imported),
            ("kills under way", &self.under_way),
        ]
        .map(|(what, count)| (what, count.load(Ordering::Relaxed)))
    }
}

/// Where a run is, and that it is deleted when its marker says so. One SDK's roots keep deleted runs in a folder of their own,
/// the other's where they were.
fn place_of(root: &Path, run: &Path) -> String {
    let place = run.strip_prefix(root).unwrap().display().to_string();
    if run.join(".deleted").exists() {
        format!("{place}{DELETED}")
    } else {
        place
    }
}

const DELETED: &str = " (deleted)";

struct Bench {
    folder: tempfile::TempDir,
    /// Whether deleted runs go to a folder of their own, as 0.7.2 keeps them.
    has_bin: bool,
    client: reqwest::Client,
    truth: Arc<Truth>,
}

impl Bench {
    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// After a start, everything must be whole and be what was answered (or what was under way).
    fn check_after_start(&self) {
        let root = self.root();
        let runs = runs_below(&root);
        let run = |id: &str| {
            let places: Vec<&PathBuf> = runs.iter().filter(|run| run.ends_with(id)).collect();
            assert!(places.len() <= 1, "{id} is there twice: {places:?}");
            places.first().copied()
        };
        let alias_of = |id: &str| -> u64 {
            let text = std::fs::read_to_string(run(id).unwrap().join("meta.json")).unwrap();
            let meta: Value = serde_json::from_str(&text).unwrap();
            meta["alias"]
                .as_str()
                .map_or(0, |alias| alias.parse().unwrap())
        };
        let truth = &self.truth;
        truth.alias.lock().settle(alias_of(RENAMED), "the alias");
        let live = alias_of(LIVE);
        truth
            .live_alias
            .lock()
            .settle(live, "the alias of the live run");
        let moved = run(MOVED).unwrap_or_else(|| panic!("a run is lost"));
        let place = place_of(&root, moved);
        truth.place.lock().settle(place, "the place of a run");
        for (id, there) in truth.imported.lock().iter_mut() {
            there.settle(run(id).is_some(), id);
        }
        assert!(
            !root.join(".runicorn-desktop").exists(),
            "the work folder is left over"
        );
    }

    /// Right after the kill: no file that anybody reads is cut off, and no run is half there.
    fn check_after_kill(&self) {
        let truth = &self.truth;
        let is_under_way = truth.alias.lock().asked.is_some()
            || truth.live_alias.lock().asked.is_some()
            || truth.place.lock().asked.is_some();
        if is_under_way {
            truth.tally.add(&truth.tally.under_way);
        }
        for run in runs_below(&self.root()) {
            for name in ["meta.json", "status.json", ".deleted"] {
                let Ok(text) = std::fs::read_to_string(run.join(name)) else {
                    continue;
                };
                let written_by_the_sdk = run.ends_with(LIVE) && name == "status.json";
                let whole = serde_json::from_str::<Value>(&text).is_ok();
                assert!(
                    whole || written_by_the_sdk,
                    "{}/{name}: {text:?}",
                    run.display()
                );
            }
            let id = run.file_name().unwrap().to_string_lossy().into_owned();
            if id.starts_with("20240101") {
                let names: BTreeSet<String> = std::fs::read_dir(&run)
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                    .collect();
                let whole = ["meta.json", "status.json", "events.jsonl"];
                assert!(
                    whole.iter().all(|name| names.contains(*name)),
                    "half of {id}: {names:?}"
                );
            }
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Option<Value> {
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        assert!(status.is_success(), "{status}: {text}");
        Some(serde_json::from_str(&text).unwrap())
    }

    async fn rename(&self, url: &str, id: &str, changing: &Mutex<Changing<u64>>) {
        loop {
            let next = changing.lock().answered + 1;
            changing.lock().asked = Some(next);
            let request = self
                .client
                .patch(format!("{url}/api/runs/{id}"))
                .json(&json!({"alias": next.to_string()}));
            if self.send(request).await.is_none() {
                return;
            }
            self.truth.tally.add(&self.truth.tally.renamed);
            let mut changing = changing.lock();
            changing.answered = next;
            changing.asked = None;
        }
    }

    /// Deletes, restores and moves one run for ever.
    async fn move_about(&self, url: &str) {
        for step in 0.. {
            let place = self.truth.place.lock().answered.clone();
            let asked_of = place.clone();
            let (path, body, next) = if let Some(place) = place.strip_suffix(DELETED) {
                (
                    "/api/recycle-bin/restore",
                    json!({"run_ids": [MOVED]}),
                    self.place_before_deletion(place),
                )
            } else if step % 2 == 0 {
                let target = format!("moved/to{}", step % 7);
                let next = format!("runs/{target}/{MOVED}");
                (
                    "/api/runs/move",
                    json!({"run_ids": [MOVED], "target_path": target}),
                    next,
                )
            } else {
                let bin = if self.has_bin {
                    format!("runs/.recycle/{MOVED}")
                } else {
                    place
                };
                (
                    "/api/runs/soft-delete",
                    json!({"run_ids": [MOVED]}),
                    format!("{bin}{DELETED}"),
                )
            };
            self.truth.place.lock().asked = Some(next.clone());
            let request = self.client.post(format!("{url}{path}")).json(&body);
            let Some(answer) = self.send(request).await else {
                return;
            };
            let failed =
                answer["failed_count"] == 1 || answer["results"][MOVED]["success"] == false;
            assert!(
                !failed,
                "{path} of {asked_of} in step {step}: {answer}; it is at {:?}",
                runs_below(&self.root())
                    .into_iter()
                    .filter(|run| run.ends_with(MOVED))
                    .collect::<Vec<_>>()
            );
            self.truth.tally.add(&self.truth.tally.moved);
            let mut place = self.truth.place.lock();
            place.answered = next;
            place.asked = None;
        }
    }

    /// A run in the recycle bin says where it was; one that was only marked is there still.
    fn place_before_deletion(&self, place: &str) -> String {
        if !self.has_bin {
            return place.to_owned();
        }
        let marker = std::fs::read_to_string(self.root().join(place).join(".deleted")).unwrap();
        let marker: Value = serde_json::from_str(&marker).unwrap();
        format!("runs/{}/{MOVED}", marker["original_path"].as_str().unwrap())
    }

    /// Imports new runs and deletes them for ever.
    async fn import_and_purge(&self, url: &str, round: u64) {
        for number in 0_u64.. {
            let id = format!("20240101_{round:06}_{number:06x}");
            self.truth.imported.lock().push((
                id.clone(),
                Changing {
                    answered: false,
                    asked: Some(true),
                },
            ));
            let part = reqwest::multipart::Part::bytes(archive_of(&id)).file_name("run.zip");
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = self
                .client
                .post(format!("{url}/api/import/archive"))
                .multipart(form);
            let Some(answer) = self.send(request).await else {
                return;
            };
            assert_eq!(answer["new_run_ids"], json!([id]));
            self.truth.tally.add(&self.truth.tally.imported);
            self.note_import(&id, true, None);
            if number % 2 == 1 {
                continue;
            }
            self.note_import(&id, true, Some(false));
            let request = self.client.delete(format!("{url}/api/runs/{id}/permanent"));
            if self.send(request).await.is_none() {
                return;
            }
            self.note_import(&id, false, None);
        }
    }

    fn note_import(&self, id: &str, answered: bool, asked: Option<bool>) {
        let mut imported = self.truth.imported.lock();
        let last = imported
            .iter_mut()
            .rev()
            .find(|(name, _)| name == id)
            .unwrap();
        last.1 = Changing { answered, asked };
    }
}

fn archive_of(id: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let meta = json!({"id": id, "path": "imported", "created_at": 1.0}).to_string();
    for (name, text) in [
        ("meta.json", meta.as_str()),
        ("status.json", r#"{"status": "finished"}"#),
        ("events.jsonl", "{}\n"),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("runs/imported/{id}/{name}"), options)
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Folders of all runs, recycled ones too.
fn runs_below(root: &Path) -> Vec<PathBuf> {
    let (mut runs, mut folders) = (Vec::new(), vec![root.join("runs")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.join("meta.json").exists() || path.join("status.json").exists() {
                runs.push(path);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    runs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_in_the_middle_of_writes_beside_a_live_sdk_0_7_2_lose_nothing() {
    kills_lose_nothing("rn7", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_in_the_middle_of_writes_beside_a_live_sdk_0_6_0_lose_nothing() {
    kills_lose_nothing("rn6", false).await;
}

async fn kills_lose_nothing(sdk: &str, has_bin: bool) {
    let Some(python) = python_with(sdk, "the kill test") else {
        return;
    };
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        has_bin,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        truth: Arc::default(),
    };
    let (root, home) = (bench.root(), bench.folder.path().join("home"));
    let state = bench.folder.path().join("state");
    std::fs::create_dir_all(&home).unwrap();
    let mut sdk = Program::start(&python, &["-c", SDK, &root.display().to_string()], &home);
    sdk.line_where("ready", |line| line == "ready");
    bench.truth.place.lock().answered = format!("runs/kill/b/{MOVED}");

    let started = Instant::now();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..ROUNDS {
        let (viewer, url) = Program::viewer(&root, &state, &home);
        bench.check_after_start();
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        // The moment of the kill: after some answers, however long they take here, and then anywhere in the next requests.
        let answers = (chance >> 50) % 12;
        let more = Duration::from_micros((chance >> 33) % 20_000);
        let work = async {
            tokio::join!(
                bench.rename(&url, RENAMED, &bench.truth.alias),
                bench.rename(&url, LIVE, &bench.truth.live_alias),
                bench.move_about(&url),
                bench.import_and_purge(&url, round),
            )
        };
        let kill = async {
            bench.truth.tally.wait_for(answers).await;
            tokio::time::sleep(more).await;
            viewer.kill();
        };
        tokio::join!(work, kill);
        bench.check_after_kill();
    }
    let (viewer, _) = Program::viewer(&root, &state, &home);
    bench.check_after_start();
    viewer.kill();

    sdk.tell("stop");
    let last = sdk.line_where("its count", |line| line.parse::<usize>().is_ok());
    let logged: usize = last.parse().unwrap();
    check_live_run(&root, logged);
    let tally = bench.truth.tally.all();
    println!(
        "{ROUNDS} kills in {:.1} s: {tally:?}; the SDK logged {logged} points",
        started.elapsed().as_secs_f64(),
    );
    for (what, count) in tally {
        assert!(count >= ENOUGH, "too little happened: {count} {what}");
    }
}

/// Every point and every line that the SDK wrote meanwhile is there, in order.
fn check_live_run(root: &Path, logged: usize) {
    let run = root.join("runs/live").join(LIVE);
    let events = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let steps: Vec<usize> = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| usize::try_from(event["data"]["global_step"].as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(steps, (0..logged).collect::<Vec<_>>());
    let logs = std::fs::read_to_string(run.join("logs.txt")).unwrap();
    let lines = logs.lines().filter(|line| line.contains("line ")).count();
    assert_eq!(lines, logged);
    let status = std::fs::read_to_string(run.join("status.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["status"], "finished");
}
