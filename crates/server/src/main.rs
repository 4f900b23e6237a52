//! `runicorn-viewer`: the server without a window.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use runicorn_server::config::args::Args;
use runicorn_server::config::{Config, Environment};
use runicorn_server::launch::{self, LaunchError, PortFile, ReadyLine};
use runicorn_server::{Listener, Server, start_log};

fn main() -> ExitCode {
    runicorn_server::allocator::give_large_blocks_back();
    let args = Args::parse();
    #[cfg(unix)]
    if let Some(socket) = &args.connect_stdio {
        return bridge(socket);
    }
    let ended = match args.config(Environment::of_process()) {
        Ok(config) => {
            start_log(&config, args.log_level);
            run_to_end(&args, config)
        }
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            let code = error
                .downcast_ref::<LaunchError>()
                .map_or(launch::ExitCode::Failed, LaunchError::exit_code);
            ExitCode::from(code as u8)
        }
    }
}

/// Nothing but the bytes of the viewer goes to stdout.
#[cfg(unix)]
fn bridge(socket: &std::path::Path) -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    let carried = runtime.block_on(runicorn_server::stdio_bridge::carry(socket));
    // The thread that reads stdin may wait for ever.
    runtime.shutdown_background();
    if carried.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Disk work that hangs on a dead network mount does not hold up the end of the process.
fn run_to_end(args: &Args, config: Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(run(args, config));
    runtime.shutdown_timeout(std::time::Duration::from_millis(50));
    ended
}

async fn run(args: &Args, config: Config) -> anyhow::Result<()> {
    let state_dir = config.folders.state.clone();
    let (listener, mut ready) = listen(args)?;
    let server = Server::new(config)?;
    let storage = server.app().store().root().display().to_string();
    ready.storage = storage;
    let _port_file = ready.port.and_then(|port| {
        PortFile::write(&state_dir, port)
            .inspect_err(|error| tracing::warn!(%error, "no port file was written"))
            .ok()
    });
    let signals = stop_signals()?;
    tell_ready(args, &ready)?;
    let stopper = server.clone();
    let stopping = tokio::spawn(async move {
        tokio::select! {
            () = signals => {}
            () = stopper.idle() => tracing::info!("nobody was here for a while; ending"),
        }
        stopper.shutdown().await;
    });
    server.serve(listener).await;
    stopping.await?;
    if let Some(socket) = &args.socket {
        std::fs::remove_file(socket).context("the socket stays behind")?;
    }
    Ok(())
}

fn listen(args: &Args) -> anyhow::Result<(Listener, ReadyLine)> {
    let mut ready = ReadyLine {
        ready: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        url: None,
        port: None,
        socket: None,
        storage: String::new(),
    };
    #[cfg(unix)]
    if let Some(path) = &args.socket {
        let path = std::path::absolute(path)?;
        let listener = launch::bind_socket(&path)?;
        ready.socket = Some(path);
        return Ok((tokio::net::UnixListener::from_std(listener)?.into(), ready));
    }
    let host = launch::loopback_host(args)?;
    let (port, any_will_do) = args.wanted_port();
    let listener = launch::bind_port(host, port, any_will_do)?;
    let port = listener.local_addr()?.port();
    ready.port = Some(port);
    ready.url = Some(format!("http://{}", SocketAddr::new(host, port)));
    Ok((tokio::net::TcpListener::from_std(listener)?.into(), ready))
}

fn tell_ready(args: &Args, ready: &ReadyLine) -> anyhow::Result<()> {
    let line = serde_json::to_string(ready)? + "\n";
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .context("the ready line was not taken")?;
    if let Some(fd) = args.ready_fd {
        launch::write_to_fd(fd, line.as_bytes()).context("--ready-fd is no open file")?;
    }
    Ok(())
}

/// Resolves when the process is asked to end.
fn stop_signals() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
