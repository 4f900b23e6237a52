//! Developer commands of Runicorn Desktop: `cargo xtask run | test | dev | bench | openapi | dist`.
//!
//! One file per command. Everything started here goes through [`programs::program`], and everything built or
//! installed stays below `target/`, apart from system packages and `ui/node_modules`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to its terminal"
)]

mod bench;
mod dev;
mod dist;
mod needs;
mod openapi;
mod places;
mod programs;
mod pushed_viewer;
mod run;
mod test;
mod ui;
mod viewer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Developer commands of Runicorn Desktop",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build and open the app; without a display, serve headless and print the address
    Run(run::Run),
    /// Everything that CI runs, with the minutes of each stage
    Test(test::Test),
    /// The headless viewer on a copy of the fixtures, and the Vite server with a proxy to it
    Dev(dev::Dev),
    /// Measure ours against the real Runicorn viewer on the same generated runs
    Bench(bench::Bench),
    /// Rewrite crates/server/openapi.json and ui/src/api/schema.ts
    Openapi,
    /// Release binaries and installers for this system
    Dist(dist::Dist),
}

fn main() -> ExitCode {
    match Cli::parse().command.go() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn go(self) -> anyhow::Result<()> {
        match self {
            Self::Run(run) => run.go(),
            Self::Test(test) => test.go(),
            Self::Dev(dev) => dev.go(),
            Self::Bench(bench) => bench.go(),
            Self::Openapi => openapi::rewrite(),
            Self::Dist(dist) => dist.go(),
        }
    }
}
