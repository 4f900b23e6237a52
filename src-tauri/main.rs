//! Runicorn Desktop: a window on the server that runs in the same process. No product logic lives here.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod app;
mod blank_check;
mod desktop;
mod memory;
mod menu;
mod menu_text;
mod notice_text;
mod platform;
mod relaunch;
mod window;

use std::path::PathBuf;

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
}

fn main() -> anyhow::Result<()> {
    runicorn_server::allocator::give_large_blocks_back();
    app::run(&Arguments::parse())
}
