//! `cargo xtask bench`: ours against the real viewer (Runicorn 0.7.2 from the package index), on the same generated
//! root, in the same run, on the same machine. Prints one table; every row says what was asked and whether its goal was
//! reached. Files are in the system's cache for both; "cold" means that the program has not seen the run before.

mod app;
mod http;
mod memory;
mod page;
mod real;
mod ssh;
mod sshd;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;

use self::{
    http::Client,
    real::RealViewer,
    table::{Goal, Row},
};
use crate::{
    needs::{self, python},
    places,
    programs::{self, cargo, program},
    ui,
    viewer::Viewer,
};

/// One run of a million rows and one of two thousand metrics, as `make_storage.py` names them.
const BIG: &str = "20260101_000000_b16b16";
const WIDE: &str = "20260101_000001_51de51";

/// Asked so often when warm; the median counts.
const TIMES: usize = 7;

#[derive(Args)]
pub(crate) struct Bench {
    /// Runs in the generated root
    #[arg(long, default_value_t = 10_000)]
    runs: usize,
    /// Rows of its largest run
    #[arg(long, default_value_t = 1_000_000)]
    big_rows: usize,
    /// Metrics of its widest run
    #[arg(long, default_value_t = 2_000)]
    wide: usize,
    /// Leave out the desktop window and the browser
    #[arg(long)]
    no_window: bool,
    /// Leave out the rows over SSH
    #[arg(long)]
    no_ssh: bool,
}

/// What one server took, seconds; the same questions for both.
struct Figures {
    first_list: f64,
    first_list_again: Option<f64>,
    list_warm: f64,
    paths_warm: f64,
    big_cold: f64,
    big_warm: f64,
    wide_cold: f64,
    first_charts: Option<f64>,
    memory_mb: f64,
}

impl Bench {
    pub(crate) fn go(self) -> Result<()> {
        needs::for_tests()?;
        ui::build()?;
        // Both at once, so that cargo resolves one set of features and builds nothing twice.
        let packages: &[&str] = if self.no_window {
            &["--package", "runicorn-server"]
        } else {
            &[
                "--package",
                "runicorn-server",
                "--package",
                "runicorn-desktop",
            ]
        };
        programs::run(cargo().args(["build", "--release"]).args(packages))?;
        let root = self.root()?;
        let count = self.runs + 2;
        println!("\nours");
        let ours = ours(&root, count)?;
        println!("the real viewer");
        let real = real(&root, count)?;
        let mut rows = rows(&real, &ours);
        rows.push(Row::figure(
            "script of the first page, gzip",
            ui::script_kb()?,
            "kB",
            Goal::AtMost(120.0),
        ));
        if !self.no_window {
            rows.extend(app::rows(&root)?);
            println!("in the browser");
            rows.extend(page::rows()?);
        }
        if cfg!(target_os = "linux") && !self.no_ssh {
            println!("over SSH");
            rows.extend(ssh::rows()?);
        }
        table::print(&rows);
        Ok(())
    }

    /// The generated root, made once for these sizes.
    fn root(&self) -> Result<PathBuf> {
        let root = places::target().join(format!(
            "bench/root-{}-{}-{}",
            self.runs, self.big_rows, self.wide
        ));
        let mark = root.join("complete");
        if !mark.exists() {
            println!("writing {} runs to {}", self.runs + 2, root.display());
            if root.exists() {
                fs::remove_dir_all(&root)?;
            }
            let maker = places::root().join("crates/xtask/tools/make_storage.py");
            let sizes = [
                ("--runs", self.runs),
                ("--big-rows", self.big_rows),
                ("--wide", self.wide),
            ];
            let mut make = program(python::interpreter().context("no Python 3 found")?);
            make.arg(maker).arg(&root);
            for (name, size) in sizes {
                make.arg(name).arg(size.to_string());
            }
            programs::run(&mut make)?;
            fs::write(mark, "")?;
        }
        println!("reading it once, so that both find it in the system's cache");
        read_all(&root)?;
        // What an earlier real viewer left: each measurement starts from the files alone.
        for name in ["runicorn.db", "runicorn.db-wal", "runicorn.db-shm"] {
            if root.join(name).exists() {
                fs::remove_file(root.join(name))?;
            }
        }
        Ok(root)
    }
}

/// Brings every file below a folder into the system's cache.
fn read_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            read_all(&entry.path())?;
        } else {
            std::io::copy(&mut fs::File::open(entry.path())?, &mut std::io::sink())?;
        }
    }
    Ok(())
}

fn ours(root: &Path, count: usize) -> Result<Figures> {
    let binary = places::built("release", "runicorn-viewer");
    let home = places::target().join("bench/home");
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    let (first_list, viewer) = until_listed(
        count,
        || Viewer::start(&binary, root, &home),
        |viewer| &viewer.address,
    )?;
    viewer.stop()?;
    let (again, viewer) = until_listed(
        count,
        || Viewer::start(&binary, root, &home),
        |viewer| &viewer.address,
    )?;
    memory::wait_until_idle(viewer.id())?;
    let mut client = Client::connect(&viewer.address)?;
    let first_charts = first_charts(&mut client)?;
    let mut figures = ask(&mut client, first_list)?;
    figures.first_list_again = Some(again);
    figures.memory_mb = memory::resident_mb(viewer.id())?;
    drop(viewer);
    // The first charts warmed the wide run up: both are asked of a viewer that has never seen it.
    fs::remove_dir_all(&home)?;
    let (_, viewer) = until_listed(
        count,
        || Viewer::start(&binary, root, &home),
        |viewer| &viewer.address,
    )?;
    memory::wait_until_idle(viewer.id())?;
    figures.wide_cold = all_columns(&mut Client::connect(&viewer.address)?)?;
    figures.first_charts = Some(first_charts);
    Ok(figures)
}

fn real(root: &Path, count: usize) -> Result<Figures> {
    let (first_list, viewer) =
        until_listed(count, || RealViewer::start(root), |viewer| &viewer.address)?;
    memory::wait_until_idle(viewer.id())?;
    let mut client = Client::connect(&viewer.address)?;
    let mut figures = ask(&mut client, first_list)?;
    figures.wide_cold = all_columns(&mut client)?;
    figures.memory_mb = memory::resident_mb(viewer.id())?;
    Ok(figures)
}

/// From the start of the program until its list has every run.
fn until_listed<V>(
    count: usize,
    start: impl FnOnce() -> Result<V>,
    address: impl Fn(&V) -> &String,
) -> Result<(f64, V)> {
    let begin = Instant::now();
    let viewer = start()?;
    let mut client = Client::connect(address(&viewer))?;
    while client.get("/api/runs")?.count("\"run_dir\"") < count {
        anyhow::ensure!(
            begin.elapsed() < Duration::from_mins(5),
            "the list never had {count} runs"
        );
    }
    Ok((begin.elapsed().as_secs_f64(), viewer))
}

fn ask(client: &mut Client, first_list: f64) -> Result<Figures> {
    let reduced = format!("/api/runs/{BIG}/metrics_step?downsample=2000");
    Ok(Figures {
        first_list,
        first_list_again: None,
        list_warm: median(client, "/api/runs")?,
        paths_warm: median(client, "/api/paths?include_stats=true")?,
        big_cold: client.get(&reduced)?.seconds,
        big_warm: median(client, &reduced)?,
        wide_cold: 0.0,
        first_charts: None,
        memory_mb: 0.0,
    })
}

fn all_columns(client: &mut Client) -> Result<f64> {
    Ok(client
        .get(&format!("/api/runs/{WIDE}/metrics_step"))?
        .seconds)
}

/// What the page of the wide run asks before its first charts stand: which metrics there are, and twelve of them.
fn first_charts(client: &mut Client) -> Result<f64> {
    let names: Vec<String> = (0..12)
        .map(|at| format!("\"layer{}/stat{}\"", at / 10, at % 10))
        .collect();
    let wish = format!(
        r#"{{"runs":["{WIDE}"],"metrics":[{}],"x":"step","width_px":600}}"#,
        names.join(",")
    );
    let known = client.get(&format!("/api/run-metrics/{WIDE}"))?;
    let drawn = client.post("/api/series", &wish)?;
    anyhow::ensure!(
        drawn.count("\"metric\"") == names.len(),
        "not every chart came"
    );
    Ok(known.seconds + drawn.seconds)
}

fn median(client: &mut Client, path: &str) -> Result<f64> {
    let mut seconds = (0..TIMES)
        .map(|_| Ok(client.get(path)?.seconds))
        .collect::<Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[TIMES / 2])
}

fn rows(real: &Figures, ours: &Figures) -> Vec<Row> {
    let against = |what, real, ours, goal| Row::against(what, real, ours, goal);
    vec![
        against(
            "GET /api/runs, warm",
            real.list_warm,
            ours.list_warm,
            Goal::SecondsAndRatio(0.005, 40.0),
        ),
        against(
            "start until all runs are listed, unseen root",
            real.first_list,
            ours.first_list,
            Goal::Seconds(1.5),
        ),
        Row::seconds(
            "the same, indexed before",
            ours.first_list_again,
            Goal::Seconds(0.2),
        ),
        against(
            "metrics_step?downsample=2000, 1 M rows, cold",
            real.big_cold,
            ours.big_cold,
            Goal::SecondsAndRatio(0.4, 12.0),
        ),
        against(
            "the same, warm",
            real.big_warm,
            ours.big_warm,
            Goal::SecondsAndRatio(0.008, 150.0),
        ),
        against(
            "2,000 metrics x 2,000 rows, all columns, cold",
            real.wide_cold,
            ours.wide_cold,
            Goal::Seconds(0.3),
        ),
        Row::seconds(
            "the same run, the page's first charts, cold",
            ours.first_charts,
            Goal::Seconds(0.1),
        ),
        Row::against_figure(
            "resident memory after these",
            real.memory_mb,
            ours.memory_mb,
            "MB",
            Goal::AtMost(150.0),
        ),
        against(
            "GET /api/paths?include_stats=true, warm",
            real.paths_warm,
            ours.paths_warm,
            Goal::Seconds(0.003),
        ),
    ]
}
