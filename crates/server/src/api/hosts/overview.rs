//! All machines that this person can look at, in one answer: those of the ssh configuration, saved ones, and those of before.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use runicorn_remote::{ConnectionInfo, HostAlias, SavedServer, SecretStoreKind, Target};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sessions::SessionAnswer;
use crate::app::App;
use crate::blocking::blocking;
use crate::error::ApiResult;
use crate::recent_hosts::RecentHost;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_hosts))
}

/// All machines.
#[derive(Serialize, utoipa::ToSchema)]
struct HostsAnswer {
    hosts: Vec<HostItem>,
    keyring: KeyringState,
    /// What the ssh configuration says and cannot be honoured.
    notes: Vec<String>,
    /// Who is here: the user name where none is given.
    local_user: String,
}

/// Where passwords lie.
#[derive(Serialize, utoipa::ToSchema)]
struct KeyringState {
    /// `keyring`, or `session`: kept until the app ends.
    kind: &'static str,
    /// Why it is only `session`.
    detail: Option<String>,
}

/// One machine and user.
#[derive(Serialize, utoipa::ToSchema)]
struct HostItem {
    /// `ssh:<alias>`, `saved:<id>` or `recent:<connection_id>`.
    id: String,
    name: String,
    /// What to connect to: an alias, a name or an address.
    host: String,
    port: u16,
    username: String,
    /// `ssh_config`, `saved` or `recent`.
    source: &'static str,
    /// The id to connect with, of a saved server.
    saved_server_id: Option<String>,
    /// What the host is called on the network.
    address: String,
    /// Machines on the way, `user@host:port`.
    jump: Vec<String>,
    /// What its configuration says and cannot be honoured.
    notes: Vec<String>,
    /// `password` or `key`, of a saved server.
    auth_method: Option<String>,
    has_password: bool,
    has_passphrase: bool,
    connection: Option<HostConnection>,
    sessions: Vec<SessionAnswer>,
    /// Seconds since the epoch.
    last_seen_at: Option<f64>,
    last_root: Option<String>,
    last_environment: Option<String>,
    last_viewer: Option<String>,
}

/// How it stands with the connection to a machine.
#[derive(Serialize, utoipa::ToSchema)]
struct HostConnection {
    connection_id: String,
    connected: bool,
    /// The stage.
    phase: &'static str,
    /// Why the last attempt failed.
    error: Option<ConnectFailure>,
}

/// Why an attempt to connect failed.
#[derive(Serialize, utoipa::ToSchema)]
struct ConnectFailure {
    code: &'static str,
    detail: String,
    /// The stage in which it failed.
    phase: Option<&'static str>,
}

/// Lists all machines with their connections, sessions and what was shown of them last.
#[utoipa::path(get, path = "/api/hosts", tag = "hosts", responses((status = 200, body = HostsAnswer)))]
async fn list_hosts(State(app): State<App>) -> ApiResult<Json<HostsAnswer>> {
    blocking(move || all_hosts(&app)).await.map(Json)
}

fn all_hosts(app: &App) -> ApiResult<HostsAnswer> {
    let config = app.remote().ssh_config();
    let mut known = Known::of(app);
    let mut hosts = Vec::new();
    for alias in config.hosts() {
        let host = of_alias(alias, &known.local_user);
        hosts.extend(host.map(|(host, target)| known.complete(host, &target)));
    }
    for server in app.remote().saved().servers()? {
        let host = of_saved(server);
        hosts.extend(host.map(|(host, target)| known.complete(host, &target)));
    }
    for target in known.left() {
        hosts.push(known.complete(of_target(&target), &target));
    }
    let (kind, detail) = match app.remote().secrets().kind() {
        SecretStoreKind::Keyring => ("keyring", None),
        SecretStoreKind::SessionOnly { why } => ("session", Some(why)),
    };
    Ok(HostsAnswer {
        hosts,
        keyring: KeyringState { kind, detail },
        notes: config.problems(),
        local_user: known.local_user,
    })
}

/// What is known of machines beside their names; each machine that is shown takes its part.
struct Known<'a> {
    app: &'a App,
    local_user: String,
    recent: BTreeMap<Target, RecentHost>,
    connections: BTreeMap<Target, ConnectionInfo>,
    sessions: BTreeMap<Target, Vec<SessionAnswer>>,
    /// Not shown yet, latest first.
    waiting: Vec<Target>,
}

impl<'a> Known<'a> {
    fn of(app: &'a App) -> Self {
        let remote = app.remote();
        let recent = app.recent_hosts().list();
        let connections = remote.connections().list();
        let mut waiting: Vec<Target> = connections.iter().map(|live| live.target.clone()).collect();
        let mut sessions: BTreeMap<Target, Vec<SessionAnswer>> = BTreeMap::new();
        for session in remote.sessions() {
            waiting.push(session.target.clone());
            let of_target = sessions.entry(session.target.clone()).or_default();
            of_target.push(SessionAnswer::of(app, session));
        }
        waiting.extend(app.connecting().under_way());
        waiting.extend(recent.iter().map(|recent| recent.target.clone()));
        Self {
            app,
            local_user: app.config().remote.local_user.clone(),
            recent: by_target(recent, |recent| &recent.target),
            connections: by_target(connections, |live| &live.target),
            sessions,
            waiting,
        }
    }

    fn left(&self) -> Vec<Target> {
        let mut left: Vec<Target> = Vec::new();
        for target in &self.waiting {
            if !left.contains(target) {
                left.push(target.clone());
            }
        }
        left
    }

    fn complete(&mut self, mut host: HostItem, target: &Target) -> HostItem {
        self.waiting.retain(|waiting| waiting != target);
        host.connection = self.connection(target);
        host.sessions = self.sessions.remove(target).unwrap_or_default();
        if let Some(recent) = self.recent.get(target) {
            host.last_seen_at = Some(recent.seen_at);
            host.last_root = Some(recent.root.clone());
            host.last_environment.clone_from(&recent.environment);
            host.last_viewer = Some(recent.viewer.clone());
        }
        host
    }

    fn connection(&self, target: &Target) -> Option<HostConnection> {
        let live = self.connections.get(target);
        let attempt = self.app.connecting().attempt(target);
        if live.is_none() && attempt.is_none() {
            return None;
        }
        let is_connected = live.is_some_and(|live| live.is_connected);
        let idle = if is_connected {
            "running"
        } else {
            "reconnecting"
        };
        let (phase, failure) = attempt.map_or((idle, None), |attempt| {
            (attempt.phase.word(), attempt.failure)
        });
        Some(HostConnection {
            connection_id: target.to_string(),
            connected: is_connected,
            phase,
            error: failure.map(|failure| ConnectFailure {
                code: failure.code,
                detail: failure.detail,
                phase: failure.phase.map(runicorn_remote::Phase::word),
            }),
        })
    }
}

fn by_target<T>(all: Vec<T>, target: impl Fn(&T) -> &Target) -> BTreeMap<Target, T> {
    all.into_iter()
        .map(|one| (target(&one).clone(), one))
        .collect()
}

fn of_alias(alias: HostAlias, local_user: &str) -> Option<(HostItem, Target)> {
    let resolved = alias.resolved;
    let username = resolved.user.unwrap_or_else(|| local_user.to_owned());
    let target = Target::new(&username, &alias.alias, resolved.port.unwrap_or(22)).ok()?;
    let host = HostItem {
        id: format!("ssh:{}", alias.alias),
        name: alias.alias,
        source: "ssh_config",
        address: resolved.host_name,
        jump: resolved.proxy_jump,
        notes: resolved.notes,
        ..of_target(&target)
    };
    Some((host, target))
}

/// A saved server; one whose names cannot be is left to the page of saved ones.
fn of_saved(server: SavedServer) -> Option<(HostItem, Target)> {
    let target = Target::new(&server.username, &server.host, server.port).ok()?;
    let name = Some(server.name).filter(|name| !name.is_empty());
    let host = HostItem {
        id: format!("saved:{}", server.id),
        name: name.unwrap_or(server.host),
        source: "saved",
        saved_server_id: Some(server.id),
        auth_method: Some(server.auth_method),
        has_password: server.has_password,
        has_passphrase: server.has_passphrase,
        ..of_target(&target)
    };
    Some((host, target))
}

fn of_target(target: &Target) -> HostItem {
    HostItem {
        id: format!("recent:{target}"),
        name: target.host.clone(),
        host: target.host.clone(),
        port: target.port,
        username: target.username.clone(),
        source: "recent",
        saved_server_id: None,
        address: target.host.clone(),
        jump: Vec::new(),
        notes: Vec::new(),
        auth_method: None,
        has_password: false,
        has_passphrase: false,
        connection: None,
        sessions: Vec::new(),
        last_seen_at: None,
        last_root: None,
        last_environment: None,
        last_viewer: None,
    }
}
