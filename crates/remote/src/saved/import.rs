//! What the SDK has saved in its own folder: read, unsealed where that is possible, never changed.
//!
//! `connections.json` holds both documented lists; entries with a `key` and no `id` belong to the older one. Before 0.7 that
//! lay in `config.json`, its secrets only disguised; those are left behind.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::private_file;
use crate::secrets::fernet::FernetKey;
use crate::secrets::of_entries::{Field, Object};

const FILE_LIMIT_BYTES: u64 = 4 << 20;

/// The SDK's folder.
pub(crate) struct SdkFolder(PathBuf);

impl SdkFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Entries for the list of saved connections.
    pub(crate) fn saved(&self) -> Vec<Object> {
        let mut entries = self.connections();
        entries.retain(|entry| !is_of_older_list(entry));
        entries
    }

    /// Entries for the older list.
    pub(crate) fn ssh_connections(&self) -> Vec<Object> {
        let mut entries = self.connections();
        entries.retain(is_of_older_list);
        let config = self.json("config.json").unwrap_or_default();
        if let Some(Value::Array(older)) = config.get("ssh_connections") {
            entries.extend(older.iter().filter_map(Value::as_object).map(|entry| {
                let mut entry = entry.clone();
                self.unseal(&mut entry, None);
                entry
            }));
        }
        entries
    }

    fn connections(&self) -> Vec<Object> {
        let Some(Value::Array(values)) = self.json("connections.json") else {
            return Vec::new();
        };
        let key = self.key();
        values
            .into_iter()
            .filter_map(|value| match value {
                Value::Object(mut entry) => {
                    self.unseal(&mut entry, key.as_ref());
                    Some(entry)
                }
                _ => None,
            })
            .collect()
    }

    /// Opens sealed members; what cannot be opened is left out.
    fn unseal(&self, entry: &mut Object, key: Option<&FernetKey>) {
        for name in Field::ALL.map(Field::name) {
            let Some(Value::String(text)) = entry.get(name) else {
                continue;
            };
            let is_sealed = text.starts_with("gAAAA") || text.starts_with("ENC:");
            let opened = key.and_then(|key| key.open(text));
            match opened {
                Some(secret) => {
                    entry.insert(name.to_owned(), secret.reveal().into());
                }
                None if is_sealed => {
                    entry.shift_remove(name);
                    tracing::warn!(
                        folder = %self.0.display(),
                        name,
                        "a saved secret of the SDK cannot be read and is left behind"
                    );
                }
                None => {}
            }
        }
    }

    fn key(&self) -> Option<FernetKey> {
        let content = private_file::read(&self.0.join(".secret.key"), 1_024).ok()??;
        FernetKey::parse(std::str::from_utf8(&content).ok()?)
    }

    fn json(&self, name: &str) -> Option<Value> {
        let path = self.0.join(name);
        let content = match private_file::read(&path, FILE_LIMIT_BYTES) {
            Ok(content) => content?,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "not imported");
                return None;
            }
        };
        serde_json::from_slice(&content)
            .inspect_err(|_| tracing::warn!(path = %path.display(), "not imported: no JSON"))
            .ok()
    }
}

fn is_of_older_list(entry: &Object) -> bool {
    entry.contains_key("key") && !entry.contains_key("id") && !entry.contains_key("kind")
}
