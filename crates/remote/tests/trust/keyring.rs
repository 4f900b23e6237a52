//! The keyring for real: gnome-keyring in a private D-Bus session with folders of its own; and what is said without one.
//!
//! Each test starts itself again inside of such a session; what it does there is its inner part.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use runicorn_remote::{SavedConnections, Secret, SecretStore, SecretStoreKind, Wanted, secrets};
use serde_json::json;

use super::{has_program, program};

const FOLDER: &str = "RUNICORN_TEST_FOLDER";
const STAGE: &str = "RUNICORN_TEST_STAGE";
const SECRET: &str = "hunter-in-the-keyring";
/// A daemon with an open keyring, as after a login.
const UNLOCKED: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null && exec \"$@\"";

/// The folder and the stage, when this is the inner part.
fn inner() -> Option<(PathBuf, String)> {
    let folder = std::env::var_os(FOLDER)?;
    let stage = std::env::var_os(STAGE)?.into_string().ok()?;
    Some((folder.into(), stage))
}

/// Sees only folders below `folder`, and no session.
fn with_own_folders<'a>(command: &'a mut Command, folder: &Path, stage: &str) -> &'a mut Command {
    for (variable, name) in [
        ("HOME", "home"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ] {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        command.env(variable, path);
    }
    command.env(FOLDER, folder).env(STAGE, stage)
}

fn itself(test: &str) -> [std::ffi::OsString; 4] {
    let binary = std::env::current_exe().unwrap();
    [
        binary.into(),
        "--exact".into(),
        test.into(),
        "--nocapture".into(),
    ]
}

/// Runs the inner part in a D-Bus session of its own, started by `script`.
fn in_session(folder: &Path, test: &str, stage: &str, script: &str) {
    let mut command = program("dbus-run-session");
    command
        .args(["--", "sh", "-c", script, "sh"])
        .args(itself(test));
    assert_passed(
        &with_own_folders(&mut command, folder, stage)
            .output()
            .unwrap(),
    );
}

fn assert_passed(output: &Output) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

fn saved(folder: &Path) -> SavedConnections {
    SavedConnections::new(folder.join("state/connections.json"), secrets::open())
}

fn password(saved: &SavedConnections) -> Option<Secret> {
    let resolved = saved.resolve("s1", Wanted::default()).unwrap();
    resolved.credentials.password
}

fn why_not(store: &Arc<dyn SecretStore>) -> String {
    match store.kind() {
        SecretStoreKind::SessionOnly { why } => why,
        SecretStoreKind::Keyring => panic!("there is no keyring here"),
    }
}

/// Works like a keyring, whatever its kind.
fn keeps_for_the_session(store: &Arc<dyn SecretStore>) {
    assert_eq!(store.get("k").unwrap(), None);
    store.set("k", &Secret::new("1")).unwrap();
    store.set("k", &Secret::new("2")).unwrap();
    assert_eq!(store.get("k").unwrap(), Some(Secret::new("2")));
    store.remove("k").unwrap();
    store.remove("k").unwrap();
    assert_eq!(store.get("k").unwrap(), None);
}

fn is_written_below(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            return is_written_below(&entry.path(), text);
        }
        kind.is_file() && {
            let content = std::fs::read(entry.path()).unwrap();
            content
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        }
    })
}

#[test]
fn a_password_in_the_keyring_outlives_the_session_and_lies_in_no_file() {
    const NAME: &str =
        "keyring::a_password_in_the_keyring_outlives_the_session_and_lies_in_no_file";
    if let Some((folder, stage)) = inner() {
        return match stage.as_str() {
            "save" => save_in_keyring(&folder),
            _ => find_in_keyring(&folder),
        };
    }
    if !has_program("gnome-keyring-daemon") || !has_program("dbus-run-session") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    in_session(folder.path(), NAME, "save", UNLOCKED);
    assert!(folder.path().join("data/keyrings").is_dir());
    assert!(!is_written_below(folder.path(), SECRET));
    in_session(folder.path(), NAME, "find", UNLOCKED);
}

fn save_in_keyring(folder: &Path) {
    let store = secrets::open();
    assert_eq!(store.kind(), SecretStoreKind::Keyring);
    keeps_for_the_session(&store);
    let saved = saved(folder);
    let server =
        json!({"kind": "server", "id": "s1", "host": "h", "username": "u", "password": SECRET});
    saved.replace(vec![server]).unwrap();
    assert_eq!(password(&saved), Some(Secret::new(SECRET)));
}

fn find_in_keyring(folder: &Path) {
    let saved = saved(folder);
    assert_eq!(saved.list().unwrap()[0]["hasSavedPassword"], true);
    assert_eq!(password(&saved), Some(Secret::new(SECRET)));
    saved.replace(Vec::new()).unwrap();
    assert_eq!(secrets::open().get("saved:s1:password").unwrap(), None);
}

#[test]
fn calls_from_many_blocking_threads_are_answered() {
    const NAME: &str = "keyring::calls_from_many_blocking_threads_are_answered";
    if inner().is_none() {
        if has_program("gnome-keyring-daemon") && has_program("dbus-run-session") {
            let folder = tempfile::tempdir().unwrap();
            in_session(folder.path(), NAME, "", UNLOCKED);
        }
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = secrets::open();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let store = Arc::clone(&store);
                tokio::task::spawn_blocking(move || {
                    let key = format!("k{number}");
                    store.set(&key, &Secret::new(key.clone())).unwrap();
                    store.get(&key).unwrap() == Some(Secret::new(key))
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
    });
    assert_eq!(store.kind(), SecretStoreKind::Keyring);
}

#[test]
fn without_a_session_bus_secrets_last_for_the_session_and_it_is_said_why() {
    const NAME: &str =
        "keyring::without_a_session_bus_secrets_last_for_the_session_and_it_is_said_why";
    if inner().is_some() {
        let store = secrets::open();
        let why = why_not(&store);
        assert!(why.contains("no keyring"), "{why}");
        return keeps_for_the_session(&store);
    }
    let folder = tempfile::tempdir().unwrap();
    let [binary, arguments @ ..] = itself(NAME);
    let mut command = program(binary.to_str().unwrap());
    command.args(arguments);
    assert_passed(
        &with_own_folders(&mut command, folder.path(), "")
            .output()
            .unwrap(),
    );
}

/// A bus that cannot start services.
fn bus_without_services(folder: &Path) -> String {
    format!(
        "<busconfig><type>session</type><listen>unix:tmpdir={}</listen>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
        folder.display()
    )
}

#[test]
fn a_bus_without_a_secret_service_is_no_keyring() {
    const NAME: &str = "keyring::a_bus_without_a_secret_service_is_no_keyring";
    if inner().is_some() {
        let store = secrets::open();
        let why = why_not(&store);
        assert!(why.contains("no keyring"), "{why}");
        return keeps_for_the_session(&store);
    }
    if has_program("dbus-run-session") {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program("dbus-run-session");
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, bus_without_services(folder.path())).unwrap();
        command.arg("--config-file").arg(config);
        command.arg("--").args(itself(NAME));
        assert_passed(
            &with_own_folders(&mut command, folder.path(), "")
                .output()
                .unwrap(),
        );
    }
}

#[test]
fn a_keyring_that_stays_locked_leaves_secrets_in_memory_and_it_is_said() {
    const NAME: &str =
        "keyring::a_keyring_that_stays_locked_leaves_secrets_in_memory_and_it_is_said";
    /// A daemon that nobody has unlocked, and nobody to ask.
    const LOCKED: &str =
        "gnome-keyring-daemon --start --components=secrets >/dev/null && exec \"$@\"";
    if let Some((folder, _)) = inner() {
        let store = secrets::open();
        store.set("k", &Secret::new("1")).unwrap();
        let why = why_not(&store);
        assert!(why.contains("did not take"), "{why}");
        assert_eq!(store.get("k").unwrap(), Some(Secret::new("1")));
        let saved =
            SavedConnections::new(folder.join("state/connections.json"), Arc::clone(&store));
        let server =
            json!({"kind": "server", "id": "s1", "host": "h", "username": "u", "password": SECRET});
        saved.replace(vec![server]).unwrap();
        assert_eq!(password(&saved), Some(Secret::new(SECRET)));
        return;
    }
    if has_program("gnome-keyring-daemon") && has_program("dbus-run-session") {
        let folder = tempfile::tempdir().unwrap();
        in_session(folder.path(), NAME, "", LOCKED);
        assert!(!is_written_below(folder.path(), SECRET));
    }
}
