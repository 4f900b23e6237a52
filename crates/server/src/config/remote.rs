//! How other machines are reached: the user's SSH files, agent and names, where secrets lie, and the viewers that we can push.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use runicorn_remote::{
    DialerConfig, RemoteConfig, RemoteResult, Secret, SecretStore, SecretStoreKind, Times,
    ViewerBuild, secrets,
};

use super::{Config, Environment, Folders};

/// The platform that our viewer is built for beside this machine's own.
const PUSHED_PLATFORM: &str = "x86_64-linux";
/// The viewer for other machines, as `cargo xtask dist` makes it.
const PUSHED_FILE: &str = "runicorn-viewer-x86_64-linux.gz";

/// Opens the place where secrets lie; called once for each server, and may block shortly.
pub type SecretStoreMaker = Arc<dyn Fn() -> Arc<dyn SecretStore> + Send + Sync>;

/// How other machines are reached.
#[derive(Clone)]
pub struct RemoteSettings {
    /// `~/.ssh`; only read.
    pub ssh_dir: PathBuf,
    /// The machine's own SSH configuration, read behind the user's.
    pub system_ssh_config: Option<PathBuf>,
    /// Who is here.
    pub local_user: String,
    /// The agent's socket.
    pub agent_socket: Option<PathBuf>,
    /// Makes the place where secrets lie.
    pub secrets: SecretStoreMaker,
    /// Viewers that can be pushed, the best first.
    pub viewer_builds: Vec<ViewerBuild>,
    /// How long things may take.
    pub times: Times,
}

impl RemoteSettings {
    /// The settings of a person with this home folder and nothing else: no agent, secrets in memory only.
    pub fn below(home: &Path) -> Self {
        Self {
            ssh_dir: home.join(".ssh"),
            system_ssh_config: None,
            local_user: "user".to_owned(),
            agent_socket: None,
            secrets: Arc::new(|| {
                let why = "secrets are kept until this program ends".to_owned();
                Arc::new(secrets::MemoryStore::new(why))
            }),
            viewer_builds: Vec::new(),
            times: Times::default(),
        }
    }

    /// The settings of this user: the environment's agent and names, the system's keyring, the viewers beside this program.
    pub fn of(environment: &Environment, folders: &Folders) -> Self {
        let text = |name: &str| environment.get(name)?.into_string().ok();
        let user = text("USER")
            .or_else(|| text("LOGNAME"))
            .or_else(|| text("USERNAME"));
        let agent = environment.get("SSH_AUTH_SOCK").map(PathBuf::from);
        let system = Path::new("/etc/ssh/ssh_config");
        Self {
            system_ssh_config: cfg!(unix).then(|| system.to_path_buf()),
            local_user: user.unwrap_or_else(|| "user".to_owned()),
            agent_socket: agent.filter(|socket| socket.is_absolute()),
            secrets: Arc::new(|| Arc::new(OpenedLate::default())),
            viewer_builds: viewer_builds(environment, &places_beside_this_program()),
            ..Self::below(&folders.home)
        }
    }

    /// Looks for viewers to push in another folder too (the resources of an installed app).
    pub fn add_viewers_in(&mut self, folder: &Path) {
        let found = builds_in(&[folder.to_path_buf()]);
        self.viewer_builds.extend(found);
    }
}

impl std::fmt::Debug for RemoteSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RemoteSettings")
            .field("ssh_dir", &self.ssh_dir)
            .field("agent_socket", &self.agent_socket)
            .field("viewer_builds", &self.viewer_builds)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// What the crate `remote` wants to know.
    pub(crate) fn remote_config(&self) -> RemoteConfig {
        let settings = &self.remote;
        RemoteConfig {
            dialer: DialerConfig {
                home: self.folders.home.clone(),
                ssh_dir: settings.ssh_dir.clone(),
                state_dir: self.folders.state.clone(),
                local_user: settings.local_user.clone(),
                agent_socket: settings.agent_socket.clone(),
                local_host_name: self.host_name.clone().unwrap_or_else(system_host_name),
                system_ssh_config: settings.system_ssh_config.clone(),
            },
            secrets: (settings.secrets)(),
            viewer_builds: settings.viewer_builds.clone(),
            // On the far side of a connection there is nobody whose servers could be taken over.
            sdk_config_dir: (!self.remote_mode).then(|| self.folders.sdk_config.clone()),
            times: settings.times.clone(),
        }
    }
}

/// The system's store, opened when it is first needed: a keyring that is slow to answer must not hold up the start.
#[derive(Default)]
struct OpenedLate(OnceLock<Arc<dyn SecretStore>>);

impl OpenedLate {
    fn store(&self) -> &dyn SecretStore {
        self.0.get_or_init(secrets::open).as_ref()
    }
}

impl SecretStore for OpenedLate {
    fn get(&self, key: &str) -> RemoteResult<Option<Secret>> {
        self.store().get(key)
    }

    fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()> {
        self.store().set(key, secret)
    }

    fn remove(&self, key: &str) -> RemoteResult<()> {
        self.store().remove(key)
    }

    fn kind(&self) -> SecretStoreKind {
        self.store().kind()
    }

    fn lasts(&self) -> bool {
        self.store().lasts()
    }
}

fn system_host_name() -> String {
    #[cfg(unix)]
    return rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    "localhost".to_owned()
}

/// `RUNICORN_VIEWERS` (a folder), then what lies beside this program.
fn viewer_builds(environment: &Environment, beside: &[PathBuf]) -> Vec<ViewerBuild> {
    let named = environment.get("RUNICORN_VIEWERS").map(PathBuf::from);
    let folders: Vec<PathBuf> = named.into_iter().chain(beside.iter().cloned()).collect();
    builds_in(&folders)
}

fn places_beside_this_program() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    folder
        .map(|folder| vec![folder.join("viewers"), folder.to_path_buf()])
        .unwrap_or_default()
}

/// The packed viewer for other machines before the plain one of this machine, in each folder.
fn builds_in(folders: &[PathBuf]) -> Vec<ViewerBuild> {
    let own_platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let mut builds = Vec::new();
    for folder in folders {
        let packed = ViewerBuild {
            platform: PUSHED_PLATFORM.to_owned(),
            path: folder.join(PUSHED_FILE),
            is_gzip: true,
        };
        let plain = ViewerBuild {
            platform: own_platform.clone(),
            path: folder.join(if cfg!(windows) {
                "runicorn-viewer.exe"
            } else {
                "runicorn-viewer"
            }),
            is_gzip: false,
        };
        builds.extend(
            [packed, plain]
                .into_iter()
                .filter(|build| build.path.is_file()),
        );
    }
    builds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_and_the_user_come_from_the_environment() {
        let environment = Environment::from_pairs(
            [
                ("HOME", "/h"),
                ("USER", "ada"),
                ("SSH_AUTH_SOCK", "/run/agent"),
            ],
            Path::new("/"),
        );
        let settings = RemoteSettings::of(&environment, &Folders::below(Path::new("/h")));
        assert_eq!(settings.local_user, "ada");
        assert_eq!(
            settings.agent_socket.as_deref(),
            Some(Path::new("/run/agent"))
        );
        assert_eq!(settings.ssh_dir, Path::new("/h/.ssh"));
        let relative = Environment::from_pairs([("SSH_AUTH_SOCK", "agent")], Path::new("/"));
        let settings = RemoteSettings::of(&relative, &Folders::below(Path::new("/h")));
        assert_eq!(settings.agent_socket, None);
    }

    #[test]
    fn the_packed_viewer_of_a_named_folder_is_the_first_choice() {
        let (named, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(named.path().join(PUSHED_FILE), "").unwrap();
        std::fs::write(beside.path().join("runicorn-viewer"), "").unwrap();
        let folder = named.path().display().to_string();
        let environment =
            Environment::from_pairs([("RUNICORN_VIEWERS", folder.as_str())], Path::new("/"));
        let builds = viewer_builds(&environment, &[beside.path().to_path_buf()]);
        let paths: Vec<_> = builds.iter().map(|build| build.path.clone()).collect();
        assert_eq!(paths[0], named.path().join(PUSHED_FILE));
        assert!(builds[0].is_gzip && builds[0].platform == PUSHED_PLATFORM);
        if cfg!(unix) {
            assert_eq!(paths[1], beside.path().join("runicorn-viewer"));
        }
    }
}
