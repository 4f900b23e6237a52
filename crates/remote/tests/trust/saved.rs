//! Saved connections of both lists: documented answers, and secrets in no file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runicorn_remote::secrets::MemoryStore;
use runicorn_remote::{
    Credentials, RemoteError, RemoteResult, SavedConnections, SavedError, Secret, SecretStore,
    SecretStoreKind, SshConnections, Wanted,
};
use serde_json::{Value, json};

/// A store that lasts, as the keyring does, without being one.
struct Lasting(MemoryStore);

impl SecretStore for Lasting {
    fn get(&self, key: &str) -> RemoteResult<Option<Secret>> {
        self.0.get(key)
    }

    fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()> {
        self.0.set(key, secret)
    }

    fn remove(&self, key: &str) -> RemoteResult<()> {
        self.0.remove(key)
    }

    fn kind(&self) -> SecretStoreKind {
        SecretStoreKind::Keyring
    }
}

struct Place {
    folder: tempfile::TempDir,
    store: Arc<dyn SecretStore>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            store: Arc::new(Lasting(memory())),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As after a start of the app.
    fn saved(&self) -> SavedConnections {
        SavedConnections::new(self.path("state/connections.json"), Arc::clone(&self.store))
    }

    fn older(&self) -> SshConnections {
        SshConnections::new(
            self.path("state/ssh_connections.json"),
            Arc::clone(&self.store),
        )
    }

    fn secret(&self, key: &str) -> Option<String> {
        let secret = self.store.get(key).unwrap();
        secret.map(|secret| secret.reveal().to_owned())
    }

    /// Everything in our folder, as text.
    fn written(&self) -> String {
        let files = std::fs::read_dir(self.path("state")).unwrap();
        files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect()
    }
}

fn memory() -> MemoryStore {
    MemoryStore::new("a test".to_owned())
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap().clone()
}

fn recorded(number: u32) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/runicorn-0.7.2/golden/mutations");
    let name = format!("{number:03}_");
    let entry = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&name))
        .unwrap();
    serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap()
}

fn server(extra: &Value) -> Value {
    let mut server = json!({
        "kind": "server", "id": "s1", "name": "A", "host": "h", "port": 2222, "username": "u", "createdAt": 7, "mine": {"x": [1, 2.50]},
    });
    for (name, value) in extra.as_object().unwrap() {
        server[name] = value.clone();
    }
    server
}

#[test]
fn the_recorded_flow_of_saved_connections_has_the_same_answers() {
    let place = Place::new();
    for number in 104..=110 {
        let step = recorded(number);
        if step["request"]["method"] == "GET" {
            assert_eq!(
                Value::Array(place.saved().list().unwrap()),
                step["body"]["connections"],
                "{number}"
            );
            continue;
        }
        let Value::Array(connections) = step["request"]["json"].clone() else {
            assert_eq!(step["status"], 422);
            continue;
        };
        match place.saved().replace(connections) {
            Ok(()) => assert_eq!(step["status"], 200, "{number}"),
            Err(error) => assert_eq!(
                format!("Failed to save connections: {error}"),
                step["body"]["detail"],
                "{number}"
            ),
        }
    }
}

#[test]
fn the_recorded_flow_of_ssh_connections_has_the_same_answers() {
    let place = Place::new();
    for number in 54..=61 {
        let step = recorded(number);
        let path = step["request"]["path"].as_str().unwrap();
        let key = path.split('/').nth(4).unwrap_or_default();
        match step["request"]["method"].as_str().unwrap() {
            "POST" => {
                let given = step["request"]["json"].as_object().unwrap().clone();
                place.older().save(given).unwrap();
            }
            "DELETE" => place.older().remove(key).unwrap(),
            _ if key.is_empty() => {
                let ours = place.older().list().unwrap();
                let theirs = list(&step["body"]["connections"]);
                assert_eq!(ours.len(), theirs.len());
                for (ours, theirs) in ours.iter().zip(&theirs) {
                    assert_contains(ours, theirs);
                }
            }
            _ => match place.older().get(key).unwrap() {
                Some(ours) => assert_contains(&ours, &step["body"]["connection"]),
                None => assert_eq!(
                    step["body"]["detail"],
                    format!("Connection not found: {key}")
                ),
            },
        }
    }
    assert_eq!(place.older().list().unwrap().len(), 2);
    assert!(!place.written().contains("s3cret"));
}

/// Ours may say more.
fn assert_contains(ours: &Value, theirs: &Value) {
    for (name, value) in theirs.as_object().unwrap() {
        assert_eq!(&ours[name], value, "{name} of {ours}");
    }
}

#[test]
fn secrets_are_in_no_file_and_in_no_answer() {
    let place = Place::new();
    let entry = server(
        &json!({"password": "hunter-1", "passphrase": "hunter-2", "private_key": "hunter-3"}),
    );
    place.saved().replace(vec![entry]).unwrap();
    let older = json!({"host": "h", "username": "u", "remember_password": true, "password": "hunter-4", "privateKey": "hunter-5"});
    place
        .older()
        .save(older.as_object().unwrap().clone())
        .unwrap();
    let answers = format!(
        "{:?}{:?}",
        place.saved().list().unwrap(),
        place.older().list().unwrap()
    );
    assert!(!answers.contains("hunter"), "{answers}");
    let written = place.written();
    assert!(!written.contains("hunter"), "{written}");
    assert_eq!(
        place.secret("saved:s1:password").as_deref(),
        Some("hunter-1")
    );
    assert_eq!(
        place.secret("ssh-connection:h:22@u:private_key").as_deref(),
        Some("hunter-5")
    );
}

#[test]
fn a_list_without_the_member_keeps_the_secret_and_null_or_nothing_removes_it() {
    let place = Place::new();
    place
        .saved()
        .replace(vec![server(&json!({"password": "p", "passphrase": "q"}))])
        .unwrap();
    // What the page sends back: the flags, and no secrets.
    let shown = place.saved().list().unwrap();
    assert_eq!(shown[0]["hasSavedPassword"], true);
    assert_eq!(shown[0]["hasSavedPrivateKey"], false);
    assert_eq!(shown[0]["mine"], json!({"x": [1, 2.50]}));
    place.saved().replace(shown.clone()).unwrap();
    assert_eq!(place.saved().list().unwrap(), shown);
    place
        .saved()
        .replace(vec![server(&json!({"password": null, "passphrase": ""}))])
        .unwrap();
    let shown = place.saved().list().unwrap();
    assert_eq!(shown[0]["hasSavedPassword"], false);
    assert_eq!(shown[0]["hasSavedPassphrase"], false);
    assert_eq!(place.secret("saved:s1:password"), None);
    assert_eq!(place.secret("saved:s1:passphrase"), None);
}

#[test]
fn the_secrets_of_a_removed_entry_are_removed_with_it() {
    let place = Place::new();
    place
        .saved()
        .replace(vec![server(&json!({"password": "p"}))])
        .unwrap();
    place.saved().replace(Vec::new()).unwrap();
    assert_eq!(place.secret("saved:s1:password"), None);
    place.saved().replace(vec![server(&json!({}))]).unwrap();
    assert_eq!(place.saved().list().unwrap()[0]["hasSavedPassword"], false);
}

#[test]
fn a_server_and_a_connection_of_one_id_do_not_share_secrets() {
    let place = Place::new();
    let connection = json!({"kind": "connection", "id": "s1", "serverId": "s1"});
    place
        .saved()
        .replace(vec![server(&json!({"password": "p"})), connection])
        .unwrap();
    let shown = place.saved().list().unwrap();
    assert_eq!(
        shown[1],
        json!({"kind": "connection", "id": "s1", "serverId": "s1"})
    );
    assert_eq!(place.saved().servers().unwrap().len(), 1);
}

#[test]
fn an_entry_with_a_secret_and_no_id_gets_one() {
    let place = Place::new();
    let flat = json!({"host": "h", "username": "u", "password": "p"});
    place.saved().replace(vec![flat]).unwrap();
    let servers = place.saved().servers().unwrap();
    assert!(servers[0].has_password && !servers[0].id.is_empty());
    let resolved = place
        .saved()
        .resolve(&servers[0].id, Wanted::default())
        .unwrap();
    assert_eq!(resolved.credentials.password, Some(Secret::new("p")));
}

#[test]
fn a_saved_server_gives_its_parts_and_secrets() {
    let place = Place::new();
    let entry =
        server(&json!({"password": "p", "private_key_path": "~/.ssh/k", "auth_method": "key"}));
    place.saved().replace(vec![entry]).unwrap();
    let agreeing = Wanted {
        host: Some("h"),
        port: Some(2222),
        username: Some("u"),
    };
    let resolved = place.saved().resolve("s1", agreeing).unwrap();
    assert_eq!(resolved.server.host, "h");
    assert_eq!(resolved.server.port, 2222);
    assert_eq!(resolved.server.auth_method, "key");
    assert_eq!(
        resolved.credentials.private_key_path,
        Some(PathBuf::from("~/.ssh/k"))
    );
    assert!(!format!("{resolved:?}").contains("\"p\""));
    let given = Credentials {
        password: Some(Secret::new("other")),
        use_agent: true,
        ..Credentials::default()
    };
    let filled = resolved.filling(given);
    assert_eq!(filled.password, Some(Secret::new("other")));
    assert!(filled.use_agent && filled.private_key_path.is_some());
}

#[test]
fn an_unknown_or_contradicted_server_is_refused_in_the_documented_words() {
    let place = Place::new();
    place.saved().replace(vec![server(&json!({}))]).unwrap();
    let refusal = |id: &str, wanted| place.saved().resolve(id, wanted).unwrap_err().to_string();
    assert_eq!(
        refusal("nope", Wanted::default()),
        "Saved server not found: nope"
    );
    for (wanted, field) in [
        (
            Wanted {
                host: Some("x"),
                ..Wanted::default()
            },
            "host",
        ),
        (
            Wanted {
                username: Some("x"),
                ..Wanted::default()
            },
            "username",
        ),
        (
            Wanted {
                port: Some(22),
                ..Wanted::default()
            },
            "port",
        ),
    ] {
        assert_eq!(
            refusal("s1", wanted),
            format!("Saved server mismatch for field: {field}")
        );
    }
    assert!(matches!(
        place.saved().remember_password("nope", &Secret::new("p")),
        Err(SavedError::NotFound(_))
    ));
    place
        .saved()
        .remember_password("s1", &Secret::new("p"))
        .unwrap();
    assert!(place.saved().servers().unwrap()[0].has_password);
}

#[test]
fn without_a_keyring_a_secret_lasts_until_the_app_ends_and_nothing_says_more() {
    let mut place = Place::new();
    place.store = Arc::new(memory());
    let saved = place.saved();
    saved
        .replace(vec![server(&json!({"password": "p"}))])
        .unwrap();
    assert_eq!(saved.list().unwrap()[0]["hasSavedPassword"], true);
    saved.replace(saved.list().unwrap()).unwrap();
    let resolved = saved.resolve("s1", Wanted::default()).unwrap();
    assert_eq!(resolved.credentials.password, Some(Secret::new("p")));
    // The next start.
    place.store = Arc::new(memory());
    assert_eq!(place.saved().list().unwrap()[0]["hasSavedPassword"], false);
    assert_eq!(
        place
            .saved()
            .resolve("s1", Wanted::default())
            .unwrap()
            .credentials
            .password,
        None
    );
}

#[test]
fn a_keyring_that_is_gone_is_not_promised() {
    let mut place = Place::new();
    place
        .saved()
        .replace(vec![server(&json!({"password": "p"}))])
        .unwrap();
    let keyring = Arc::clone(&place.store);
    place.store = Arc::new(memory());
    assert_eq!(place.saved().list().unwrap()[0]["hasSavedPassword"], false);
    place
        .saved()
        .replace(place.saved().list().unwrap())
        .unwrap();
    // It is back, and nothing was lost.
    place.store = keyring;
    assert_eq!(place.saved().list().unwrap()[0]["hasSavedPassword"], true);
}

/// A keyring that refuses everything.
struct Refusing;

impl SecretStore for Refusing {
    fn get(&self, _: &str) -> RemoteResult<Option<Secret>> {
        Err(RemoteError::Keyring("no".to_owned()))
    }

    fn set(&self, _: &str, _: &Secret) -> RemoteResult<()> {
        Err(RemoteError::Keyring("no".to_owned()))
    }

    fn remove(&self, _: &str) -> RemoteResult<()> {
        Err(RemoteError::Keyring("no".to_owned()))
    }

    fn kind(&self) -> SecretStoreKind {
        SecretStoreKind::Keyring
    }
}

#[test]
fn when_the_keyring_refuses_the_list_stays_as_it_was() {
    let mut place = Place::new();
    place.saved().replace(vec![server(&json!({}))]).unwrap();
    let before = place.written();
    place.store = Arc::new(Refusing);
    let refusal = place
        .saved()
        .replace(vec![server(&json!({"password": "hunter"}))])
        .unwrap_err();
    assert_eq!(refusal.code(), "KEYRING_REFUSED");
    assert!(!refusal.to_string().contains("hunter"));
    assert_eq!(place.written(), before);
}

#[test]
fn lists_and_members_have_limits() {
    let place = Place::new();
    let long = "x".repeat(70_000);
    for list in [
        vec![json!({}); 1_001],
        vec![json!({"name": "x".repeat(2 << 20)})],
        vec![server(&json!({"password": long}))],
        vec![server(&json!({"password": 7}))],
        vec![json!([])],
    ] {
        assert!(matches!(
            place.saved().replace(list),
            Err(RemoteError::Invalid(_))
        ));
    }
    let huge = json!({"host": "x".repeat(70_000)});
    assert!(
        place
            .older()
            .save(huge.as_object().unwrap().clone())
            .is_err()
    );
    let strange = "\u{7}".repeat(500) + "/../é";
    place
        .saved()
        .replace(vec![server(&json!({"id": strange, "password": "p"}))])
        .unwrap();
    assert!(
        place
            .saved()
            .resolve(&strange, Wanted::default())
            .unwrap()
            .credentials
            .password
            .is_some()
    );
}

#[test]
fn a_damaged_file_is_an_error_and_is_not_overwritten() {
    let place = Place::new();
    place.saved().replace(Vec::new()).unwrap();
    std::fs::write(place.path("state/connections.json"), "{\"entries\": [").unwrap();
    assert!(place.saved().list().is_err());
    assert!(place.saved().replace(Vec::new()).is_err());
    assert!(place.written().contains("{\"entries\": ["));
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.saved().replace(Vec::new()).unwrap();
    place.older().save(serde_json::Map::new()).unwrap();
    for file in std::fs::read_dir(place.path("state")).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn remember_password_decides_whether_secrets_are_kept() {
    let place = Place::new();
    let save = |remember: bool, password: Option<&str>| {
        let mut entry = json!({"host": "h", "username": "u", "remember_password": remember, "private_key_path": "k"});
        if let Some(password) = password {
            entry["password"] = password.into();
        }
        place
            .older()
            .save(entry.as_object().unwrap().clone())
            .unwrap();
        place.older().get("h:22@u").unwrap().unwrap()
    };
    assert_eq!(save(true, Some("p"))["has_password"], true);
    let forgotten = save(false, Some("p"));
    assert_eq!(forgotten["has_password"], false);
    assert_eq!(forgotten["private_key_path"], "k");
    assert_eq!(place.secret("ssh-connection:h:22@u:password"), None);
    assert_eq!(save(true, Some("p"))["has_password"], true);
    assert_eq!(save(true, None)["has_password"], false);
}

/// A folder as the SDK leaves it; sealed by its own library when these were recorded.
fn sdk_folder(place: &Place, with_key: bool) -> PathBuf {
    let folder = place.path("sdk");
    std::fs::create_dir_all(&folder).unwrap();
    if with_key {
        std::fs::write(
            folder.join(".secret.key"),
            "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
        )
        .unwrap();
    }
    let sealed = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    let connections = json!([
        {"kind": "server", "id": "s1", "host": "h", "port": 22, "username": "u", "password": sealed, "passphrase": "in clear"},
        {"host": "old", "port": 22, "username": "u", "remember_password": true, "password": sealed, "key": "old:22@u"},
        7,
    ]);
    let config = json!({"ssh_connections": [{"host": "older", "username": "u", "remember_password": true, "password": "ENC:abcd", "key": "older:22@u"}]});
    std::fs::write(folder.join("connections.json"), connections.to_string()).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn what_the_sdk_has_saved_is_imported_once_with_its_secrets() {
    let place = Place::new();
    let folder = sdk_folder(&place, true);
    place.saved().import_once(&folder).unwrap();
    place.older().import_once(&folder).unwrap();
    assert_eq!(place.secret("saved:s1:password").as_deref(), Some("hello"));
    assert_eq!(
        place.secret("saved:s1:passphrase").as_deref(),
        Some("in clear")
    );
    assert_eq!(
        place.secret("ssh-connection:old:22@u:password").as_deref(),
        Some("hello")
    );
    assert_eq!(place.saved().list().unwrap().len(), 1);
    let older = place.older().list().unwrap();
    assert_eq!(older.len(), 2);
    assert_eq!(older[1]["has_password"], false);
    assert!(!place.written().contains("gAAAA") && !place.written().contains("ENC:"));
    place.saved().replace(Vec::new()).unwrap();
    place.saved().import_once(&folder).unwrap();
    assert!(place.saved().list().unwrap().is_empty());
}

#[test]
fn without_its_key_a_sealed_secret_is_left_behind() {
    let place = Place::new();
    let folder = sdk_folder(&place, false);
    place.saved().import_once(&folder).unwrap();
    assert_eq!(place.saved().list().unwrap()[0]["hasSavedPassword"], false);
    let nowhere = Place::new();
    nowhere
        .saved()
        .import_once(&nowhere.path("absent"))
        .unwrap();
    assert!(nowhere.saved().list().unwrap().is_empty());
}

#[test]
fn lists_do_not_wait_for_a_keyring_that_asks_a_person() {
    /// Answers `set` only when it is told to.
    struct Asking(
        std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
        std::sync::mpsc::Sender<()>,
    );
    impl SecretStore for Asking {
        fn get(&self, _: &str) -> RemoteResult<Option<Secret>> {
            panic!("a list needs no secret")
        }
        fn set(&self, _: &str, _: &Secret) -> RemoteResult<()> {
            self.1.send(()).unwrap();
            self.0.lock().unwrap().recv().unwrap();
            Ok(())
        }
        fn remove(&self, _: &str) -> RemoteResult<()> {
            Ok(())
        }
        fn kind(&self) -> SecretStoreKind {
            SecretStoreKind::Keyring
        }
    }
    let mut place = Place::new();
    place
        .saved()
        .replace(vec![server(&json!({"passphrase": "q"}))])
        .unwrap();
    let (answer, answered) = std::sync::mpsc::channel();
    let (asked, is_asked) = std::sync::mpsc::channel();
    place.store = Arc::new(Asking(answered.into(), asked));
    let saved = place.saved();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            saved
                .replace(vec![server(&json!({"password": "p"}))])
                .unwrap();
        });
        is_asked.recv().unwrap();
        let shown = saved.list().unwrap();
        assert_eq!(shown[0]["hasSavedPassphrase"], true);
        assert_eq!(shown[0]["hasSavedPassword"], false);
        answer.send(()).unwrap();
    });
    assert_eq!(saved.list().unwrap()[0]["hasSavedPassword"], true);
}
