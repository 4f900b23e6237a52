//! Starting a viewer on the far side and finding the way to it.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;

use super::builds::Builds;
use super::line::{Line, value};
use super::platform::Platform;
use super::{push, python};
use crate::connection::Connection;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::info::{Transport, ViewerKind, ViewerWish};
use crate::script::{Script, cleaned};
use crate::times::Times;
use crate::tunnel::Way;

/// A port that was free a moment ago may be taken now; so often another one is tried.
const PORTS: usize = 3;
/// Lines of a viewer's log that tell why it did not start.
const LOG_LINES: &str = "30";

/// What is to run.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Eight hexadecimal digits.
    pub(crate) session_id: String,
    /// Tells our session from another app's of the same name.
    pub(crate) owner: String,
    /// The storage root; empty for the far side's own default.
    pub(crate) root: String,
    /// The environment.
    pub(crate) environment: Option<String>,
    /// Which viewer.
    pub(crate) wish: ViewerWish,
    /// The port that it must have.
    pub(crate) port: Option<u16>,
}

/// What an earlier start found out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// The viewer that ran, and how it was reached.
    pub(crate) kind: Option<ViewerKind>,
    pub(crate) transport: Option<Transport>,
    /// Its port.
    pub(crate) port: Option<u16>,
    /// It is not the first start: something of the session may still be there.
    pub(crate) is_again: bool,
}

/// Where the session is on the far side, known from the moment on when something may be there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// The shell of the line that starts it.
    pub(crate) shell: Option<(String, String)>,
    /// The folder.
    pub(crate) dir: Option<String>,
}

/// A viewer that runs.
pub(crate) struct Started {
    /// The session's line.
    pub(crate) line: Line,
    pub(crate) kind: ViewerKind,
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// 0 for a socket.
    pub(crate) port: u16,
    pub(crate) way: Way,
    /// How much of our viewer had to be sent.
    pub(crate) installed_bytes: u64,
}

/// Everything that a start needs.
pub(crate) struct Setting<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) order: &'a Order,
    pub(crate) remembered: &'a Remembered,
    pub(crate) builds: &'a Builds,
    pub(crate) times: &'a Times,
    pub(crate) trace: &'a Arc<Mutex<Trace>>,
    /// Told each stage.
    pub(crate) tell: &'a (dyn Fn(Phase) + Send + Sync),
}

/// Starts the viewer and opens a stream to it once.
///
/// # Errors
/// One for each thing that a person can mend; see [`RemoteError`].
pub(crate) async fn start(setting: &Setting<'_>) -> RemoteResult<Started> {
    (setting.tell)(Phase::Checking);
    let mut line = Line::open(setting.connection, setting.times).await?;
    setting.trace.lock().shell = Some(line.hello().process.clone());
    if setting.remembered.is_again {
        end_on(&mut line, setting.order, setting.times, None).await?;
    }
    let platform = Platform::of(line.hello());
    let viewer = match choice(setting, &platform) {
        Choice::Python => python_viewer(setting, &mut line).await?,
        Choice::Bundled => bundled(setting, &mut line, &platform).await?,
        Choice::Either => match bundled(setting, &mut line, &platform).await {
            Err(
                error @ (RemoteError::PlatformUnsupported { .. } | RemoteError::Install { .. }),
            ) => {
                tracing::info!(%error, "our viewer does not go there; trying a Python environment");
                let other = python_viewer(setting, &mut line).await;
                other.map_err(|_second| error)?
            }
            outcome => outcome?,
        },
    };
    Ok(Started {
        line,
        kind: viewer.kind,
        version: cleaned(&viewer.version, 40),
        pid: viewer.pid,
        port: viewer.port,
        way: viewer.way,
        installed_bytes: viewer.installed_bytes,
    })
}

struct Viewer {
    kind: ViewerKind,
    version: String,
    pid: u32,
    port: u16,
    way: Way,
    installed_bytes: u64,
}

enum Choice {
    Python,
    Bundled,
    /// Ours, and Python when ours cannot be.
    Either,
}

fn choice(setting: &Setting<'_>, platform: &Platform) -> Choice {
    match (setting.remembered.kind, setting.order.wish) {
        (Some(ViewerKind::Bundled), _) | (None, ViewerWish::Bundled) => Choice::Bundled,
        (Some(ViewerKind::Python), _) | (None, ViewerWish::Python) => Choice::Python,
        (None, ViewerWish::Auto) => match setting.order.environment.as_deref() {
            None | Some("system" | "") => {
                if setting.builds.has(&platform.name) && platform.has_our_libc() {
                    Choice::Either
                } else {
                    Choice::Python
                }
            }
            Some(_) => Choice::Python,
        },
    }
}

// --- ours ---

/// The line that our viewer prints when it listens.
#[derive(Deserialize)]
struct Ready {
    version: String,
    pid: u32,
    port: Option<u16>,
    socket: Option<String>,
}

async fn bundled(
    setting: &Setting<'_>,
    line: &mut Line,
    platform: &Platform,
) -> RemoteResult<Viewer> {
    if !setting.builds.has(&platform.name) || !platform.has_our_libc() {
        return Err(platform.unsupported());
    }
    let build = setting.builds.load(&platform.name).await?;
    let placed = push::ensure(setting.connection, line, platform, &build, setting.tell).await?;
    let mut transport = setting.remembered.transport.unwrap_or(Transport::Socket);
    loop {
        let ready = run_bundled(setting, line, &placed.program, transport).await?;
        (setting.tell)(Phase::Forwarding);
        let way = bundled_way(&ready, transport, &placed.program);
        let opened = way.open(setting.connection).await;
        let Err(refusal) = opened else {
            return Ok(Viewer {
                kind: ViewerKind::Bundled,
                version: ready.version,
                pid: ready.pid,
                port: ready.port.unwrap_or(0),
                way,
                installed_bytes: placed.sent_bytes,
            });
        };
        transport = another_way(setting, transport, refusal).await?;
        end_on(line, setting.order, setting.times, None).await?;
    }
}

fn bundled_way(ready: &Ready, transport: Transport, program: &str) -> Way {
    match (transport, ready.port, &ready.socket) {
        (Transport::Socket, _, Some(socket)) => Way::Socket(socket.clone()),
        (_, Some(port), _) => Way::Tcp(port),
        (_, None, socket) => Way::Bridge(
            Script::new(
                "the bridge to the viewer",
                "exec \"$1\" --connect-stdio \"$2\"",
            )
            .arg(program)
            .arg(socket.as_deref().unwrap_or_default()),
        ),
    }
}

/// What to try when a server does not forward like that. OpenSSH answers to a forbidden socket as to a dead one, so only a
/// listening viewer can tell; to a forbidden port it says so.
async fn another_way(
    setting: &Setting<'_>,
    tried: Transport,
    refusal: RemoteError,
) -> RemoteResult<Transport> {
    if !matches!(
        refusal,
        RemoteError::Forbidden { .. } | RemoteError::Path { .. }
    ) {
        return Err(refusal);
    }
    tracing::debug!(%refusal, "the server does not forward that way; trying another");
    match tried {
        Transport::Socket => match setting.connection.open_tcp("127.0.0.1", 1).await {
            Err(RemoteError::Forbidden { .. }) => Ok(Transport::Stdio),
            Ok(_) | Err(RemoteError::Path { .. }) => Ok(Transport::Tcp),
            Err(other) => Err(other),
        },
        Transport::Tcp => Ok(Transport::Stdio),
        Transport::Stdio => Err(RemoteError::Forbidden {
            host: setting.connection.target().host.clone(),
            what: "forwarding of any kind",
            detail: refusal.to_string(),
        }),
    }
}

async fn run_bundled(
    setting: &Setting<'_>,
    line: &mut Line,
    program: &str,
    transport: Transport,
) -> RemoteResult<Ready> {
    (setting.tell)(Phase::Starting);
    let dir = folder(setting, line).await?;
    let listens_on = match transport {
        Transport::Tcp => "tcp",
        Transport::Socket | Transport::Stdio => "socket",
    };
    let command = ["bundled", &dir, program, &setting.order.root, listens_on];
    let answer = launched(setting, line, &command).await?;
    match value(&answer, "ready").map(serde_json::from_str::<Ready>) {
        Some(Ok(ready)) => Ok(ready),
        Some(Err(error)) => Err(failed(
            line,
            &dir,
            format!("its first words make no sense: {error}"),
        )
        .await),
        None => Err(died(line, &dir, &answer).await),
    }
}

// --- Python ---

async fn python_viewer(setting: &Setting<'_>, line: &mut Line) -> RemoteResult<Viewer> {
    let environment = setting.order.environment.as_deref();
    let interpreter = python::interpreter(setting.connection, environment).await?;
    let mut port = setting.order.port.or(setting.remembered.port).unwrap_or(0);
    for _ in 0..PORTS {
        match run_python(setting, line, &interpreter, port).await {
            Err(RemoteError::RemotePortTaken { .. }) if setting.order.port.is_none() => {
                tracing::debug!(port, "the port was taken meanwhile; trying another");
                end_on(line, setting.order, setting.times, None).await?;
                port = 0;
            }
            outcome => return outcome,
        }
    }
    Err(RemoteError::RemotePortTaken { port })
}

async fn run_python(
    setting: &Setting<'_>,
    line: &mut Line,
    interpreter: &python::Interpreter,
    wanted: u16,
) -> RemoteResult<Viewer> {
    (setting.tell)(Phase::Starting);
    let dir = folder(setting, line).await?;
    let (number, idle) = (
        wanted.to_string(),
        if interpreter.has_idle_timeout {
            "yes"
        } else {
            "no"
        },
    );
    let command = [
        "python",
        &dir,
        &interpreter.python,
        &setting.order.root,
        &number,
        idle,
    ];
    let answer = launched(setting, line, &command).await?;
    let said = value(&answer, "port").unwrap_or_default().to_owned();
    let Ok(port) = said.parse::<u16>() else {
        if said == "taken" {
            return Err(RemoteError::RemotePortTaken { port: wanted });
        }
        return Err(failed(line, &dir, "its Python cannot open a port".to_owned()).await);
    };
    match answer.last().map(String::as_str) {
        Some("ready") => {}
        Some("taken") => return Err(RemoteError::RemotePortTaken { port }),
        _ => return Err(died(line, &dir, &answer).await),
    }
    (setting.tell)(Phase::Forwarding);
    let way = python_way(setting, &interpreter.python, port).await?;
    let pid = value(&answer, "pid").and_then(|pid| pid.parse().ok());
    Ok(Viewer {
        kind: ViewerKind::Python,
        version: interpreter.version.clone(),
        pid: pid.unwrap_or(0),
        port,
        way,
        installed_bytes: 0,
    })
}

async fn python_way(setting: &Setting<'_>, python: &str, port: u16) -> RemoteResult<Way> {
    let mut way = Way::Tcp(port);
    let bridge = Script::new(
        "the bridge to the viewer",
        "exec \"$1\" -I -S -c \"$2\" \"$3\"",
    )
    .arg(python)
    .arg(python::BRIDGE)
    .arg(&port.to_string());
    let mut transport = setting.remembered.transport.unwrap_or(Transport::Tcp);
    loop {
        if transport == Transport::Stdio {
            way = Way::Bridge(bridge.clone());
        }
        match way.open(setting.connection).await {
            Ok(_) => return Ok(way),
            Err(refusal) => transport = another_way(setting, transport, refusal).await?,
        }
    }
}

// --- both ---

/// Makes the session's folder.
async fn folder(setting: &Setting<'_>, line: &mut Line) -> RemoteResult<String> {
    let order = setting.order;
    let answer = line
        .ask(&["folder", &order.session_id, &order.owner])
        .await?;
    if let Some(dir) = value(&answer, "dir") {
        setting.trace.lock().dir = Some(dir.to_owned());
        return Ok(dir.to_owned());
    }
    let taken = answer.iter().any(|line| line == "taken");
    let (folder, detail) = answer
        .first()
        .and_then(|line| line.strip_prefix("not ")?.split_once(": "))
        .unwrap_or(("the home folder", "there is no folder for a session"));
    Err(RemoteError::Install {
        folder: cleaned(folder, 300),
        detail: if taken {
            format!("another session is called {}", order.session_id)
        } else {
            cleaned(detail, 300)
        },
    })
}

/// Asks for a start. A shell that breaks off while the link lives is a failed start.
async fn launched(
    setting: &Setting<'_>,
    line: &mut Line,
    command: &[&str],
) -> RemoteResult<Vec<String>> {
    let asked = line.ask_within(command, setting.times.start).await;
    let detail = match asked {
        Err(RemoteError::LinkLost(_)) if setting.connection.is_live() => {
            "the shell that starts it ended".to_owned()
        }
        Err(RemoteError::Timeout { limit, .. }) if setting.connection.is_live() => {
            format!("it was not ready within {} s", limit.as_secs())
        }
        outcome => return outcome,
    };
    let dir = setting.trace.lock().dir.clone().unwrap_or_default();
    let mut other = Line::open(setting.connection, setting.times).await?;
    Err(failed(&mut other, &dir, detail).await)
}

async fn died(line: &mut Line, dir: &str, answer: &[String]) -> RemoteError {
    let status = cleaned(value(answer, "dead").unwrap_or_default(), 20);
    let detail = if status.is_empty() {
        "it ended before it was ready".to_owned()
    } else {
        format!("it ended with status {status} before it was ready")
    };
    failed(line, dir, detail).await
}

/// A failure with the end of the viewer's log.
async fn failed(line: &mut Line, dir: &str, detail: String) -> RemoteError {
    let log_tail = log(line, dir, LOG_LINES).await.unwrap_or_default();
    let last = log_tail.lines().rev().find(|line| !line.trim().is_empty());
    let detail = match last {
        Some(last) => format!("{detail}: {}", cleaned(last.trim(), 300)),
        None => detail,
    };
    RemoteError::ViewerFailed { detail, log_tail }
}

/// The end of a viewer's log, cleaned line by line.
///
/// # Errors
/// As [`Line::ask`].
pub(crate) async fn log(line: &mut Line, dir: &str, lines: &str) -> RemoteResult<String> {
    let answer = line.ask(&["log", dir, lines]).await?;
    let clean = answer
        .iter()
        .filter_map(|line| line.strip_prefix("l "))
        .map(|line| cleaned(line, 2000));
    Ok(clean.collect::<Vec<_>>().join("\n"))
}

/// How a viewer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ended when it was asked to.
    Asked,
    /// It had to be killed.
    Killed,
    /// It did not run any more.
    WasGone,
    /// It could not be ended (it hangs in a dead file system, say).
    Stuck,
    /// There is no link: it ends by itself when its lease is over.
    LeftToLease,
}

/// Ends whatever the session has on the far side. The process of the viewer, if there was one, and how it ended.
///
/// # Errors
/// As [`Line::ask`].
pub(crate) async fn end_on(
    line: &mut Line,
    order: &Order,
    times: &Times,
    shell: Option<(String, String)>,
) -> RemoteResult<(Option<u32>, Ended)> {
    let (pid, began) = shell.unwrap_or_else(|| ("0".to_owned(), "-".to_owned()));
    let limit = times.grace * 3 + std::time::Duration::from_secs(20);
    let command = ["stop", &order.session_id, &order.owner, &pid, &began];
    let answer = line.ask_within(&command, limit).await?;
    let Some((pid, how)) = value(&answer, "ended").and_then(|rest| rest.split_once(' ')) else {
        return Ok((None, Ended::WasGone));
    };
    let ended = match how {
        "term" => Ended::Asked,
        "kill" => Ended::Killed,
        "stuck" => Ended::Stuck,
        _ => Ended::WasGone,
    };
    Ok((pid.parse().ok().filter(|pid| *pid > 0), ended))
}
