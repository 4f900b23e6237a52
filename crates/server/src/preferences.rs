//! What a person set on the page and wants to find again: column widths and dismissed notes. Kept in our state folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ApiResult};
use crate::state_file;

const SIZE_LIMIT_BYTES: u64 = 8 << 20;
/// More tables and sizes than anybody has.
const WIDTHS_KEPT: usize = 1000;
/// More notes than we ever show.
const ALERTS_KEPT: usize = 1000;

/// The preferences and their file.
pub(crate) struct Preferences {
    file: PathBuf,
    kept: Mutex<Kept>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// By `<table>@<size>`.
    column_widths: BTreeMap<String, TableWidths>,
    dismissed_alerts: Vec<String>,
    gpu_history: GpuHistorySettings,
}

/// Widths of one table at one window size.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TableWidths {
    pub(crate) widths: BTreeMap<String, i64>,
    pub(crate) window_width: Option<i64>,
    pub(crate) window_height: Option<i64>,
    pub(crate) updated_at: f64,
}

/// Whether and how GPU history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GpuHistorySettings {
    pub(crate) enabled: bool,
    pub(crate) interval_sec: f64,
    pub(crate) max_duration_h: f64,
}

impl Default for GpuHistorySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_sec: 2.0,
            max_duration_h: 24.0,
        }
    }
}

impl Preferences {
    /// Reads the file; a missing or damaged one means nothing was set.
    pub(crate) fn at(state_dir: &Path) -> Self {
        let file = state_dir.join("preferences.json");
        let kept = state_file::read(&file, SIZE_LIMIT_BYTES).unwrap_or_default();
        Self {
            file,
            kept: Mutex::new(kept),
        }
    }

    pub(crate) fn widths(&self, table: &str, size: &str) -> BTreeMap<String, i64> {
        let kept = self.kept.lock();
        kept.column_widths
            .get(&key(table, size))
            .map(|table| table.widths.clone())
            .unwrap_or_default()
    }

    pub(crate) fn set_widths(&self, table: &str, size: &str, widths: TableWidths) -> ApiResult<()> {
        self.change(|kept| {
            if kept.column_widths.len() >= WIDTHS_KEPT {
                kept.column_widths.pop_first();
            }
            kept.column_widths.insert(key(table, size), widths);
        })
    }

    /// Forgets one size of a table, or all of them.
    pub(crate) fn reset_widths(&self, table: &str, size: Option<&str>) -> ApiResult<()> {
        let of_table = format!("{table}@");
        let one = size.map(|size| key(table, size));
        self.change(|kept| match &one {
            Some(one) => drop(kept.column_widths.remove(one)),
            None => kept
                .column_widths
                .retain(|key, _| !key.starts_with(&of_table)),
        })
    }

    pub(crate) fn dismissed_alerts(&self) -> Vec<String> {
        self.kept.lock().dismissed_alerts.clone()
    }

    pub(crate) fn dismiss(&self, alert: &str) -> ApiResult<()> {
        self.change(|kept| {
            if !kept.dismissed_alerts.iter().any(|other| other == alert) {
                kept.dismissed_alerts.push(alert.to_owned());
                let excess = kept.dismissed_alerts.len().saturating_sub(ALERTS_KEPT);
                kept.dismissed_alerts.drain(..excess);
            }
        })
    }

    pub(crate) fn undismiss(&self, alert: &str) -> ApiResult<()> {
        self.change(|kept| kept.dismissed_alerts.retain(|other| other != alert))
    }

    pub(crate) fn clear_alerts(&self) -> ApiResult<()> {
        self.change(|kept| kept.dismissed_alerts.clear())
    }

    pub(crate) fn gpu_history(&self) -> GpuHistorySettings {
        self.kept.lock().gpu_history
    }

    pub(crate) fn set_gpu_history(&self, settings: GpuHistorySettings) -> ApiResult<()> {
        self.change(|kept| kept.gpu_history = settings)
    }

    /// Changes and saves, on top of what other processes saved; what cannot be saved is not changed either. Blocks.
    fn change(&self, change: impl FnOnce(&mut Kept)) -> ApiResult<()> {
        let mut kept = self.kept.lock();
        *kept = state_file::change(&self.file, SIZE_LIMIT_BYTES, &*kept, change)
            .map_err(|error| ApiError::of_io(&error, &self.file))?;
        Ok(())
    }
}

fn key(table: &str, size: &str) -> String {
    format!("{table}@{size}")
}
