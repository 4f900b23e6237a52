//! `cargo xtask test`: everything that CI runs, in the order in which a mistake shows soonest.
//!
//! Nothing is built twice in one profile: clippy, the tests and the documentation all take the whole workspace, so
//! cargo resolves the same features each time, and the end-to-end stages use the programs that the tests built.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::MetadataCommand;
use clap::Args;

use crate::{
    needs, openapi, places,
    programs::{self, cargo},
    ui,
};

#[derive(Args)]
pub(crate) struct Test {
    /// Only the stages whose name contains one of these words
    stages: Vec<String>,
    /// Go on after a failed stage and tell all failures at the end
    #[arg(long)]
    keep_going: bool,
}

struct Stage {
    name: &'static str,
    go: fn() -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "set-up",
        go: needs::for_tests,
    },
    Stage {
        name: "format",
        go: format,
    },
    Stage {
        name: "ui packages",
        go: ui::install,
    },
    Stage {
        name: "ui types",
        go: ui_types,
    },
    Stage {
        name: "ui check",
        go: || programs::run(&mut ui::npm(&["run", "check"])),
    },
    Stage {
        name: "ui lint",
        go: || programs::run(&mut ui::npm(&["run", "lint"])),
    },
    Stage {
        name: "ui unit tests",
        go: || programs::run(&mut ui::npm(&["run", "test"])),
    },
    Stage {
        name: "ui build and size",
        go: ui_build,
    },
    Stage {
        name: "clippy",
        go: clippy,
    },
    Stage {
        name: "rust tests",
        go: rust_tests,
    },
    Stage {
        name: "doc tests",
        go: || programs::run(cargo().args(["test", "--workspace", "--doc", "--quiet"])),
    },
    Stage {
        name: "documentation",
        go: documentation,
    },
    Stage {
        name: "licences",
        go: licences,
    },
    Stage {
        name: "browser tests",
        go: browser_tests,
    },
    Stage {
        name: "window tests",
        go: window_tests,
    },
];

impl Test {
    pub(crate) fn go(self) -> Result<()> {
        let mut report = Vec::new();
        let mut failures = Vec::new();
        for stage in STAGES.iter().filter(|stage| self.wants(stage)) {
            println!("\n=== {} ===", stage.name);
            let start = Instant::now();
            let result = (stage.go)();
            let minutes = start.elapsed().as_secs_f64() / 60.0;
            report.push((stage.name, minutes, result.is_ok()));
            if let Err(error) = result {
                eprintln!("{}: {error:#}", stage.name);
                failures.push(stage.name);
                if !self.keep_going {
                    break;
                }
            }
        }
        print_minutes(&report);
        if failures.is_empty() {
            Ok(())
        } else {
            bail!("failed: {}", failures.join(", "))
        }
    }

    fn wants(&self, stage: &Stage) -> bool {
        self.stages.is_empty()
            || self
                .stages
                .iter()
                .any(|word| stage.name.contains(word.as_str()))
    }
}

fn print_minutes(report: &[(&str, f64, bool)]) {
    println!("\n{:<20}{:>8}", "stage", "minutes");
    for (name, minutes, is_good) in report {
        println!(
            "{name:<20}{minutes:>8.1}{}",
            if *is_good { "" } else { "   FAILED" }
        );
    }
    println!(
        "{:<20}{:>8.1}",
        "total",
        report.iter().map(|(_, minutes, _)| minutes).sum::<f64>()
    );
}

fn format() -> Result<()> {
    programs::run(cargo().args(["fmt", "--all", "--check"]))
}

fn ui_types() -> Result<()> {
    openapi::check_types()
}

fn ui_build() -> Result<()> {
    programs::run(&mut ui::npm(&["run", "build"]))?;
    programs::run(&mut ui::npm(&["run", "size"]))
}

fn clippy() -> Result<()> {
    programs::run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

/// All Rust tests but those of the window; the structure tests of `xtask` are among them.
///
/// Both ways name targets of the whole workspace: with a package left out, cargo would resolve other features and build
/// half of everything again.
fn rust_tests() -> Result<()> {
    if needs::tools::has_cargo("nextest") {
        return programs::run(with_counterparts(&mut cargo()).args([
            "nextest",
            "run",
            "--workspace",
            "-E",
            "not binary(window)",
        ]))
        .and(printed_no_secret(&nextest_report()));
    }
    let mut command = cargo();
    command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    for name in test_targets()? {
        if name != WINDOW {
            command.args(["--test", &name]);
        }
    }
    programs::run(with_counterparts(&mut command))
}

/// The test target of the real window.
const WINDOW: &str = "window";

/// The names of the workspace's test targets, those in `tests` folders.
fn test_targets() -> Result<Vec<String>> {
    let told = programs::capture(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata =
        MetadataCommand::parse(told).context("cargo does not say what there is to test")?;
    let targets = metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets);
    Ok(targets
        .filter(|target| target.is_test())
        .map(|target| target.name.clone())
        .collect())
}

/// The tests of the real window, on a display without a screen.
fn window_tests() -> Result<()> {
    if needs::tools::has_cargo("nextest") {
        return programs::run(cargo().args([
            "nextest",
            "run",
            "--workspace",
            "-E",
            "binary(window)",
        ]))
        .and(printed_no_secret(&nextest_report()));
    }
    // Two at a time, as nextest is told in `.config/nextest.toml`.
    let threads = ["--", "--test-threads", "2"];
    programs::run(
        cargo()
            .args(["test", "--workspace", "--test", WINDOW])
            .args(threads),
    )
}

fn with_counterparts(command: &mut Command) -> &mut Command {
    command
        .env("RUNICORN_PYTHONS", places::pythons())
        .env("RUNICORN_VIEWER", places::built("debug", "runicorn-viewer"))
}

fn documentation() -> Result<()> {
    programs::run(
        cargo()
            .args(["doc", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Licences and banned crates. Advisories are left out: they would need a database from elsewhere.
fn licences() -> Result<()> {
    if !needs::tools::has_cargo("deny") {
        println!("skipped: cargo-deny is not installed (cargo install cargo-deny)");
        return Ok(());
    }
    programs::run(cargo().args(["deny", "--offline", "check", "licenses", "bans", "sources"]))
}

fn browser_tests() -> Result<()> {
    let report = places::target().join("browser-tests.xml");
    let mut tests = ui::npm(&["run", "e2e", "--", "--reporter=default", "--reporter=junit"]);
    tests.arg(format!("--outputFile.junit={}", report.display()));
    programs::run(with_counterparts(&mut tests)).and(printed_no_secret(&report))
}

/// A part of every secret that the tests use, and of nothing else: what they write is searched for it by their fixtures,
/// and what they print here.
const SECRET_MARK: &[u8] = b"hush7q";

/// Where nextest leaves what every test printed, as `.config/nextest.toml` tells it to: beside the workspace, wherever cargo builds.
fn nextest_report() -> PathBuf {
    places::root().join("target/nextest/default/junit.xml")
}

fn printed_no_secret(report: &Path) -> Result<()> {
    let printed = fs::read(report).with_context(|| format!("no {}", report.display()))?;
    ensure!(!printed.is_empty(), "{} is empty", report.display());
    let is_marked = printed
        .windows(SECRET_MARK.len())
        .any(|part| part == SECRET_MARK);
    ensure!(
        !is_marked,
        "a test printed a secret: see {}",
        report.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_secret_is_found() {
        let report = tempfile::NamedTempFile::new().unwrap();
        assert!(printed_no_secret(report.path()).is_err(), "nothing printed");
        fs::write(report.path(), "<testsuite>fine</testsuite>").unwrap();
        assert!(printed_no_secret(report.path()).is_ok());
        fs::write(report.path(), "said: hush7q words").unwrap();
        assert!(printed_no_secret(report.path()).is_err());
    }

    #[test]
    fn the_window_is_one_of_the_test_targets_and_its_stage_has_it_alone() {
        let targets = test_targets().unwrap();
        for name in [WINDOW, "api", "storage", "writes", "structure"] {
            let count = targets.iter().filter(|target| *target == name).count();
            assert_eq!(count, 1, "{name} in {targets:?}");
        }
    }
}
