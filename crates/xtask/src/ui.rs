//! The web app's npm steps.

use std::{fs, path::Path, process::Command, time::SystemTime};

use anyhow::{Context, Result};

use crate::{
    places,
    programs::{capture, program, run},
};

/// `npm` in `ui/`.
pub(crate) fn npm(words: &[&str]) -> Command {
    let mut command = program("npm");
    command.current_dir(places::ui()).args(words);
    command
}

/// Installs exactly what the lock file says, when that is not there already.
pub(crate) fn install() -> Result<()> {
    let installed = modified(&places::ui().join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&places::ui().join("package-lock.json")) {
        return Ok(());
    }
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))
}

/// Builds the pages into `ui/dist`, when a source is newer than the last build.
pub(crate) fn build() -> Result<()> {
    install()?;
    let built = modified(&places::ui().join("dist/index.html"));
    let sources = [
        "src",
        "public",
        "index.html",
        "vite.config.ts",
        "package-lock.json",
    ];
    let newest = sources
        .iter()
        .filter_map(|name| newest_below(&places::ui().join(name)))
        .max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    run(&mut npm(&["run", "build"]))
}

/// Kilobytes (1,024 bytes) of script that the first page loads, gzip, as `npm run size` tells it.
pub(crate) fn script_kb() -> Result<f64> {
    let said = capture(&mut npm(&["run", "--silent", "size"]))?;
    let number = said.split_whitespace().find_map(|word| word.parse().ok());
    number.with_context(|| format!("no size in: {said}"))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn newest_below(path: &Path) -> Option<SystemTime> {
    let inner = fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    inner
        .filter_map(|entry| newest_below(&entry.path()))
        .chain(modified(path))
        .max()
}
