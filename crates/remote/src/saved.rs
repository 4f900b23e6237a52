//! Saved connections: the documented list of free objects, in a file of ours, without their secrets.
//!
//! A list is always replaced as a whole, by its page. Members that we do not know are kept. Secrets (`password`,
//! `private_key`, `passphrase`) are taken out on the way in and lie in the [`SecretStore`]; on the way out there are only
//! `hasSavedPassword` and the like. A list without such a member keeps the stored secret, null removes it.
//!
//! Calls may block on the keyring: make them from a blocking thread.

mod import;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::error::{RemoteError, RemoteResult};
use crate::secret::{Credentials, Secret};
use crate::secrets::SecretStore;
use crate::secrets::of_entries::{Changes, Entries, Field, Kept, Object};

pub(crate) use import::SdkFolder;

const ENTRIES_LIMIT: usize = 1_000;
const LIST_LIMIT_BYTES: usize = 1 << 20;
const FLAGS: [(Field, &str); 3] = [
    (Field::Password, "hasSavedPassword"),
    (Field::PrivateKey, "hasSavedPrivateKey"),
    (Field::Passphrase, "hasSavedPassphrase"),
];
/// Spellings of older pages.
const SPELLINGS: [(&str, &str); 3] = [
    ("private_key_path", "privateKeyPath"),
    ("auth_method", "authMethod"),
    ("created_at", "createdAt"),
];

/// The saved connections.
pub struct SavedConnections {
    entries: Entries,
}

/// What a request says beside the id of a saved server; what is said must agree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The host.
    pub host: Option<&'a str>,
    /// The port.
    pub port: Option<u16>,
    /// The user.
    pub username: Option<&'a str>,
}

/// A saved server, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedServer {
    /// Its id.
    pub id: String,
    /// As a person named it; may be empty.
    pub name: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user.
    pub username: String,
    /// `password` or `key`.
    pub auth_method: String,
    /// A private key file of this machine; a leading `~` stands for the home.
    pub private_key_path: Option<PathBuf>,
    /// A password is stored.
    pub has_password: bool,
    /// The text of a key is stored.
    pub has_private_key: bool,
    /// A passphrase is stored.
    pub has_passphrase: bool,
}

/// A saved server with its secrets.
#[derive(Clone, Debug)]
pub struct ServerCredentials {
    /// Who and where.
    pub server: SavedServer,
    /// The stored secrets; `use_agent` is not set.
    pub credentials: Credentials,
}

impl ServerCredentials {
    /// The given credentials, filled up with the stored ones.
    #[must_use]
    pub fn filling(self, given: Credentials) -> Credentials {
        Credentials {
            password: given.password.or(self.credentials.password),
            private_key: given.private_key.or(self.credentials.private_key),
            private_key_path: given.private_key_path.or(self.credentials.private_key_path),
            passphrase: given.passphrase.or(self.credentials.passphrase),
            use_agent: given.use_agent,
        }
    }
}

/// Why a saved server cannot be used; the texts are the documented ones.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// No such id.
    #[error("Saved server not found: {0}")]
    NotFound(String),
    /// The request names another host, port or user.
    #[error("Saved server mismatch for field: {field}")]
    Mismatch {
        /// Which.
        field: &'static str,
    },
    /// Our file or the keyring.
    #[error(transparent)]
    Store(#[from] RemoteError),
}

impl From<SavedError> for RemoteError {
    fn from(error: SavedError) -> Self {
        match error {
            SavedError::Store(error) => error,
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl SavedConnections {
    /// The list in this file; it need not be there.
    pub fn new(file: PathBuf, secrets: Arc<dyn SecretStore>) -> Self {
        Self {
            entries: Entries::new(file, "saved", secrets),
        }
    }

    /// The list as it may be shown.
    ///
    /// # Errors
    /// When our file cannot be read.
    pub fn list(&self) -> RemoteResult<Vec<Value>> {
        let kept = self.entries.read()?;
        Ok(kept
            .iter()
            .map(|kept| Value::Object(self.shown(kept)))
            .collect())
    }

    /// Replaces the list.
    ///
    /// # Errors
    /// [`RemoteError::Invalid`] for what is no list of objects or too large; else when our file or the keyring refuses.
    pub fn replace(&self, list: Vec<Value>) -> RemoteResult<()> {
        if list.len() > ENTRIES_LIMIT {
            return Err(RemoteError::Invalid("too many connections".to_owned()));
        }
        let mut entries = Vec::with_capacity(list.len());
        let mut size_bytes = 0;
        for value in list {
            let Value::Object(object) = value else {
                return Err(RemoteError::Invalid(not_an_object(&value)));
            };
            let (name, object, changes) = split(object)?;
            size_bytes += serde_json::to_string(&object).map_or(0, |text| text.len());
            entries.push((name, object, changes));
        }
        if size_bytes > LIST_LIMIT_BYTES {
            return Err(RemoteError::Invalid("the list is too large".to_owned()));
        }
        self.entries.write()?.replace(entries)
    }

    /// The servers of the list.
    ///
    /// # Errors
    /// When our file cannot be read.
    pub fn servers(&self) -> RemoteResult<Vec<SavedServer>> {
        let kept = self.entries.read()?;
        Ok(kept.iter().filter_map(|kept| self.server(kept)).collect())
    }

    /// A saved server and its secrets.
    ///
    /// # Errors
    /// The documented ones; else when our file or the keyring refuses.
    pub fn resolve(&self, id: &str, wanted: Wanted<'_>) -> Result<ServerCredentials, SavedError> {
        let kept = self.entries.read()?;
        let found = kept
            .iter()
            .filter_map(|kept| Some((kept, self.server(kept)?)))
            .find(|(_, server)| server.id == id);
        let Some((kept, server)) = found else {
            return Err(SavedError::NotFound(id.chars().take(200).collect()));
        };
        let differs = |wanted: Option<&str>, saved: &str| {
            wanted.is_some_and(|wanted| !wanted.is_empty() && wanted != saved)
        };
        let field = if differs(wanted.host, &server.host) {
            Some("host")
        } else if differs(wanted.username, &server.username) {
            Some("username")
        } else if wanted.port.is_some_and(|port| port != server.port) {
            Some("port")
        } else {
            None
        };
        if let Some(field) = field {
            return Err(SavedError::Mismatch { field });
        }
        let secret = |field| self.entries.secret(kept, field);
        let credentials = Credentials {
            password: secret(Field::Password)?,
            private_key: secret(Field::PrivateKey)?,
            private_key_path: server.private_key_path.clone(),
            passphrase: secret(Field::Passphrase)?,
            use_agent: false,
        };
        Ok(ServerCredentials {
            server,
            credentials,
        })
    }

    /// Keeps a secret of a saved server that a person gave while connecting and wants to be remembered.
    ///
    /// # Errors
    /// [`SavedError::NotFound`]; else when our file or the keyring refuses.
    pub fn remember_password(&self, id: &str, password: &Secret) -> Result<(), SavedError> {
        let writing = self.entries.write()?;
        let mut is_found = false;
        let mut entries = Vec::new();
        for kept in &writing.before {
            let mut object = kept.entry.clone();
            if is_server(&object) && id_of(&object).as_deref() == Some(id) {
                is_found = true;
                object.insert("password".to_owned(), password.reveal().into());
            }
            let changes = Changes::taken(&mut object)?;
            entries.push((kept.name.clone(), object, changes));
        }
        if !is_found {
            return Err(SavedError::NotFound(id.chars().take(200).collect()));
        }
        Ok(writing.replace(entries)?)
    }

    /// Takes over what the SDK has saved in its own folder, once. What cannot be unsealed comes without its secrets.
    ///
    /// # Errors
    /// When our file or the keyring refuses; then it is tried again at the next start.
    pub fn import_once(&self, sdk_folder: &Path) -> RemoteResult<()> {
        let stamp = self.entries.stamp();
        if stamp.exists() {
            return Ok(());
        }
        let theirs = SdkFolder::new(sdk_folder).saved();
        if !theirs.is_empty() {
            self.add(theirs)?;
        }
        crate::private_file::replace(&stamp, b"")
    }

    /// Adds entries behind ours, apart from those whose names we have.
    fn add(&self, objects: Vec<Object>) -> RemoteResult<()> {
        let writing = self.entries.write()?;
        let mut entries: Vec<_> = writing.before.iter().map(unchanged).collect();
        for object in objects {
            let (name, object, changes) = split(object)?;
            let is_known = !name.is_empty() && entries.iter().any(|(known, _, _)| *known == name);
            if !is_known && entries.len() < ENTRIES_LIMIT {
                entries.push((name, object, changes));
            }
        }
        writing.replace(entries)
    }

    fn shown(&self, kept: &Kept) -> Object {
        let mut object = kept.entry.clone();
        if is_server(&object) {
            let has_key_file = text(&object, "privateKeyPath").is_some_and(|path| !path.is_empty());
            for (field, flag) in FLAGS {
                let has =
                    self.entries.has(kept, field) || (field == Field::PrivateKey && has_key_file);
                object.insert(flag.to_owned(), has.into());
            }
        }
        object
    }

    fn server(&self, kept: &Kept) -> Option<SavedServer> {
        let object = &kept.entry;
        let get = |name| text(object, name).unwrap_or_default().to_owned();
        if !is_server(object) {
            return None;
        }
        Some(SavedServer {
            id: id_of(object)?,
            name: get("name"),
            host: get("host"),
            port: port_of(object)?,
            username: get("username"),
            auth_method: text(object, "authMethod").unwrap_or("password").to_owned(),
            private_key_path: text(object, "privateKeyPath")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            has_password: self.entries.has(kept, Field::Password),
            has_private_key: self.entries.has(kept, Field::PrivateKey),
            has_passphrase: self.entries.has(kept, Field::Passphrase),
        })
    }
}

/// An entry as it was.
fn unchanged(kept: &Kept) -> (String, Object, Changes) {
    (kept.name.clone(), kept.entry.clone(), Changes::keep_all())
}

/// The name of an entry's secrets, the entry without them, and what happens to them.
fn split(mut object: Object) -> RemoteResult<(String, Object, Changes)> {
    for (old, new) in SPELLINGS {
        if let Some(value) = object.shift_remove(old) {
            object.entry(new).or_insert(value);
        }
    }
    for (_, flag) in FLAGS {
        object.shift_remove(flag);
    }
    let changes = Changes::taken(&mut object)?;
    if id_of(&object).is_none() && changes.sets_any() {
        // A secret needs something to hang on.
        let id = hex::encode(rand::random::<[u8; 8]>());
        object.insert("id".to_owned(), id.into());
    }
    // A server and a connection may have the same id.
    let name = match (text(&object, "kind"), id_of(&object)) {
        (_, None) => String::new(),
        (Some("connection"), Some(id)) => format!("connection/{id}"),
        (_, Some(id)) => id,
    };
    let changes = if name.is_empty() {
        Changes::remove_all()
    } else {
        changes
    };
    Ok((name, object, changes))
}

/// Servers, and connections of the older flat form, which say where they go themselves.
fn is_server(object: &Object) -> bool {
    match text(object, "kind") {
        Some(kind) => kind == "server",
        None => text(object, "host").is_some(),
    }
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn id_of(object: &Object) -> Option<String> {
    match object.get("id")? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// 22 when nothing is said; `None` for what is no port.
fn port_of(object: &Object) -> Option<u16> {
    let port = match object.get("port") {
        None | Some(Value::Null) => return Some(22),
        Some(Value::Number(number)) => number.as_u64().and_then(|port| port.try_into().ok()),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    port.filter(|&port| port != 0)
}

/// In the words of the documented server where it has some.
fn not_an_object(value: &Value) -> String {
    let kind = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        _ => return "a connection is not an object".to_owned(),
    };
    format!("'{kind}' object is not iterable")
}
