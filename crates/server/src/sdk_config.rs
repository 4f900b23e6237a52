//! The SDK's own `config.json`: we read and write `user_root_dir` and leave every other key as it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Larger than this is not the SDK's doing.
const SIZE_LIMIT_BYTES: u64 = 4 << 20;

/// The file, whether or not it exists.
#[derive(Clone, Debug)]
pub(crate) struct SdkConfig {
    path: PathBuf,
}

impl SdkConfig {
    /// The file in a folder.
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            path: folder.join("config.json"),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The root that the SDK writes to when nothing else is said; `None` when unset or unreadable.
    pub(crate) fn user_root_dir(&self) -> Option<String> {
        let root = self
            .read()
            .ok()?
            .get("user_root_dir")?
            .as_str()?
            .trim()
            .to_owned();
        (!root.is_empty()).then_some(root)
    }

    /// Saves the root. A file that is not what the SDK writes is an error and stays as it is, because rewriting it
    /// would lose keys that belong to others.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no JSON object.
    pub(crate) fn set_user_root_dir(&self, root: &str) -> std::io::Result<()> {
        let mut keys = self.read()?;
        keys.insert("user_root_dir".to_owned(), Value::String(root.to_owned()));
        let text = serde_json::to_string_pretty(&Value::Object(keys))?;
        write_whole(&self.path, text.as_bytes())
    }

    fn read(&self) -> std::io::Result<Map<String, Value>> {
        let bytes = match read_bounded(&self.path, SIZE_LIMIT_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(error),
        };
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// Reads a file that must not be larger than a limit.
pub(crate) fn read_bounded(path: &Path, limit_bytes: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    let read = file.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    if read as u64 > limit_bytes {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            "the file is too large",
        ));
    }
    Ok(bytes)
}

/// Writes a file so that any reader sees the old or the new one, whole: a temporary file beside it, then a rename.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut staged = tempfile::NamedTempFile::new_in(folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_the_root_keeps_every_other_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = SdkConfig::at(folder.path());
        std::fs::write(
            config.path(),
            r#"{"ssh_connections": [{"a": 1.50}], "user_root_dir": "/old"}"#,
        )
        .unwrap();
        config.set_user_root_dir("/new").unwrap();
        assert_eq!(config.user_root_dir().as_deref(), Some("/new"));
        let text = std::fs::read_to_string(config.path()).unwrap();
        assert!(
            text.contains("\"ssh_connections\"") && text.contains("1.50"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_config_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let config = SdkConfig::at(folder.path());
        std::fs::write(config.path(), "{cut off").unwrap();
        assert!(config.set_user_root_dir("/new").is_err());
        assert_eq!(config.user_root_dir(), None);
        assert_eq!(std::fs::read_to_string(config.path()).unwrap(), "{cut off");
    }
}
