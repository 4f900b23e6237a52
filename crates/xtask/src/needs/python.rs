//! Python environments with the real Runicorn in them, the counterpart of our tests and measurements.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    places,
    programs::{find, program, run},
};

/// What stands in each environment below `target/python`.
const ENVIRONMENTS: [(&str, &[&str]); 2] = [
    ("rn6", &["runicorn==0.6.0", "requests", "pandas"]),
    ("rn7", &["runicorn==0.7.2", "requests", "pandas"]),
];

/// Makes the environments of Runicorn 0.6.0 and 0.7.2.
pub(crate) fn ensure_all() -> Result<()> {
    ENVIRONMENTS
        .iter()
        .try_for_each(|(name, packages)| ensure(&places::pythons().join(name), packages))
}

/// Makes one environment, unless it already has exactly these packages.
pub(crate) fn ensure(folder: &Path, packages: &[&str]) -> Result<()> {
    let mark = folder.join("installed.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let python = interpreter().context("no Python 3 found (python3, python or py)")?;
    run(program(python).args(["-m", "venv", "--clear"]).arg(folder))?;
    run(program(bin(folder).join("python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(packages))?;
    fs::write(mark, wanted).context("could not note what was installed")
}

/// The folder of an environment's programs.
pub(crate) fn bin(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// The system's Python.
pub(crate) fn interpreter() -> Option<PathBuf> {
    ["python3", "python", "py"].iter().find_map(find)
}
