//! Times and memory of the metrics room on real files: `cargo run --release -p runicorn-experiments --example metric_times -- <events.jsonl>…`
//!
//! A file of ten million rows, which is more than the tests make: `crates/xtask/tools/make_storage.py ROOT --runs 0 --big-rows 10000000`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use runicorn_experiments::metrics::{
    Axis, MetricCache, RunMetrics, SeriesSource, SeriesView, Table,
};

/// Prints the time that passed and, because other programs may be in the way, the time that the processors gave.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, cpu) = (Instant::now(), cpu_secs());
    let result = work();
    let (passed, worked) = (start.elapsed().as_secs_f64(), cpu_secs() - cpu);
    println!(
        "{what:<44} {:>9.2} ms {:>9.2} ms of CPU",
        passed * 1e3,
        worked * 1e3
    );
    result
}

fn cpu_secs() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn written(table: &Table<'_>, downsample: Option<usize>) -> usize {
    let mut bytes = 0;
    table.write_json(&table.rows(downsample), &mut |piece| {
        bytes += piece.len();
        true
    });
    bytes
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default()
        .to_owned()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    for path in std::env::args().skip(1) {
        let path = Path::new(&path);
        println!("\n{}", path.display());
        let view = SeriesView {
            axis: Axis::Step,
            from: None,
            to: None,
            width_px: 1000,
            log_x: false,
            smoothing: None,
        };
        for round in ["cold", "stored"] {
            let cache = MetricCache::new(folder.path().to_owned(), 96 << 20);
            let file = File::open(path).unwrap();
            let columns = timed(&format!("{round}: read"), || {
                cache.read(path, &file).unwrap().columns
            });
            for again in ["first", "again"] {
                let table = Table::of(&columns);
                let size = timed(&format!("{round}, {again}: table, downsample=2000"), || {
                    written(&table, Some(2000))
                });
                println!("{size:>56} bytes");
            }
            timed(&format!("{round}: asked again"), || {
                cache.read(path, &file).unwrap()
            });
            let names: Vec<String> = timed(&format!("{round}: what metrics there are"), || {
                RunMetrics::of(&columns)
                    .metrics
                    .into_iter()
                    .map(|metric| metric.name)
                    .collect()
            });
            let source = timed(&format!("{round}: axis"), || {
                SeriesSource::of(&columns, &view)
            });
            timed(&format!("{round}: first 12 charts, 1000 pixels"), || {
                names
                    .iter()
                    .take(12)
                    .map(|name| source.whole(name).x.len())
                    .sum::<usize>()
            });
            if round == "cold" {
                let size = timed("whole table", || written(&Table::of(&columns), None));
                println!("{size:>56} bytes");
            }
            drop(source);
            drop(columns);
            println!("{}", resident());
            cache.flush();
            println!("{} after storing", resident());
        }
    }
}
