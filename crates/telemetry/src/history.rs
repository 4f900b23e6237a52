//! What the GPUs did: every reading in memory for a day, one-minute means in a file for longer.
//!
//! The file is append-only, one JSON line a minute, written with one `write`; a torn last line is skipped when reading. When it
//! grows past a limit it is set aside once and a new one begun, so it never holds more than two limits.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sample::{GpuReading, GpuSample, GpuState};

/// About a year of one GPU.
const FILE_LIMIT_BYTES: u64 = 64 << 20;
/// A line of a thousand GPUs is shorter.
const LINE_LIMIT_BYTES: u64 = 1 << 20;
const MINUTE_SECS: f64 = 60.0;

/// Readings of the last hours, oldest first.
#[derive(Default)]
pub(crate) struct History {
    rows: VecDeque<Row>,
    /// Name and identity of GPUs, shared by all their rows.
    gpus: Vec<Arc<Identity>>,
}

#[derive(PartialEq, Eq)]
struct Identity {
    index: u32,
    name: String,
    uuid: Option<String>,
}

struct Row {
    taken_at: f64,
    gpus: Box<[Compact]>,
}

/// A sample in 48 bytes; what is unknown is NaN.
struct Compact {
    gpu: Arc<Identity>,
    numbers: [f32; 10],
    performance_state: Option<u8>,
}

impl History {
    /// Adds a reading and forgets those older than `keep_secs`.
    pub(crate) fn push(&mut self, reading: &GpuReading, keep_secs: f64) {
        if let GpuState::Present(samples) = &reading.state {
            let gpus = samples.iter().map(|sample| self.compact(sample)).collect();
            self.rows.push_back(Row {
                taken_at: reading.taken_at,
                gpus,
            });
        }
        let oldest = reading.taken_at - keep_secs;
        while self.rows.front().is_some_and(|row| row.taken_at < oldest) {
            self.rows.pop_front();
        }
    }

    /// Readings after a time and up to another, oldest first, at most `limit` of them spread evenly; without processes.
    pub(crate) fn between(&self, after: f64, until: f64, limit: usize) -> Vec<GpuReading> {
        let start = self.rows.partition_point(|row| row.taken_at <= after);
        let end = self.rows.partition_point(|row| row.taken_at <= until);
        let count = end.saturating_sub(start);
        let kept = count.min(limit.max(1));
        (0..kept)
            .filter_map(|position| {
                // The newest is always among them.
                let at = if kept == count {
                    position
                } else {
                    (position + 1) * count / kept - 1
                };
                let row = self.rows.get(start + at)?;
                let samples = row.gpus.iter().map(Compact::sample).collect();
                Some(GpuReading {
                    taken_at: row.taken_at,
                    state: GpuState::Present(samples),
                })
            })
            .collect()
    }

    fn compact(&mut self, sample: &GpuSample) -> Compact {
        let identity = Identity {
            index: sample.index,
            name: sample.name.clone(),
            uuid: sample.uuid.clone(),
        };
        let known = self.gpus.iter().find(|gpu| ***gpu == identity).cloned();
        let gpu = known.unwrap_or_else(|| {
            let gpu = Arc::new(identity);
            self.gpus.push(Arc::clone(&gpu));
            gpu
        });
        Compact {
            gpu,
            numbers: numbers_of(sample).map(pack),
            performance_state: sample.performance_state,
        }
    }
}

impl Compact {
    fn sample(&self) -> GpuSample {
        let [
            util_gpu,
            util_mem,
            total,
            used,
            temperature,
            power,
            limit,
            sm,
            mem,
            fan,
        ] = self.numbers.map(unpack);
        GpuSample {
            index: self.gpu.index,
            name: self.gpu.name.clone(),
            uuid: self.gpu.uuid.clone(),
            util_gpu_percent: util_gpu,
            util_mem_percent: util_mem,
            mem_total_mib: total,
            mem_used_mib: used,
            temperature_celsius: temperature,
            power_watts: power,
            power_limit_watts: limit,
            clock_sm_mhz: sm,
            clock_mem_mhz: mem,
            performance_state: self.performance_state,
            fan_speed_percent: fan,
            processes: Vec::new(),
        }
    }
}

fn numbers_of(sample: &GpuSample) -> [Option<f64>; 10] {
    [
        sample.util_gpu_percent,
        sample.util_mem_percent,
        sample.mem_total_mib,
        sample.mem_used_mib,
        sample.temperature_celsius,
        sample.power_watts,
        sample.power_limit_watts,
        sample.clock_sm_mhz,
        sample.clock_mem_mhz,
        sample.fan_speed_percent,
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a plot needs no more than seven digits"
)]
fn pack(number: Option<f64>) -> f32 {
    number.map_or(f32::NAN, |number| number as f32)
}

/// Back through text, so that 512.34 stays 512.34 and does not become 512.3400268554688.
fn unpack(number: f32) -> Option<f64> {
    if number.is_nan() {
        None
    } else {
        number.to_string().parse().ok()
    }
}

/// One minute of all GPUs: means of what was read in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minute {
    /// Start of the minute in Unix seconds.
    pub ts: f64,
    /// The GPUs that were read in it.
    pub gpus: Vec<MinuteGpu>,
}

/// One GPU in one minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinuteGpu {
    /// The driver's number.
    pub index: u32,
    /// Stays the same when the numbers change.
    pub uuid: Option<String>,
    /// As the vendor calls it.
    pub name: String,
    /// Mean share of busy time.
    pub util_gpu_percent: Option<f64>,
    /// Mean of allocated memory.
    pub mem_used_mib: Option<f64>,
    /// Installed memory.
    pub mem_total_mib: Option<f64>,
    /// Mean temperature.
    pub temperature_celsius: Option<f64>,
    /// Mean power.
    pub power_watts: Option<f64>,
    /// Processes that held it at some time of the minute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pids: Vec<u32>,
}

/// Gathers readings until their minute is over.
#[derive(Default)]
pub(crate) struct MinuteMeans {
    start: f64,
    samples: Vec<Vec<GpuSample>>,
}

impl MinuteMeans {
    /// Adds a reading; gives the minute before when this one begins another.
    pub(crate) fn push(&mut self, reading: &GpuReading) -> Option<Minute> {
        let GpuState::Present(samples) = &reading.state else {
            return None;
        };
        let start = (reading.taken_at / MINUTE_SECS).floor() * MINUTE_SECS;
        let finished = if (start - self.start).abs() > f64::EPSILON {
            self.finish()
        } else {
            None
        };
        self.start = start;
        self.samples.push(samples.clone());
        finished
    }

    /// The minute so far, when anything was read in it.
    pub(crate) fn finish(&mut self) -> Option<Minute> {
        let readings = std::mem::take(&mut self.samples);
        let last = readings.last()?;
        let gpus = last.iter().map(|gpu| {
            let of_gpu: Vec<&GpuSample> = readings
                .iter()
                .flatten()
                .filter(|other| other.index == gpu.index)
                .collect();
            MinuteGpu {
                index: gpu.index,
                uuid: gpu.uuid.clone(),
                name: gpu.name.clone(),
                util_gpu_percent: mean(&of_gpu, |sample| sample.util_gpu_percent),
                mem_used_mib: mean(&of_gpu, |sample| sample.mem_used_mib),
                mem_total_mib: gpu.mem_total_mib,
                temperature_celsius: mean(&of_gpu, |sample| sample.temperature_celsius),
                power_watts: mean(&of_gpu, |sample| sample.power_watts),
                pids: pids(&of_gpu),
            }
        });
        let gpus: Vec<MinuteGpu> = gpus.collect();
        (!gpus.is_empty()).then_some(Minute {
            ts: self.start,
            gpus,
        })
    }
}

fn pids(samples: &[&GpuSample]) -> Vec<u32> {
    let processes = samples.iter().flat_map(|sample| &sample.processes);
    let pids: BTreeSet<u32> = processes.map(|process| process.pid).collect();
    pids.into_iter().collect()
}

fn mean(samples: &[&GpuSample], number: impl Fn(&GpuSample) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = samples.iter().filter_map(|sample| number(sample)).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The file of one-minute means.
#[derive(Clone, Debug)]
pub struct HistoryFile {
    path: PathBuf,
}

impl HistoryFile {
    /// A file, whether or not it is there.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends a minute.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, minute: &Minute) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut line = serde_json::to_vec(minute)?;
        line.push(b'\n');
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        if file.metadata()?.len() > FILE_LIMIT_BYTES {
            std::fs::rename(&self.path, self.set_aside())?;
            file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?;
        }
        file.write_all(&line)
    }

    /// Minutes from a time on, oldest first. Lines that are no minute are skipped; of a minute that two running apps wrote, each
    /// its own readings, the first is taken.
    pub fn since(&self, from: f64) -> Vec<Minute> {
        let files = [self.set_aside(), self.path.clone()];
        let mut minutes: Vec<Minute> = files
            .iter()
            .filter_map(|path| File::open(path).ok())
            .flat_map(|file| minutes_in(file, from))
            .collect();
        minutes.sort_by(|a, b| a.ts.total_cmp(&b.ts));
        minutes.dedup_by(|later, first| later.ts.to_bits() == first.ts.to_bits());
        minutes
    }

    fn set_aside(&self) -> PathBuf {
        self.path.with_extension("old.jsonl")
    }
}

fn minutes_in(file: File, from: f64) -> Vec<Minute> {
    use std::io::Read;
    let mut reader = BufReader::new(file);
    let mut minutes = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(LINE_LIMIT_BYTES)
            .read_until(b'\n', &mut line)
        {
            Ok(1..) => {}
            _ => return minutes,
        }
        if is_before(&line, from) {
            continue;
        }
        let minute = serde_json::from_slice::<Minute>(&line).ok();
        minutes.extend(minute.filter(|minute| minute.ts >= from));
    }
}

/// Whether a line of ours is of an earlier time, by its first member: a year of lines is passed over without reading them whole.
fn is_before(line: &[u8], from: f64) -> bool {
    let start = line
        .strip_prefix(br#"{"ts":"#)
        .and_then(|rest| rest.split(|byte| *byte == b',').next());
    let ts = start.and_then(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok());
    ts.is_some_and(|ts| ts < from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::GpuProcess;

    fn reading(taken_at: f64, util: Option<f64>) -> GpuReading {
        let sample = GpuSample {
            name: "H100".to_owned(),
            util_gpu_percent: util,
            power_watts: Some(512.34),
            performance_state: Some(0),
            ..GpuSample::default()
        };
        GpuReading {
            taken_at,
            state: GpuState::Present(vec![sample]),
        }
    }

    #[test]
    fn a_day_is_kept_and_what_is_older_is_forgotten() {
        let mut history = History::default();
        for second in 0..100 {
            history.push(&reading(f64::from(second), Some(50.0)), 9.5);
        }
        let since = |after, limit| history.between(after, f64::INFINITY, limit);
        let kept = since(0.0, 1000);
        assert_eq!(kept.len(), 10);
        assert_eq!(kept[9], reading(99.0, Some(50.0)));
        assert_eq!(since(97.0, 1000).len(), 2);
        let some = history.between(92.0, 94.0, 1000);
        let at: Vec<f64> = some.iter().map(|reading| reading.taken_at).collect();
        assert_eq!(at, [93.0, 94.0]);
        assert!(history.between(94.0, 92.0, 1000).is_empty());
    }

    #[test]
    fn a_long_history_is_thinned_evenly_and_keeps_its_newest() {
        let mut history = History::default();
        for second in 0..1000 {
            history.push(&reading(f64::from(second), None), 1e9);
        }
        let thinned: Vec<f64> = history
            .between(-1.0, f64::INFINITY, 4)
            .iter()
            .map(|reading| reading.taken_at)
            .collect();
        assert_eq!(thinned, [249.0, 499.0, 749.0, 999.0]);
    }

    #[test]
    fn the_means_of_a_minute_leave_out_what_was_unknown() {
        let mut means = MinuteMeans::default();
        assert_eq!(means.push(&reading(60.0, Some(10.0))), None);
        assert_eq!(means.push(&reading(62.0, None)), None);
        assert_eq!(means.push(&reading(118.0, Some(30.0))), None);
        let minute = means.push(&reading(120.0, Some(90.0))).unwrap();
        assert_eq!(
            (minute.ts, minute.gpus[0].util_gpu_percent),
            (60.0, Some(20.0))
        );
        assert_eq!(means.finish().unwrap().gpus[0].util_gpu_percent, Some(90.0));
    }

    #[test]
    fn a_minute_names_each_process_that_held_a_gpu_once() {
        let held = |taken_at, pid| {
            let mut reading = reading(taken_at, None);
            if let GpuState::Present(gpus) = &mut reading.state {
                gpus[0].processes = vec![GpuProcess {
                    pid,
                    program: None,
                    user: None,
                    used_bytes: None,
                }];
            }
            reading
        };
        let mut means = MinuteMeans::default();
        for (at, pid) in [(60.0, 7), (62.0, 5), (64.0, 7)] {
            means.push(&held(at, pid));
        }
        let minute = means.finish().unwrap();
        assert_eq!(minute.gpus[0].pids, [5, 7]);
        let line = serde_json::to_string(&minute).unwrap();
        assert_eq!(serde_json::from_str::<Minute>(&line).unwrap(), minute);
        let older = line.replace(r#","pids":[5,7]"#, "");
        assert!(
            serde_json::from_str::<Minute>(&older).unwrap().gpus[0]
                .pids
                .is_empty()
        );
    }

    #[test]
    fn a_minute_that_two_apps_wrote_is_one_minute() {
        let folder = tempfile::tempdir().unwrap();
        let file = HistoryFile::at(folder.path().join("gpu-minutes.jsonl"));
        let mut means = MinuteMeans::default();
        means.push(&reading(60.0, Some(1.0)));
        let first = means.finish().unwrap();
        let second = Minute {
            ts: 120.0,
            ..first.clone()
        };
        for minute in [&second, &first, &second, &first] {
            file.append(minute).unwrap();
        }
        assert_eq!(file.since(0.0), [first.clone(), second.clone()]);
        assert_eq!(file.since(60.0), [first, second.clone()]);
        assert_eq!(file.since(60.5), [second]);
    }

    #[test]
    fn minutes_outlive_the_server_and_a_torn_line_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/gpu-minutes.jsonl");
        let file = HistoryFile::at(path.clone());
        let mut means = MinuteMeans::default();
        means.push(&reading(60.0, Some(1.0)));
        let minute = means.finish().unwrap();
        file.append(&minute).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"ts\": 12\n\xff\n")
            .unwrap();
        file.append(&Minute {
            ts: 120.0,
            ..minute.clone()
        })
        .unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"ts\":")
            .unwrap();
        assert_eq!(
            file.since(0.0),
            [
                minute.clone(),
                Minute {
                    ts: 120.0,
                    ..minute
                }
            ]
        );
        assert_eq!(file.since(61.0).len(), 1);
    }
}
