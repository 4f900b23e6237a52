//! The older list of connections (`/api/config/ssh_connections`): one entry for each `host:port@user`, the newest last.
//!
//! Secrets as in [`crate::SavedConnections`]: in the [`SecretStore`], only with `remember_password`, never given out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{RemoteError, RemoteResult};
use crate::saved::SdkFolder;
use crate::secrets::SecretStore;
use crate::secrets::of_entries::{Changes, Entries, Field, Kept, Object};

const ENTRIES_LIMIT: usize = 200;
const ENTRY_LIMIT_BYTES: usize = 64 * 1024;

/// The older list of connections.
pub struct SshConnections {
    entries: Entries,
}

impl SshConnections {
    /// The list in this file; it need not be there.
    pub fn new(file: PathBuf, secrets: Arc<dyn SecretStore>) -> Self {
        Self {
            entries: Entries::new(file, "ssh-connection", secrets),
        }
    }

    /// The list as it may be shown.
    ///
    /// # Errors
    /// When our file cannot be read.
    pub fn list(&self) -> RemoteResult<Vec<Value>> {
        let kept = self.entries.read()?;
        Ok(kept.iter().map(|kept| self.shown(kept)).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn get(&self, key: &str) -> RemoteResult<Option<Value>> {
        let kept = self.entries.read()?;
        let found = kept.iter().find(|kept| kept.name == key);
        Ok(found.map(|kept| self.shown(kept)))
    }

    /// Saves one: it takes the place of the one with the same key, and goes to the end. Without `remember_password` its
    /// secrets are not kept, nor older ones.
    ///
    /// # Errors
    /// [`RemoteError::Invalid`] for what is too large; else when our file or the keyring refuses.
    pub fn save(&self, given: Object) -> RemoteResult<()> {
        let (key, entry, changes) = split(given)?;
        let writing = self.entries.write()?;
        let mut entries: Vec<_> = writing
            .before
            .iter()
            .filter(|kept| kept.name != key)
            .map(unchanged)
            .collect();
        entries.push((key, entry, changes));
        let excess = entries.len().saturating_sub(ENTRIES_LIMIT);
        entries.drain(..excess);
        writing.replace(entries)
    }

    /// Removes one; an unknown key is no error.
    ///
    /// # Errors
    /// When our file or the keyring refuses.
    pub fn remove(&self, key: &str) -> RemoteResult<()> {
        let writing = self.entries.write()?;
        let entries: Vec<_> = writing
            .before
            .iter()
            .filter(|kept| kept.name != key)
            .map(unchanged)
            .collect();
        if entries.len() == writing.before.len() {
            return Ok(());
        }
        writing.replace(entries)
    }

    /// Takes over what the SDK has saved in its own folder, once.
    ///
    /// # Errors
    /// When our file or the keyring refuses; then it is tried again at the next start.
    pub fn import_once(&self, sdk_folder: &Path) -> RemoteResult<()> {
        let stamp = self.entries.stamp();
        if stamp.exists() {
            return Ok(());
        }
        let writing = self.entries.write()?;
        let mut entries: Vec<_> = writing.before.iter().map(unchanged).collect();
        for given in SdkFolder::new(sdk_folder).ssh_connections() {
            let (key, entry, changes) = split(given)?;
            if !entries.iter().any(|(known, _, _)| *known == key) && entries.len() < ENTRIES_LIMIT {
                entries.push((key, entry, changes));
            }
        }
        if entries.len() > writing.before.len() {
            writing.replace(entries)?;
        }
        crate::private_file::replace(&stamp, b"")
    }

    /// Both spellings of the members that have two.
    fn shown(&self, kept: &Kept) -> Value {
        let mut object = kept.entry.clone();
        for (old, new) in [
            ("auth_method", "authMethod"),
            ("private_key_path", "privateKeyPath"),
        ] {
            if let Some(value) = object.get(old).cloned() {
                object.insert(new.to_owned(), value);
            }
        }
        for (field, flag) in [
            (Field::Password, "has_password"),
            (Field::PrivateKey, "has_private_key"),
            (Field::Passphrase, "has_passphrase"),
        ] {
            object.insert(flag.to_owned(), self.entries.has(kept, field).into());
        }
        Value::Object(object)
    }
}

fn unchanged(kept: &Kept) -> (String, Object, Changes) {
    (kept.name.clone(), kept.entry.clone(), Changes::keep_all())
}

/// The documented members with their defaults; others are not kept. The key says `None` for what is absent, as documented.
fn split(mut given: Object) -> RemoteResult<(String, Object, Changes)> {
    let changes = Changes::taken(&mut given)?.without_keeping();
    let mut take = |name: &str, other: &str, default: Value| {
        let value = given.shift_remove(name).filter(|value| !value.is_null());
        let value = value.or_else(|| given.shift_remove(other));
        value.filter(|value| !value.is_null()).unwrap_or(default)
    };
    let mut entry = Object::new();
    for (name, other, default) in [
        ("host", "", Value::Null),
        ("port", "", json!(22)),
        ("username", "", Value::Null),
        ("name", "", json!("")),
        ("remember_password", "", json!(false)),
        ("auth_method", "authMethod", json!("password")),
    ] {
        entry.insert(name.to_owned(), take(name, other, default));
    }
    let path = take("private_key_path", "privateKeyPath", Value::Null);
    if !path.is_null() {
        entry.insert("private_key_path".to_owned(), path);
    }
    let [host, port, username] = ["host", "port", "username"].map(|name| spoken(&entry[name]));
    let key = format!("{host}:{port}@{username}");
    entry.insert("key".to_owned(), json!(key));
    let size_bytes = serde_json::to_string(&entry).map_or(0, |text| text.len());
    if size_bytes > ENTRY_LIMIT_BYTES {
        return Err(RemoteError::Invalid(
            "the connection is too large".to_owned(),
        ));
    }
    let changes = match entry["remember_password"] {
        Value::Bool(true) => changes,
        _ => Changes::remove_all(),
    };
    Ok((key, entry, changes))
}

fn spoken(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
