//! The machines that were looked at before and what was shown of them, kept in our state folder.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use runicorn_remote::Target;
use serde::{Deserialize, Serialize};

use crate::sdk_config::{read_bounded, write_whole};

/// How many are kept.
const KEPT: usize = 200;
const SIZE_LIMIT_BYTES: u64 = 4 << 20;

/// The list and its file.
pub(crate) struct RecentHosts {
    file: PathBuf,
    hosts: Mutex<Vec<RecentHost>>,
}

/// A machine and what was shown of it last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentHost {
    pub(crate) target: Target,
    /// Empty for the far side's own default.
    pub(crate) root: String,
    pub(crate) environment: Option<String>,
    /// `bundled` or `python`.
    pub(crate) viewer: String,
    /// Seconds since the epoch.
    pub(crate) seen_at: f64,
}

impl RecentHosts {
    /// Reads the file; a missing or damaged one is an empty list.
    pub(crate) fn at(state_dir: &Path) -> Self {
        let file = state_dir.join("hosts.json");
        let hosts = read_bounded(&file, SIZE_LIMIT_BYTES)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Vec<RecentHost>>(&bytes).ok())
            .unwrap_or_default();
        Self {
            file,
            hosts: Mutex::new(hosts),
        }
    }

    /// Latest first.
    pub(crate) fn list(&self) -> Vec<RecentHost> {
        self.hosts.lock().clone()
    }

    /// Moves a machine to the front. That the list cannot be saved is no reason not to show the machine. Blocks.
    pub(crate) fn note(&self, host: RecentHost) {
        let mut hosts = self.hosts.lock();
        hosts.retain(|other| other.target != host.target);
        hosts.insert(0, host);
        hosts.truncate(KEPT);
        let saved = serde_json::to_vec_pretty(&*hosts)
            .map_err(std::io::Error::from)
            .and_then(|bytes| write_whole(&self.file, &bytes));
        if let Err(error) = saved {
            tracing::warn!(%error, file = %self.file.display(), "the list of recent hosts is not saved");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, root: &str) -> RecentHost {
        RecentHost {
            target: Target::new("u", name, 22).unwrap(),
            root: root.to_owned(),
            environment: Some("dl".to_owned()),
            viewer: "python".to_owned(),
            seen_at: 1.5,
        }
    }

    #[test]
    fn the_latest_machine_is_first_and_the_list_outlives_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let recent = RecentHosts::at(folder.path());
        recent.note(host("a", "/old"));
        recent.note(host("b", "/b"));
        recent.note(host("a", "/new"));
        let again = RecentHosts::at(folder.path()).list();
        assert_eq!(again, [host("a", "/new"), host("b", "/b")]);
    }

    #[test]
    fn a_damaged_or_hostile_list_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hosts.json"), "[{\"target\": 1}]").unwrap();
        assert!(RecentHosts::at(folder.path()).list().is_empty());
    }
}
