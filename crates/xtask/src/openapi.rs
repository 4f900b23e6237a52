//! `cargo xtask openapi`: the two generated files, `crates/server/openapi.json` and `ui/src/api/schema.ts`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    needs, places,
    programs::{self, cargo},
    ui,
};

/// Rewrites both files from the running code.
pub(crate) fn rewrite() -> Result<()> {
    needs::for_viewer()?;
    ui::install()?;
    programs::run(&mut document())?;
    programs::run(&mut ui::npm(&["run", "types"]))
}

/// Fails when the page's types are not those of the committed document.
pub(crate) fn check_types() -> Result<()> {
    let committed = schema();
    let fresh = places::target().join("schema.ts");
    let document = places::root().join("crates/server/openapi.json");
    programs::run(
        ui::npm(&["exec", "--", "openapi-typescript"])
            .arg(document)
            .arg("--output")
            .arg(&fresh),
    )?;
    let read = |path: &PathBuf| {
        fs::read(path).with_context(|| format!("could not read {}", path.display()))
    };
    if read(&committed)? != read(&fresh)? {
        bail!(
            "{} is stale: run `cargo xtask openapi`",
            committed.display()
        );
    }
    Ok(())
}

fn schema() -> PathBuf {
    places::ui().join("src/api/schema.ts")
}

/// The server's own snapshot test, told to write instead of to compare.
fn document() -> std::process::Command {
    let mut command = cargo();
    command
        .args([
            "test",
            "--package",
            "runicorn-server",
            "--test",
            "api",
            "openapi",
        ])
        .env("RUNICORN_WRITE_OPENAPI", "1");
    command
}
