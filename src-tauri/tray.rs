//! What the tray shows: how many runs are running, the newest of them, and the ways in and out. How a system shows it is in
//! `platform`; a system without a tray shows nothing, and nothing depends on it. Closing the window still ends the app.

use runicorn_server::RunningRuns;
use tauri::{AppHandle, async_runtime};
use tokio::sync::watch;

use crate::{menu, menu_text::MenuText, platform, tray_text};

/// The tray's side of the shell.
#[derive(Clone)]
pub(crate) struct Tray(watch::Sender<Known>);

/// What the tray tells of.
#[derive(Clone, Debug, Default)]
struct Known {
    running: RunningRuns,
    /// Failures that a person had before their eyes.
    seen_failed: u64,
    /// Whether they look at the window now.
    is_looked_at: bool,
}

/// What stands in the tray.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Face {
    /// Shown when it is pointed at.
    pub(crate) tip: String,
    pub(crate) entries: Vec<Entry>,
}

/// One line of the tray's menu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// Words that do nothing.
    Words(String),
    /// An item and what `menu::chosen` calls it.
    Item {
        id: String,
        label: String,
    },
    Line,
}

impl Tray {
    /// Puts it into the system's tray, now or when there is one.
    pub(crate) fn show(app: &AppHandle) -> Self {
        let (tray, mut known) = watch::channel(Known::default());
        let text = MenuText::of_system();
        let (faces, shown) = watch::channel(known.borrow_and_update().face(text));
        async_runtime::spawn(platform::show_tray(app.clone(), shown));
        async_runtime::spawn(async move {
            while known.changed().await.is_ok() {
                let face = known.borrow_and_update().face(text);
                faces.send_if_modified(|shown| {
                    let is_new = *shown != face;
                    *shown = face;
                    is_new
                });
            }
        });
        Self(tray)
    }

    /// Other runs are running.
    pub(crate) fn count(&self, running: &RunningRuns) {
        self.0.send_modify(|known| {
            known.running.clone_from(running);
            known.see();
        });
    }

    /// A person turned to the window, or away from it.
    pub(crate) fn looked_at(&self, is_looked_at: bool) {
        self.0.send_modify(|known| {
            known.is_looked_at = is_looked_at;
            known.see();
        });
    }
}

impl Known {
    fn see(&mut self) {
        if self.is_looked_at {
            self.seen_failed = self.running.failed;
        }
    }

    fn face(&self, text: &MenuText) -> Face {
        let unseen = self.running.failed.saturating_sub(self.seen_failed);
        let counts = tray_text::counts(self.running.count, unseen, text.is_chinese);
        let item = |id: &str, label: &str| Entry::Item {
            id: id.to_owned(),
            label: label.to_owned(),
        };
        let runs = self.running.newest.iter();
        let runs = runs.map(|run| item(&format!("{}{}", menu::SHOW_RUN, run.id), &run.name));
        let mut entries = vec![Entry::Words(counts.clone())];
        entries.extend(runs);
        entries.extend([
            Entry::Line,
            item(menu::SHOW, text.show),
            item(menu::OPEN_IN_BROWSER, text.open_in_browser),
            Entry::Line,
            item(menu::QUIT, text.quit),
        ]);
        Face {
            tip: counts,
            entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use runicorn_server::RunningRun;

    use super::*;

    fn tip(known: &Known) -> String {
        known.face(MenuText::for_locale("en")).tip
    }

    #[test]
    fn the_newest_runs_stand_between_the_counts_and_the_ways_out() {
        let run = |id: &str| RunningRun {
            id: id.to_owned(),
            name: format!("run {id}"),
        };
        let known = Known {
            running: RunningRuns {
                count: 7,
                newest: vec![run("b"), run("a")],
                failed: 0,
            },
            ..Known::default()
        };
        let face = known.face(MenuText::for_locale("en"));
        let shown: Vec<String> = face
            .entries
            .iter()
            .map(|entry| match entry {
                Entry::Words(words) => words.clone(),
                Entry::Item { id, label } => format!("{id}: {label}"),
                Entry::Line => "-".to_owned(),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "7 runs are running",
                "show-run/b: run b",
                "show-run/a: run a",
                "-",
                "show: Show Runicorn",
                "open-in-browser: Open in browser",
                "-",
                "quit: Quit Runicorn",
            ]
        );
    }

    #[test]
    fn a_failure_is_told_until_the_window_is_looked_at() {
        let mut known = Known::default();
        known.running.failed = 2;
        known.see();
        assert_eq!(tip(&known), "No run is running · 2 failed");
        known.is_looked_at = true;
        known.see();
        assert_eq!(tip(&known), "No run is running");
        known.running.failed = 3;
        known.see();
        known.is_looked_at = false;
        assert_eq!(
            tip(&known),
            "No run is running",
            "it failed before their eyes"
        );
    }
}
