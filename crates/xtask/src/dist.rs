//! `cargo xtask dist`: release binaries, the helper for servers, and the installers of this system through the Tauri bundler.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::{
    needs, places,
    programs::{self, cargo, program},
    pushed_viewer, ui,
};

#[derive(Args)]
pub(crate) struct Dist {
    /// Installers to make, for example: deb,rpm,appimage,msi,dmg
    #[arg(long, value_delimiter = ',')]
    bundles: Vec<String>,
}

impl Dist {
    pub(crate) fn go(self) -> Result<()> {
        needs::for_app()?;
        ui::build()?;
        let helper = if cfg!(target_os = "linux") {
            Some(pushed_viewer::build()?)
        } else {
            pushed_viewer::built()
        };
        // Both at once, so that cargo resolves one set of features and builds nothing twice.
        let packages = [
            "--package",
            "runicorn-server",
            "--package",
            "runicorn-desktop",
        ];
        programs::run(cargo().args(["build", "--release"]).args(packages))?;
        let bundles = if self.bundles.is_empty() {
            here()
        } else {
            self.bundles.join(",")
        };
        // Started in the top folder: the Tauri CLI takes the `tauri.conf.json` that it finds there first. It only packs what
        // stands in `target/release`; left to build, it would ask for features of packages that it does not name.
        let cli = places::ui().join("node_modules/@tauri-apps/cli/tauri.js");
        programs::run(
            program("node")
                .arg(cli)
                .args(["bundle", "--bundles", &bundles])
                .args(carrying(helper.as_deref())),
        )?;
        println!(
            "\nbuilt: {}",
            places::built("release", "runicorn-viewer").display()
        );
        println!(
            "built: {}",
            places::target().join("release/bundle").display()
        );
        Ok(())
    }
}

/// Has the bundler put the helper where the app looks for it.
fn carrying(helper: Option<&Path>) -> Vec<String> {
    let Some(file) = helper else {
        println!(
            "without the helper: it is built on Linux; put it into target/viewers to carry it"
        );
        return Vec::new();
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let from = file.to_string_lossy().replace('\\', "/").replace('"', "");
    vec![
        "--config".to_owned(),
        format!(r#"{{"bundle":{{"resources":{{"{from}":"viewers/{name}"}}}}}}"#),
    ]
}

/// What this system can make without fetching anything; an `AppImage` is made when asked for.
fn here() -> String {
    let bundles = if cfg!(windows) {
        "msi"
    } else if cfg!(target_os = "macos") {
        "dmg"
    } else {
        "deb,rpm"
    };
    bundles.to_owned()
}
