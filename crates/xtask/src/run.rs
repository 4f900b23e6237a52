//! `cargo xtask run`: build and open the app on the user's storage root.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::{
    needs, places,
    programs::{self, cargo, program},
    ui,
};

#[derive(Args)]
pub(crate) struct Run {
    /// Serve without a window, as happens by itself where there is no display
    #[arg(long)]
    headless: bool,
    /// Build quickly instead of building what is fast
    #[arg(long)]
    debug: bool,
    /// What the program itself gets, for example: -- --storage FOLDER
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

impl Run {
    pub(crate) fn go(self) -> Result<()> {
        let headless = self.headless || !has_display();
        if headless {
            needs::for_viewer()
        } else {
            needs::for_app()
        }?;
        ui::build()?;
        let (package, name) = if headless {
            ("runicorn-server", "runicorn-viewer")
        } else {
            ("runicorn-desktop", "runicorn-desktop")
        };
        let (profile, flags): (_, &[&str]) = if self.debug {
            ("debug", &[])
        } else {
            ("release", &["--release"])
        };
        programs::run(
            cargo()
                .args(["build", "--package", package, "--bin", name])
                .args(flags),
        )?;
        if headless {
            println!(
                "no display here: serving without a window; the address follows, Ctrl-C ends it"
            );
        }
        programs::run(program(places::built(profile, name)).args(self.arguments))
    }
}

/// Whether a window could be shown.
fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || named("DISPLAY") || named("WAYLAND_DISPLAY")
}
