//! `cargo xtask dev`: the headless viewer on a copy of the fixtures, and Vite with a proxy to it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    needs, places,
    programs::{self, cargo},
    ui,
    viewer::Viewer,
};

#[derive(Args)]
pub(crate) struct Dev {
    /// A storage root to use as it is, instead of a fresh copy of the fixtures
    #[arg(long, value_name = "FOLDER")]
    storage: Option<PathBuf>,
}

impl Dev {
    pub(crate) fn go(self) -> Result<()> {
        needs::for_viewer()?;
        ui::install()?;
        programs::run(cargo().args(["build", "--package", "runicorn-server"]))?;
        let home = places::target().join("dev");
        let root = match self.storage {
            Some(root) => root,
            None => fresh_fixtures(&home)?,
        };
        let viewer = Viewer::start(&places::built("debug", "runicorn-viewer"), &root, &home)?;
        println!(
            "viewer on http://{}/ showing {}",
            viewer.address,
            root.display()
        );
        programs::run(
            ui::npm(&["run", "dev"]).env("RUNICORN_ADDRESS", format!("http://{}", viewer.address)),
        )
    }
}

/// Copies the recorded root of 0.7.2; the original must never be served, because a server may change it.
fn fresh_fixtures(home: &Path) -> Result<PathBuf> {
    let root = home.join("root");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("could not clear {}", root.display()))?;
    }
    copy(&places::root().join("fixtures/runicorn-0.7.2/root"), &root)?;
    Ok(root)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to)
            .map(drop)
            .with_context(|| format!("could not copy {}", from.display()));
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
