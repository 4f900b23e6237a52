//! What the shell itself remembers between starts: `desktop.json` in the state folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Remembered choices. A missing or damaged file means the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Choices {
    /// Draw without the graphics card, because the window once stayed blank or a person asked for it.
    pub(crate) safe_rendering: bool,
    /// Page zoom, 1 is actual size.
    pub(crate) zoom: f64,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            safe_rendering: false,
            zoom: 1.0,
        }
    }
}

/// The choices and the file that keeps them.
pub(crate) struct Memory {
    file: PathBuf,
    choices: Mutex<Choices>,
}

impl Memory {
    /// Reads what is remembered in this state folder.
    pub(crate) fn in_folder(state: &Path) -> Self {
        let file = state.join("desktop.json");
        let choices = fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file,
            choices: Mutex::new(choices.unwrap_or_default()),
        }
    }

    /// The choices as they are now.
    pub(crate) fn choices(&self) -> Choices {
        self.lock().clone()
    }

    /// Changes them and replaces the file in one step.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Choices)) -> io::Result<()> {
        let mut choices = self.lock();
        change(&mut choices);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut next = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut next, &*choices)?;
        next.persist(&self.file)?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Choices> {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_there_at_the_next_start() {
        let state = tempfile::tempdir().unwrap();
        Memory::in_folder(state.path())
            .change(|choices| choices.safe_rendering = true)
            .unwrap();
        assert_eq!(
            Memory::in_folder(state.path()).choices(),
            Choices {
                safe_rendering: true,
                zoom: 1.0
            }
        );
    }

    #[test]
    fn a_damaged_file_means_the_defaults_and_can_be_written_again() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("desktop.json"), "{\"safe_rendering\": tr").unwrap();
        let memory = Memory::in_folder(state.path());
        assert_eq!(memory.choices(), Choices::default());
        memory.change(|choices| choices.zoom = 1.25).unwrap();
        let expected = Choices {
            zoom: 1.25,
            ..Choices::default()
        };
        assert_eq!(Memory::in_folder(state.path()).choices(), expected);
    }
}
