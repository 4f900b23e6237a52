//! What people keep beside their runs: notes of a run, and views of the run table by name. In our state folder, because the storage root is
//! the SDK's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ApiResult};
use crate::state_file;

/// Room for ten thousand notes of a page each.
const SIZE_LIMIT_BYTES: u64 = 32 << 20;
/// More views than a menu shows.
const MAX_VIEWS: usize = 200;
const MAX_NOTES: usize = 10_000;
const MAX_NAME_CHARS: usize = 120;
/// An address that browsers still take.
const MAX_QUERY_BYTES: usize = 16 << 10;
const MAX_NOTE_BYTES: usize = 16 << 10;

/// Notes and views of one server.
pub(crate) struct Annotations {
    file: PathBuf,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// By name.
    views: BTreeMap<String, View>,
    /// By run id.
    notes: BTreeMap<String, Note>,
}

/// A view of the run table.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// The query of the page's address: search, order, columns and all.
    pub(crate) query: String,
    /// Unix seconds.
    pub(crate) updated_at: f64,
}

/// What a person wrote about a run.
#[derive(Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) text: String,
    /// Unix seconds.
    pub(crate) updated_at: f64,
}

impl Annotations {
    pub(crate) fn at(state_dir: &Path) -> Self {
        Self {
            file: state_dir.join("annotations.json"),
        }
    }

    /// The views by name. Blocks.
    pub(crate) fn views(&self) -> BTreeMap<String, View> {
        self.read().views
    }

    /// The notes by run id. Blocks.
    pub(crate) fn notes(&self) -> BTreeMap<String, Note> {
        self.read().notes
    }

    /// Keeps a view under a name, in place of the one that has it. Blocks.
    pub(crate) fn keep_view(&self, name: &str, view: View) -> ApiResult<()> {
        let name = name.trim();
        if name.is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.chars().any(char::is_control)
        {
            let text = format!("A view is named by 1 to {MAX_NAME_CHARS} characters");
            return Err(ApiError::bad_request("INVALID_NAME", text));
        }
        if view.query.len() > MAX_QUERY_BYTES {
            let text = "The view says more than an address can hold";
            return Err(ApiError::bad_request("VIEW_TOO_LONG", text));
        }
        self.change(|kept| {
            if kept.views.len() >= MAX_VIEWS && !kept.views.contains_key(name) {
                return full(&format!("{MAX_VIEWS} views are kept; delete one first"));
            }
            kept.views.insert(name.to_owned(), view);
            Ok(())
        })
    }

    /// Forgets a view; one that is not there is forgotten already. Blocks.
    pub(crate) fn drop_view(&self, name: &str) -> ApiResult<()> {
        self.change(|kept| {
            kept.views.remove(name.trim());
            Ok(())
        })
    }

    /// Keeps what is said about a run; nothing but spaces takes the note away. Blocks.
    pub(crate) fn keep_note(&self, run_id: &str, note: Note) -> ApiResult<()> {
        if note.text.len() > MAX_NOTE_BYTES {
            let text = format!("A note holds at most {} KiB", MAX_NOTE_BYTES >> 10);
            return Err(ApiError::bad_request("NOTE_TOO_LONG", text));
        }
        self.change(|kept| {
            if note.text.trim().is_empty() {
                kept.notes.remove(run_id);
                return Ok(());
            }
            if kept.notes.len() >= MAX_NOTES && !kept.notes.contains_key(run_id) {
                return full(&format!("{MAX_NOTES} notes are kept; delete one first"));
            }
            kept.notes.insert(run_id.to_owned(), note);
            Ok(())
        })
    }

    fn read(&self) -> Kept {
        state_file::read(&self.file, SIZE_LIMIT_BYTES).unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut Kept) -> ApiResult<()>) -> ApiResult<()> {
        let mut outcome = Ok(());
        state_file::change(
            &self.file,
            SIZE_LIMIT_BYTES,
            &Kept::default(),
            |kept: &mut Kept| outcome = change(kept),
        )
        .map_err(|error| ApiError::of_io(&error, &self.file))?;
        outcome
    }
}

fn full(text: &str) -> ApiResult<()> {
    Err(ApiError::new(
        axum::http::StatusCode::CONFLICT,
        "TOO_MANY_KEPT",
        text,
    ))
}
