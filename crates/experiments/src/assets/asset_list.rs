//! Every asset of a root once: which runs made it, which used it, how much its copies take.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::copies::ArchivedCopy;
use super::recorded::{AssetKind, RecordedAsset};
use crate::run::RunId;

/// Whether there is a copy in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Nobody asked for one.
    None,
    /// It is there.
    Kept,
    /// It was made and is gone.
    Missing,
}

impl CopyState {
    /// The stable word of the state.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kept => "kept",
            Self::Missing => "missing",
        }
    }
}

/// One asset. Runs are places in [`AssetList::runs`].
#[derive(Clone, Debug)]
pub struct Asset {
    /// The same for the same asset, at any time.
    pub id: String,
    /// What it is to the runs that name it.
    pub kind: AssetKind,
    /// As the latest run names it.
    pub name: String,
    /// Hash of the content, or size and time as text.
    pub fingerprint: Option<String>,
    /// Where it came from.
    pub source: String,
    /// Its description, or what is known of its kind.
    pub about: String,
    /// Of its copy, else as recorded.
    pub bytes: Option<u64>,
    /// Of its copy, else as recorded.
    pub files: Option<u64>,
    /// Whether there is a copy in the archive.
    pub copy: CopyState,
    /// The copy as recorded, and the run through which it can be fetched.
    pub copy_of: Option<(u32, String)>,
    /// Runs that made it, newest first.
    pub made_by: Vec<u32>,
    /// Runs that used it, newest first.
    pub used_by: Vec<u32>,
    /// When the first of the runs that name it began, in Unix seconds.
    pub first_at: f64,
    /// When the last of them began.
    pub last_at: f64,
    content: Option<u128>,
}

/// What the copies in the archive take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetTotals {
    /// How often a run names an asset.
    pub references: u64,
    /// How many of these have a copy.
    pub kept: u64,
    /// What the copies would take if each reference had its own.
    pub logical_bytes: u64,
    /// What they take, each file counted once.
    pub stored_bytes: u64,
}

/// The assets of a root, those of the latest runs first.
#[derive(Clone, Debug, Default)]
pub struct AssetList {
    /// Another number for another list.
    pub version: u64,
    /// Whether the whole root was looked at.
    pub complete: bool,
    /// The runs that name assets, newest first.
    pub runs: Vec<RunId>,
    /// The assets.
    pub assets: Vec<Asset>,
    /// What the copies take.
    pub totals: AssetTotals,
    /// Runs whose list of assets cannot be read.
    pub unreadable: Vec<RunId>,
    /// Assets of runs that name more than are read.
    pub left_out: u64,
}

/// The assets of one run, with their copies.
#[derive(Debug)]
pub(super) struct NamedAssets {
    pub(super) id: RunId,
    pub(super) created_at: f64,
    /// Absent when the list cannot be read.
    pub(super) assets: Option<Arc<[NamedAsset]>>,
    pub(super) left_out: u64,
}

impl NamedAssets {
    /// Whether a copy that the run names is not there.
    pub(super) fn misses(&self) -> bool {
        let mut assets = self.assets.iter().flat_map(|assets| assets.iter());
        assets.any(|asset| asset.recorded.place.is_some() && asset.copy.is_none())
    }
}

/// An asset that a run names, and its copy when it is there.
#[derive(Debug)]
pub(super) struct NamedAsset {
    pub(super) recorded: RecordedAsset,
    pub(super) copy: Option<Arc<ArchivedCopy>>,
}

impl AssetList {
    /// Puts together what runs name; `runs` newest first.
    pub(super) fn of<'a>(runs: impl Iterator<Item = &'a NamedAssets>) -> Self {
        let mut list = Self::default();
        let mut places: HashMap<u128, usize> = HashMap::new();
        let mut stored = Stored::default();
        for run in runs {
            list.left_out += run.left_out;
            let Some(assets) = &run.assets else {
                list.unreadable.push(run.id.clone());
                continue;
            };
            if assets.is_empty() {
                continue;
            }
            let number = u32::try_from(list.runs.len()).unwrap_or(u32::MAX);
            list.runs.push(run.id.clone());
            for named in assets.iter() {
                let place = *places.entry(named.recorded.key).or_insert_with(|| {
                    list.assets.push(Asset::of(named, run.created_at));
                    list.assets.len() - 1
                });
                list.totals.references += 1;
                if let Some(copy) = &named.copy {
                    list.totals.kept += 1;
                    list.totals.logical_bytes =
                        list.totals.logical_bytes.saturating_add(copy.bytes);
                    stored.add(copy);
                }
                if let Some(asset) = list.assets.get_mut(place) {
                    asset.take(named, number, run.created_at);
                }
            }
        }
        list.totals.stored_bytes = stored.bytes;
        list.join_same_content();
        list
    }

    /// A model that a run made and others began with is two assets of the same content: each says both.
    fn join_same_content(&mut self) {
        let mut outputs = HashMap::new();
        for (place, asset) in self.assets.iter().enumerate() {
            if let (AssetKind::Output, Some(content)) = (asset.kind, asset.content) {
                outputs.insert(content, place);
            }
        }
        for place in 0..self.assets.len() {
            let Some(used) = self.assets.get(place) else {
                continue;
            };
            let output = used.content.and_then(|content| outputs.get(&content));
            let (false, Some(output)) = (used.kind.is_made(), output.copied()) else {
                continue;
            };
            let used_by = used.used_by.clone();
            let Some(output) = self.assets.get_mut(output) else {
                continue;
            };
            output.used_by = merged(&output.used_by, &used_by);
            let made_by = output.made_by.clone();
            if let Some(used) = self.assets.get_mut(place) {
                used.made_by = made_by;
            }
        }
    }
}

fn merged(some: &[u32], others: &[u32]) -> Vec<u32> {
    let mut all = [some, others].concat();
    all.sort_unstable();
    all.dedup();
    all
}

impl Asset {
    /// Runs that name it as an asset of their own, newest first.
    pub fn own_runs(&self) -> &[u32] {
        if self.kind.is_made() {
            &self.made_by
        } else {
            &self.used_by
        }
    }

    fn of(named: &NamedAsset, created_at: f64) -> Self {
        let recorded = &named.recorded;
        Self {
            id: format!("{:032x}", recorded.key),
            kind: recorded.kind,
            name: recorded.name.clone(),
            fingerprint: recorded.fingerprint.clone(),
            source: recorded.source.clone(),
            about: recorded.about.clone(),
            bytes: recorded.bytes,
            files: recorded.files,
            copy: CopyState::None,
            copy_of: None,
            made_by: Vec::new(),
            used_by: Vec::new(),
            first_at: created_at,
            last_at: created_at,
            content: recorded.content,
        }
    }

    /// Takes in what another run, or the same one once more, says of it.
    fn take(&mut self, named: &NamedAsset, run: u32, created_at: f64) {
        let runs = if self.kind.is_made() {
            &mut self.made_by
        } else {
            &mut self.used_by
        };
        if runs.last() != Some(&run) {
            runs.push(run);
        }
        self.first_at = self.first_at.min(created_at);
        self.last_at = self.last_at.max(created_at);
        let recorded = &named.recorded;
        self.bytes = self.bytes.or(recorded.bytes);
        self.files = self.files.or(recorded.files);
        match (&named.copy, &recorded.place) {
            (Some(copy), Some(place)) if self.copy != CopyState::Kept => {
                self.copy = CopyState::Kept;
                self.copy_of = Some((run, place.path.clone()));
                self.bytes = Some(copy.bytes);
                self.files = Some(copy.files);
            }
            (None, Some(_)) if self.copy == CopyState::None => self.copy = CopyState::Missing,
            _ => {}
        }
    }
}

/// Sums up files, each once.
#[derive(Default)]
struct Stored {
    bytes: u64,
    copies: HashSet<*const ArchivedCopy>,
    files: HashSet<u128>,
}

impl Stored {
    fn add(&mut self, copy: &Arc<ArchivedCopy>) {
        if !self.copies.insert(Arc::as_ptr(copy)) {
            return;
        }
        for part in &copy.parts {
            if self.files.insert(part.file) {
                self.bytes = self.bytes.saturating_add(part.bytes);
            }
        }
    }
}
