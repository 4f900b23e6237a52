//! The folders that are ours, and the SDK's own one.

use std::path::{Path, PathBuf};

use super::{Environment, NoHome};

/// The name of our folder below the platform's folders.
const OUR_NAME: &str = "runicorn-desktop";

/// Where things are kept. None of these lies in a storage root.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Ours, to be kept: databases, settings, port file, logs.
    pub state: PathBuf,
    /// Ours, may be deleted at any time.
    pub cache: PathBuf,
    /// The SDK's per-user configuration; we write only `user_root_dir` there.
    pub sdk_config: PathBuf,
    /// The user's home.
    pub home: PathBuf,
}

impl Folders {
    /// The folders of this platform and user.
    ///
    /// # Errors
    /// When no home folder is known.
    pub fn of_platform(environment: &Environment) -> Result<Self, NoHome> {
        let home = environment.home().ok_or(NoHome)?;
        let given = |name: &str| environment.get(name).map(PathBuf::from);
        let xdg =
            |name: &str| given(name).filter(|path| cfg!(target_os = "linux") && path.is_absolute());
        let state = xdg("XDG_DATA_HOME").unwrap_or_else(|| data_below(&home, environment));
        let cache = xdg("XDG_CACHE_HOME").unwrap_or_else(|| cache_below(&home, environment));
        let sdk_config = xdg("XDG_CONFIG_HOME").map_or_else(
            || sdk_config_below(&home, environment),
            |config| config.join("runicorn"),
        );
        Ok(Self {
            state: given("RUNICORN_DESKTOP_STATE").unwrap_or_else(|| state.join(OUR_NAME)),
            cache: given("RUNICORN_DESKTOP_CACHE").unwrap_or_else(|| cache.join(OUR_NAME)),
            sdk_config,
            home,
        })
    }

    /// All folders below one, as a test or a portable copy wants them.
    pub fn below(home: &Path) -> Self {
        Self {
            state: home.join(OUR_NAME).join("state"),
            cache: home.join(OUR_NAME).join("cache"),
            sdk_config: home.join(".config").join("runicorn"),
            home: home.to_path_buf(),
        }
    }
}

#[cfg(target_os = "linux")]
fn data_below(home: &Path, _: &Environment) -> PathBuf {
    home.join(".local/share")
}

#[cfg(target_os = "linux")]
fn cache_below(home: &Path, _: &Environment) -> PathBuf {
    home.join(".cache")
}

#[cfg(target_os = "linux")]
fn sdk_config_below(home: &Path, _: &Environment) -> PathBuf {
    home.join(".config/runicorn")
}

#[cfg(target_os = "macos")]
fn data_below(home: &Path, _: &Environment) -> PathBuf {
    home.join("Library/Application Support")
}

#[cfg(target_os = "macos")]
fn cache_below(home: &Path, _: &Environment) -> PathBuf {
    home.join("Library/Caches")
}

#[cfg(target_os = "macos")]
fn sdk_config_below(home: &Path, _: &Environment) -> PathBuf {
    home.join("Library/Application Support/Runicorn")
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn data_below(home: &Path, environment: &Environment) -> PathBuf {
    environment
        .get("LOCALAPPDATA")
        .map_or_else(|| home.join("AppData/Local"), PathBuf::from)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn cache_below(home: &Path, environment: &Environment) -> PathBuf {
    data_below(home, environment).join("cache")
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn sdk_config_below(home: &Path, environment: &Environment) -> PathBuf {
    let roaming = environment.get("APPDATA").map(PathBuf::from);
    roaming
        .unwrap_or_else(|| home.join("AppData/Roaming"))
        .join("Runicorn")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn our_folders_follow_the_platform_and_can_be_moved() {
        let plain = Environment::from_pairs([("HOME", "/h")], Path::new("/"));
        let folders = Folders::of_platform(&plain).unwrap();
        assert_eq!(folders.state, Path::new("/h/.local/share/runicorn-desktop"));
        assert_eq!(folders.cache, Path::new("/h/.cache/runicorn-desktop"));
        assert_eq!(folders.sdk_config, Path::new("/h/.config/runicorn"));

        let moved = Environment::from_pairs(
            [
                ("HOME", "/h"),
                ("XDG_DATA_HOME", "/d"),
                ("XDG_CACHE_HOME", "relative is ignored"),
                ("XDG_CONFIG_HOME", "/c"),
                ("RUNICORN_DESKTOP_STATE", "/s"),
            ],
            Path::new("/"),
        );
        let folders = Folders::of_platform(&moved).unwrap();
        assert_eq!(folders.state, Path::new("/s"));
        assert_eq!(folders.cache, Path::new("/h/.cache/runicorn-desktop"));
        assert_eq!(folders.sdk_config, Path::new("/c/runicorn"));
    }
}
