//! Runicorn Desktop: a window on the server that runs in the same process. No product logic lives here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod app;
mod blank_check;
mod desktop;
mod dropped;
mod link;
mod memory;
mod menu;
mod menu_text;
mod notice_text;
mod platform;
mod relaunch;
mod tray;
mod tray_text;
mod window;

use std::{ffi::OsString, path::PathBuf};

use clap::Parser;
use runicorn_server::config::args::LogLevel;

/// Shows the experiments that Runicorn recorded, in a window of its own.
#[derive(Parser)]
#[command(name = "runicorn-desktop", version)]
struct Arguments {
    /// The storage root to show; by default the one that the Python SDK uses
    #[arg(long, value_name = "FOLDER")]
    storage: Option<PathBuf>,
    /// The port to serve on; without it 23300, or a free one when that is taken
    #[arg(long)]
    port: Option<u16>,
    /// How much is logged
    #[arg(long, value_enum, ignore_case = true, default_value_t = LogLevel::Info)]
    log_level: LogLevel,
    /// Set by the app itself when it starts again to draw without the graphics card
    #[arg(long, hide = true)]
    safe_rendering: bool,
    /// A view to show, as `runicorn://run/<id>`; what is no such link is not followed
    // On Windows a quotation mark in a link may end its argument: whatever follows it chooses no storage root.
    #[arg(conflicts_with = "storage")]
    link: Option<OsString>,
}

fn main() -> anyhow::Result<()> {
    runicorn_server::allocator::give_large_blocks_back();
    app::run(Arguments::parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_brings_options_chooses_no_storage_root() {
        let parsed = |arguments: &[&str]| {
            let all = ["runicorn-desktop"].iter().chain(arguments);
            Arguments::try_parse_from(all).is_ok()
        };
        assert!(parsed(&["--port", "0", "runicorn://runs"]));
        assert!(parsed(&["--storage", "root"]));
        assert!(!parsed(&["runicorn://runs", "--storage", "root"]));
        assert!(!parsed(&["--storage=root", "runicorn:"]));
    }
}
