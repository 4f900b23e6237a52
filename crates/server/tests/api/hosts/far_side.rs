//! A server of ours, and a far side that it may log in to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

use runicorn_remote::ViewerBuild;
use runicorn_server::config::Config;
use serde_json::{Value, json};

use super::sshd::{Sshd, SshdOptions, program, run, spilled};
use crate::support::{Answer, TestServer, scratch};

const PYTHON: &str = "/usr/bin/python3";

/// Both sides.
pub(super) struct Hosts {
    /// First, so that it looks before the folder goes.
    _search: Search,
    pub(super) server: TestServer,
    pub(super) sshd: Sshd,
}

impl Hosts {
    /// A far side whose home was filled, and a server whose user's key is accepted there.
    pub(super) async fn with(options: &SshdOptions, fill: impl FnOnce(&Path)) -> Self {
        Self::configured(options, fill, |_| {}).await
    }

    /// The same with a changed configuration.
    pub(super) async fn configured(
        options: &SshdOptions,
        fill: impl FnOnce(&Path),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let sshd = Sshd::with(options);
        fill(sshd.home());
        give(sshd.home());
        let folder = scratch();
        let ssh_dir = folder.path().join("home/.ssh");
        fs::create_dir_all(&ssh_dir).unwrap();
        fs::create_dir_all(folder.path().join("root/runs")).unwrap();
        fs::copy(sshd.key(), ssh_dir.join("id_ed25519")).unwrap();
        let viewer = own_viewer(&folder.path().join("viewer"));
        let search = Search(folder.path().to_owned());
        let server = TestServer::start(folder, |config| {
            config.remote.viewer_builds = vec![viewer];
            change(config);
        })
        .await;
        Self {
            _search: search,
            server,
            sshd,
        }
    }

    /// A plain one whose host key is known.
    pub(super) async fn known() -> Self {
        let hosts = Self::with(&SshdOptions::default(), |_| {}).await;
        hosts.know();
        hosts
    }

    /// The user's own `known_hosts` names the far side.
    pub(super) fn know(&self) {
        let file = self.server.home().join(".ssh/known_hosts");
        fs::write(file, self.sshd.known_hosts()).unwrap();
    }

    /// The members that name the far side.
    pub(super) fn place(&self) -> Value {
        json!({"host": "127.0.0.1", "port": self.sshd.port(), "username": self.sshd.username()})
    }

    /// [`Self::place`] with more members.
    pub(super) fn place_with(&self, more: &Value) -> Value {
        let mut place = self.place();
        for (name, value) in more.as_object().unwrap() {
            place[name] = value.clone();
        }
        place
    }

    pub(super) fn connection_id(&self) -> String {
        self.sshd.target().to_string()
    }

    pub(super) async fn connect(&self, more: &Value) -> Answer {
        let body = self.place_with(more);
        self.server.post("/api/remote/connect", body).await
    }

    /// Starts our own viewer on a folder of the far home, and gives the session.
    pub(super) async fn start(&self, more: &Value) -> Value {
        let root = self.sshd.home().join("runicorn_data");
        let mut body = self.place_with(&json!({"remote_root": root.display().to_string()}));
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = self.server.post("/api/remote/viewer/start", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["session"].clone()
    }
}

/// Reads everything that was written on this side, for secrets; the far side reads its own when it goes.
struct Search(PathBuf);

impl Drop for Search {
    fn drop(&mut self) {
        spilled::search_files(&self.0);
    }
}

/// The viewer that was built for these tests, without what a debugger wants where that can be taken off: it goes over SSH.
pub(super) fn own_viewer(copy: &Path) -> ViewerBuild {
    let built = env!("CARGO_BIN_EXE_runicorn-viewer");
    let stripped = program("strip")
        .args(["--strip-all", "-o"])
        .arg(copy)
        .arg(built)
        .output();
    let path = match stripped {
        Ok(stripped) if stripped.status.success() => copy.to_path_buf(),
        _ => PathBuf::from(built),
    };
    ViewerBuild {
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        path,
        is_gzip: false,
    }
}

/// The home of the recordings: conda (a stand-in that says what was recorded) with three real environments, `python3` in
/// `rbin`, a folder to list. The environment `dl` has the real Runicorn of `packages`.
pub(super) fn recorded_home(home: &Path, packages: &Path) {
    for place in ["miniconda3", "miniconda3/envs/dl", "miniconda3/envs/bare"] {
        run(program(PYTHON)
            .args(["-m", "venv", "--without-pip"])
            .arg(home.join(place)));
    }
    for entry in fs::read_dir(packages).unwrap() {
        let entry = entry.unwrap();
        let to = site_packages(&home.join("miniconda3/envs/dl")).join(entry.file_name());
        symlink(entry.path(), to).unwrap();
    }
    fs::create_dir_all(home.join("rbin")).unwrap();
    fs::create_dir_all(home.join("runicorn_data/runs")).unwrap();
    fs::create_dir_all(home.join("listme/sub")).unwrap();
    symlink(PYTHON, home.join("rbin/python3")).unwrap();
    fs::write(home.join(".bashrc"), "export PATH=\"$HOME/rbin:$PATH\"\n").unwrap();
    fs::write(home.join("listme/a 名.txt"), "").unwrap();
    fs::write(home.join("listme/b.txt"), "abc").unwrap();
    let recorded = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_735_787_045);
    for name in ["listme/sub", "listme/a 名.txt", "listme/b.txt"] {
        let entry = fs::File::open(home.join(name)).unwrap();
        entry.set_modified(recorded).unwrap();
    }
    let conda = format!(
        "#!/bin/sh\n[ \"$*\" = 'info --envs' ] || exit 2\ncat <<'END'\n# conda environments:\n#\n\
         base                  *  {0}/miniconda3\n\
         dl                       {0}/miniconda3/envs/dl\n\
         bare                     {0}/miniconda3/envs/bare\n\
         \x20                        /opt/unnamed/env\n\nEND\n",
        home.display()
    );
    let file = home.join("miniconda3/bin/conda");
    fs::write(&file, conda).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The folder of an environment's packages.
pub(super) fn site_packages(environment: &Path) -> PathBuf {
    let versions = fs::read_dir(environment.join("lib")).unwrap();
    let version = versions.map(|entry| entry.unwrap().path());
    version
        .map(|version| version.join("site-packages"))
        .find(|packages| packages.is_dir())
        .unwrap()
}

/// Everything below a home becomes its owner's.
fn give(home: &Path) {
    use std::os::unix::fs::MetadataExt;
    let uid = Some(home.metadata().unwrap().uid());
    let mut waiting = vec![home.to_owned()];
    while let Some(folder) = waiting.pop() {
        chown(&folder, uid, None).unwrap();
        for entry in fs::read_dir(folder).unwrap().flatten() {
            lchown(entry.path(), uid, None).unwrap();
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            }
        }
    }
}
