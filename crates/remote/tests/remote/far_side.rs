//! A far side with things in it: what the tests of scripts, environments and folders begin with.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, lchown};
use std::path::{Path, PathBuf};

use runicorn_remote::Connection;
use serde_json::Value;

use crate::support::local::Local;
use crate::support::sshd::{Sshd, SshdOptions};

/// A server, and a connection to it.
pub(crate) struct FarSide {
    pub(crate) connection: Connection,
    _local: Local,
    pub(crate) sshd: Sshd,
}

impl FarSide {
    /// A server with options, whose user's home was filled before the first login.
    pub(crate) async fn with(options: &SshdOptions, fill: impl FnOnce(&Path)) -> Self {
        let sshd = Sshd::with(options);
        fill(sshd.home());
        give(sshd.home(), sshd.home());
        let local = Local::knowing(&[&sshd]);
        let connection = local
            .dial(&sshd.target(), &sshd.credentials())
            .await
            .unwrap();
        Self {
            connection,
            _local: local,
            sshd,
        }
    }

    /// The user's home there.
    pub(crate) fn home(&self) -> &Path {
        self.sshd.home()
    }

    /// A path below the home, as text.
    pub(crate) fn at(&self, rest: &str) -> String {
        self.home().join(rest).display().to_string()
    }

    /// Nothing that a test's names want to run has run.
    pub(crate) fn is_unharmed(&self) -> bool {
        let mut waiting = vec![self.sshd.folder().to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_name() == "pwned" {
                    return false;
                }
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(entry.path());
                }
            }
        }
        !Path::new("/pwned").exists() && !Path::new("/tmp/pwned").exists()
    }
}

/// Everything below a folder becomes the home's owner's.
pub(crate) fn give(home: &Path, below: &Path) {
    use std::os::unix::fs::MetadataExt;
    let uid = Some(home.metadata().unwrap().uid());
    let mut waiting = vec![below.to_owned()];
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

/// Writes a file with the folders above it.
pub(crate) fn write(path: impl Into<PathBuf>, text: &str) {
    let path = path.into();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes a program.
pub(crate) fn write_program(path: impl Into<PathBuf>, text: &str) {
    let path = path.into();
    write(&path, text);
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

/// The answer of the recorded server to the request whose path begins so, its home replaced.
pub(crate) fn recorded(version: &str, path: &str, home: &Path) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(
        "../../fixtures/runicorn-{version}/remote/flow.json"
    ));
    let steps: Vec<Value> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let step = steps.iter().find(|step| {
        let request = step.pointer("/request/path").and_then(Value::as_str);
        request.is_some_and(|request| request.starts_with(path))
    });
    let text = step.unwrap()["body"].to_string();
    let text = text.replace("/home/mluser", &home.display().to_string());
    serde_json::from_str(&text).unwrap()
}
