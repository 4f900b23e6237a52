//! Starts the server, opens the window on it, and stops both together.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use clap::Parser;
use runicorn_server::{
    Server,
    config::{Config, DEFAULT_PORT, Environment},
    launch::{self, PortFile, ReadyLine},
    start_log,
};
use tauri::{AppHandle, Manager, RunEvent, Url, WebviewWindow, WindowEvent, async_runtime};
use tauri_plugin_window_state::StateFlags;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    Arguments,
    blank_check::{BlankCheck, LIMIT, LOAD_LIMIT},
    desktop, dropped, link,
    memory::Memory,
    menu, platform, relaunch,
    tray::Tray,
    window,
};

/// What the parts of the shell share, kept by Tauri.
pub(crate) struct Shell {
    memory: Memory,
    blank_check: Arc<BlankCheck>,
    is_safe_rendering: bool,
    server: Mutex<Option<(Server, Option<PortFile>)>>,
    address: Url,
    tray: Tray,
}

/// What `start` needs to know.
struct Plan {
    config: Config,
    memory: Memory,
    blank_check: Arc<BlankCheck>,
    port: Option<u16>,
    is_safe_rendering: bool,
}

/// Runs the app until its window is closed.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = Config::of_this_user(Environment::of_process(), arguments.storage.as_deref())?;
    start_log(&config, arguments.log_level);
    let state_folder = config.folders.state.clone();
    let memory = Memory::in_folder(&state_folder);
    let blank_check = Arc::new(BlankCheck::new());
    if memory.choices().safe_rendering && !arguments.safe_rendering {
        let error = relaunch::with_safe_rendering();
        tracing::warn!(%error, "could not start again with safe rendering");
    }
    let plan = Plan {
        config,
        memory,
        blank_check,
        port: arguments.port,
        is_safe_rendering: arguments.safe_rendering,
    };
    let runtime = Runtime::new().context("no async runtime")?;
    async_runtime::set(runtime.handle().clone());
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _| {
            tracing::info!("a second start handed over");
            window::show(app);
            // it was read over there already, before it came here
            if let Ok(arguments) = Arguments::try_parse_from(arguments) {
                follow_link_of(app, &arguments);
            }
        }))
        .plugin(window_state(&state_folder))
        .manage(link::Waiting::default())
        .setup(move |app| {
            follow_link_of(app.handle(), &arguments);
            start_or_tell(app.handle(), plan);
            Ok(())
        })
        .on_menu_event(|app, event| menu::chosen(app, event.id().as_ref()))
        .on_window_event(|window, event| {
            dropped::heard(window, event);
            if let (WindowEvent::Focused(has_focus), Some(shell)) =
                (event, window.try_state::<Shell>())
            {
                shell.tray.looked_at(*has_focus);
            }
        })
        .build(context())?
        .run(|app, event| {
            for link in platform::links_of(&event) {
                window::show(app);
                link::follow(app, &link);
            }
            if matches!(event, RunEvent::Exit)
                && let Some(shell) = app.try_state::<Shell>()
            {
                // first, so that nobody hands over to a window that is gone
                tauri_plugin_single_instance::destroy(app);
                shell.stop_server();
            }
        });
    Ok(())
}

fn follow_link_of(app: &AppHandle, arguments: &Arguments) {
    if let Some(link) = &arguments.link {
        link::follow(app, &link.to_string_lossy());
    }
}

/// What `tauri.conf.json` says, read when this was built.
#[expect(clippy::exit, reason = "stands in the code that the macro makes")]
fn context() -> tauri::Context {
    tauri::generate_context!()
}

/// Remembers size and place beside our other files.
fn window_state(state_folder: &Path) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    tauri_plugin_window_state::Builder::default()
        .with_filename(state_folder.join("window.json").to_string_lossy())
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE - StateFlags::DECORATIONS)
        .build()
}

/// A start that fails says why in a dialog: there may be no terminal. The dialog is drawn by the event loop, which runs only
/// after this, so it must not be waited for here.
fn start_or_tell(app: &AppHandle, plan: Plan) {
    if let Err(error) = start(app, plan) {
        tracing::error!("{error:#}");
        let dialog = rfd::AsyncMessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title("Runicorn")
            .set_description(format!("{error:#}"))
            .show();
        let app = app.clone();
        async_runtime::spawn(async move {
            dialog.await;
            app.exit(1);
        });
    }
}

fn start(app: &AppHandle, plan: Plan) -> anyhow::Result<()> {
    let Plan {
        mut config,
        memory,
        blank_check,
        port,
        is_safe_rendering,
    } = plan;
    let state_folder = config.folders.state.clone();
    let tray = Tray::show(app);
    config.desktop = Some(Arc::new(desktop::Handle::new(
        app.clone(),
        Arc::clone(&blank_check),
        tray.clone(),
    )));
    if let Ok(resources) = app.path().resource_dir() {
        config.remote.add_viewers_in(&resources.join("viewers"));
    }
    let server = Server::new(config)?;
    let port = serve(&server, port)?;
    let port_file = PortFile::write(&state_folder, port)
        .inspect_err(|error| tracing::warn!(%error, "others will not find our port"))
        .ok();
    let address = Url::parse(&format!("http://127.0.0.1:{port}/"))?;
    tell(&ready_line(&server, port));
    let server = Mutex::new(Some((server, port_file)));
    app.manage(Shell {
        memory,
        blank_check,
        is_safe_rendering,
        server,
        address,
        tray,
    });
    let shell = app.state::<Shell>();
    let first = shell.first_view(app)?;
    let window = window::open(app, first.clone(), &state_folder)?;
    shell.ask_again_when_empty(window, first);
    end_when_asked(app.clone());
    Ok(())
}

/// Listens and answers from now on; gives the port.
fn serve(server: &Server, port: Option<u16>) -> anyhow::Result<u16> {
    let (wanted, any_will_do) = port.map_or((DEFAULT_PORT, true), |port| (port, false));
    let listener = launch::bind_port(Ipv4Addr::LOCALHOST.into(), wanted, any_will_do)?;
    let port = listener.local_addr()?.port();
    let server = server.clone();
    async_runtime::spawn(async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => server.serve(listener).await,
            Err(error) => tracing::error!(%error, "the server cannot listen"),
        }
    });
    Ok(port)
}

/// Says where the server is; without a terminal nobody listens, which is fine.
fn tell(ready: &ReadyLine) {
    let told = serde_json::to_string(ready)
        .map_err(io::Error::from)
        .and_then(|line| writeln!(io::stdout(), "{line}"));
    if let Err(error) = told {
        tracing::debug!(%error, "nobody heard where the server is");
    }
}

/// The same line as the headless viewer prints, for scripts and for `cargo xtask run`.
fn ready_line(server: &Server, port: u16) -> ReadyLine {
    ReadyLine {
        ready: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        url: Some(format!("http://127.0.0.1:{port}")),
        port: Some(port),
        socket: None,
        storage: server.app().store().root().display().to_string(),
    }
}

/// A terminal or the system may ask us to end; that is the same as closing the window.
fn end_when_asked(app: AppHandle) {
    async_runtime::spawn(async move {
        match platform::asked_to_end().await {
            Ok(()) => app.exit(0),
            Err(error) => tracing::warn!(%error, "signals are not heard"),
        }
    });
}

impl Shell {
    /// Where our server answers.
    pub(crate) fn address(&self) -> &Url {
        &self.address
    }

    /// Where the window begins: at what a link said, or at the runs.
    pub(crate) fn first_view(&self, app: &AppHandle) -> anyhow::Result<Url> {
        let view = app.state::<link::Waiting>().take();
        Ok(self.address.join(view.as_deref().unwrap_or_default())?)
    }

    /// What is remembered between starts.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The first bytes of a page have arrived; the very first time, its first picture is awaited.
    pub(crate) fn first_byte(&self, app: &AppHandle) {
        tracing::debug!("first byte of the page");
        if !self.blank_check.starts() {
            return;
        }
        let (blank_check, app) = (Arc::clone(&self.blank_check), app.clone());
        async_runtime::spawn_blocking(move || {
            if async_runtime::block_on(blank_check.stays_blank(LIMIT)) {
                app.state::<Self>().heal(&app);
            }
        });
    }

    /// A webview that is asked while an older one still closes its files may never ask us for the page.
    fn ask_again_when_empty(&self, window: WebviewWindow, first: Url) {
        let blank_check = Arc::clone(&self.blank_check);
        async_runtime::spawn(async move {
            if blank_check.stays_empty(LOAD_LIMIT).await {
                tracing::warn!("the webview has not asked for the page; telling it again");
                if let Err(error) = window.navigate(first) {
                    tracing::warn!(%error, "it cannot be told");
                }
            }
        });
    }

    /// The window is blank: start again drawing safely, once, and remember that.
    fn heal(&self, app: &AppHandle) {
        if self.is_safe_rendering {
            tracing::error!(
                "the window stays blank even without the graphics card; the page also opens in any browser at {}",
                self.address
            );
            return;
        }
        tracing::warn!("the window stays blank: starting again without the graphics card");
        if let Err(error) = self.memory.change(|choices| choices.safe_rendering = true) {
            tracing::warn!(%error, "this could not be remembered for the next start");
        }
        let error = self.start_again(app, relaunch::with_safe_rendering);
        tracing::error!(%error, "could not start again");
    }

    /// The menu's choice of drawing with or without the graphics card; takes effect by starting again.
    pub(crate) fn choose_rendering(&self, app: &AppHandle) -> anyhow::Result<()> {
        let is_safe = !self.is_safe_rendering;
        self.memory
            .change(|choices| choices.safe_rendering = is_safe)?;
        let relaunch = if is_safe {
            relaunch::with_safe_rendering
        } else {
            relaunch::with_usual_rendering
        };
        Err(self.start_again(app, relaunch).into())
    }

    fn start_again(&self, app: &AppHandle, relaunch: fn() -> io::Error) -> io::Error {
        self.stop_server();
        tauri_plugin_single_instance::destroy(app);
        relaunch()
    }

    fn stop_server(&self) {
        let server = self
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((server, _port_file)) = server {
            async_runtime::block_on(server.shutdown());
        }
    }
}
