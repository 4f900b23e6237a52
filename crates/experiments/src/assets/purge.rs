//! Deleting a run for ever, with the archived files that nobody else needs.
//!
//! The run goes first, in one rename. Which archived files may follow is looked up twice: before, for the numbers, and again at the
//! moment of removal (also when a killed removal is carried on at the next start, perhaps days later). A file goes only if, after
//! every manifest and every `assets.json` of every run was read, nobody mentions it; if one of those cannot be read, all files stay.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::references::{AssetReference, usage_of};
use super::usage::{Usage, is_hash};
use crate::error::StoreError;
use crate::journal::{Step, parent_of};
use crate::layout;
use crate::run::RunId;
use crate::run_dir::{RootDir, RunDir};
use crate::sdk_database::RowChange;
use crate::store::RunStore;

/// What went, or would go, with a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgedRun {
    /// The run.
    pub id: String,
    /// Whether the run's folder is gone (in a dry run: would be).
    pub run_dir_deleted: bool,
    /// Assets that no other run has.
    pub orphaned: Vec<AssetReference>,
    /// Assets that other runs have too.
    pub kept: Vec<AssetReference>,
    /// Archived files removed.
    pub blobs_deleted: u64,
    /// Manifests removed.
    pub manifests_deleted: u64,
    /// Copies of outputs removed.
    pub outputs_deleted: u64,
    /// Bytes of blobs and outputs removed.
    pub bytes_freed: u64,
    /// Why it failed; empty when it worked.
    pub errors: Vec<String>,
    /// What was left in place although the run is gone.
    pub left_behind: Vec<String>,
}

#[derive(Default)]
struct Plan {
    manifests: BTreeSet<String>,
    blobs: BTreeMap<String, u64>,
    outputs: u64,
    output_bytes: u64,
}

impl RunStore {
    /// Deletes runs for ever, recycled or not. A dry run changes nothing and counts each run alone.
    pub fn purge(&self, ids: &[String], dry_run: bool) -> Result<Vec<PurgedRun>, StoreError> {
        let (root, usage) = usage_of(self)?;
        let mut gone = BTreeSet::new();
        let mut sweep = (BTreeSet::new(), BTreeSet::new());
        let mut touched = Vec::new();
        let mut purged = Vec::new();
        for id in ids {
            let run = match self.find_anywhere(id) {
                Ok(run) => run,
                Err(StoreError::RunNotFound { .. }) => {
                    purged.push(PurgedRun {
                        id: id.clone(),
                        errors: vec![format!("Run not found: {id}")],
                        ..PurgedRun::default()
                    });
                    continue;
                }
                Err(error) => return Err(error),
            };
            if dry_run {
                gone.clear();
            }
            gone.insert(run.directory.clone());
            let (mut result, plan) = self.plan(&root, &run, &usage, &gone);
            if !dry_run {
                match self.remove_run(&run) {
                    Ok(()) => {
                        sweep.0.extend(plan.manifests);
                        sweep.1.extend(plan.blobs.into_keys());
                        touched.push(run.id);
                    }
                    Err(error) => {
                        gone.remove(&run.directory);
                        result = PurgedRun {
                            id: id.clone(),
                            errors: vec![format!("Failed to delete run directory: {error}")],
                            ..PurgedRun::default()
                        };
                    }
                }
            }
            purged.push(result);
        }
        self.finish_purge(sweep, &touched, &mut purged);
        Ok(purged)
    }

    fn finish_purge(
        &self,
        (manifests, blobs): (BTreeSet<String>, BTreeSet<String>),
        touched: &[RunId],
        purged: &mut [PurgedRun],
    ) {
        if !manifests.is_empty() || !blobs.is_empty() {
            let step = Step::Sweep {
                manifests: manifests.into_iter().collect(),
                blobs: blobs.into_iter().collect(),
            };
            if let Err(error) = self.carry_out(&[step]) {
                for result in purged.iter_mut().filter(|result| result.run_dir_deleted) {
                    result.left_behind.push(format!("archived files: {error}"));
                }
            }
        }
        if !touched.is_empty() {
            self.after_write(touched);
        }
    }

    fn remove_run(&self, run: &RunDir) -> io::Result<()> {
        let outputs = layout::join(&[
            layout::ARCHIVE,
            layout::OUTPUTS,
            layout::ROLLING,
            run.id.as_str(),
        ]);
        let mut steps = vec![
            Step::Discard {
                path: run.directory.clone(),
            },
            Step::Discard {
                path: outputs.clone(),
            },
        ];
        steps.extend(empty_parents(&run.directory, layout::RUNS));
        steps.extend(empty_parents(&outputs, layout::ARCHIVE));
        steps.push(Step::Rows {
            changes: vec![RowChange::Purged {
                id: run.id.to_string(),
                index_too: true,
            }],
        });
        self.carry_out(&steps)
    }

    fn plan(
        &self,
        root: &RootDir,
        run: &RunDir,
        usage: &Usage,
        gone: &BTreeSet<String>,
    ) -> (PurgedRun, Plan) {
        let references = self.references_of(run, usage, gone);
        let (orphaned, kept): (Vec<_>, Vec<_>) = references
            .into_iter()
            .partition(|reference| reference.other_runs.is_empty());
        let mut plan = Plan::default();
        let mut left_behind = Vec::new();
        if usage.unreadable.is_empty() {
            plan_archive(root, &orphaned, usage, gone, &mut plan);
        } else {
            left_behind.push(format!(
                "archived files are kept because these cannot be read: {}",
                usage.unreadable.join(", ")
            ));
        }
        let outputs = layout::join(&[
            layout::ARCHIVE,
            layout::OUTPUTS,
            layout::ROLLING,
            run.id.as_str(),
        ]);
        for file in super::files_below(root, &outputs) {
            plan.outputs += 1;
            plan.output_bytes += root
                .dir
                .symlink_metadata(&file)
                .map_or(0, |metadata| metadata.len());
        }
        let result = PurgedRun {
            id: run.id.to_string(),
            run_dir_deleted: true,
            orphaned,
            kept,
            blobs_deleted: plan.blobs.len() as u64,
            manifests_deleted: plan.manifests.len() as u64,
            outputs_deleted: plan.outputs,
            bytes_freed: plan.blobs.values().sum::<u64>() + plan.output_bytes,
            errors: Vec::new(),
            left_behind,
        };
        (result, plan)
    }
}

fn plan_archive(
    root: &RootDir,
    orphaned: &[AssetReference],
    usage: &Usage,
    gone: &BTreeSet<String>,
    plan: &mut Plan,
) {
    let mut candidates = BTreeSet::new();
    for reference in orphaned {
        match &reference.manifest {
            Some(manifest) => {
                if let Some(hashes) = usage.manifests.get(manifest)
                    && !usage.uses_manifest(manifest, gone)
                {
                    candidates.extend(hashes.iter().cloned());
                    plan.manifests.insert(manifest.clone());
                }
            }
            None => candidates.extend(reference.blob.clone()),
        }
    }
    let used = usage.used_hashes(gone, &plan.manifests);
    for hash in candidates
        .into_iter()
        .filter(|hash| !used.contains(hash.as_str()))
    {
        if let Ok(metadata) = root.dir.symlink_metadata(blob_path(&hash)) {
            plan.blobs.insert(hash, metadata.len());
        }
    }
}

/// Removes those of the named manifests and blobs that nobody uses now.
pub(crate) fn sweep(root: &Arc<RootDir>, manifests: &[String], blobs: &[String]) -> io::Result<()> {
    let usage = Usage::scan(root);
    if !usage.unreadable.is_empty() {
        tracing::warn!(unreadable = ?usage.unreadable, "archived files are kept");
        return Ok(());
    }
    let nobody = BTreeSet::new();
    let home = format!("{}/{}/", layout::ARCHIVE, layout::MANIFESTS);
    let free: BTreeSet<String> = manifests
        .iter()
        .filter(|path| {
            path.starts_with(&home)
                && usage.manifests.contains_key(*path)
                && !usage.uses_manifest(path, &nobody)
        })
        .cloned()
        .collect();
    for manifest in &free {
        remove_file_and_empty_parents(root, manifest)?;
    }
    let used = usage.used_hashes(&nobody, &free);
    for hash in blobs
        .iter()
        .filter(|hash| is_hash(hash) && !used.contains(hash.as_str()))
    {
        remove_file_and_empty_parents(root, &blob_path(hash))?;
    }
    Ok(())
}

fn remove_file_and_empty_parents(root: &RootDir, path: &str) -> io::Result<()> {
    match root.dir.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut folder = path;
    while let Some(parent) = parent_of(folder).filter(|parent| *parent != layout::ARCHIVE) {
        if root.dir.remove_dir(parent).is_err() {
            break;
        }
        folder = parent;
    }
    Ok(())
}

/// Steps that remove the parents of `path`, as long as they are empty, up to but without `top`.
fn empty_parents(path: &str, top: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut folder = path;
    while let Some(parent) =
        parent_of(folder).filter(|parent| *parent != top && parent.contains('/'))
    {
        steps.push(Step::RemoveEmpty {
            path: parent.to_owned(),
        });
        folder = parent;
    }
    steps
}

fn blob_path(hash: &str) -> String {
    layout::join(&[
        layout::ARCHIVE,
        layout::BLOBS,
        hash.get(..2).unwrap_or_default(),
        hash,
    ])
}
