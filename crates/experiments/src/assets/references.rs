//! Which assets only one run has, and which it shares: rows of the SDK's index where they agree with the files, else the files alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::assets_of;
use super::usage::{FileAsset, Usage, list_assets};
use crate::error::StoreError;
use crate::run_dir::RunDir;
use crate::sdk_database::{AssetRow, Kind, Reading};
use crate::store::RunStore;

/// An asset of a run and who else has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetReference {
    /// Id in the SDK's index, else one made of type, fingerprint and name.
    pub asset_id: String,
    /// `code_snapshot`, `config`, `dataset`, `pretrained` or `output`.
    pub asset_type: String,
    /// Its name; configurations have none.
    pub name: Option<String>,
    /// Hash or other fingerprint as text.
    pub fingerprint: Option<String>,
    /// Where the copy lies, as recorded.
    pub archive_uri: Option<String>,
    /// What it is to the run.
    pub role: String,
    /// Other runs that have it, recycled ones included.
    pub other_runs: Vec<String>,
    pub(crate) blob: Option<String>,
    pub(crate) manifest: Option<String>,
}

impl RunStore {
    /// The assets of a run (a recycled one too) with the runs that share them.
    pub fn asset_references(&self, id: &str) -> Result<Vec<AssetReference>, StoreError> {
        let run = self.find_anywhere(id)?;
        let listed = list_assets(&assets_of(&run));
        if listed.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.references_of(&run, &Usage::scan(run.root()), &BTreeSet::new()))
    }

    /// The same with what all runs use already known; runs in `without` (directories) do not count.
    pub(crate) fn references_of(
        &self,
        run: &RunDir,
        usage: &Usage,
        without: &BTreeSet<String>,
    ) -> Vec<AssetReference> {
        let listed = list_assets(&assets_of(run));
        let rows = self.agreeing_rows(run, &listed);
        let others: Vec<_> = usage
            .runs
            .iter()
            .filter(|other| other.directory != run.directory && !without.contains(&other.directory))
            .collect();
        let on_disk: BTreeSet<&str> = others.iter().map(|other| other.id.as_str()).collect();
        let mut references: Vec<AssetReference> = match rows {
            Some(rows) => rows.into_iter().map(|row| from_row(row, &listed)).collect(),
            None => listed.iter().map(from_file).collect(),
        };
        for reference in &mut references {
            let mut shared: BTreeSet<String> = reference
                .other_runs
                .drain(..)
                .filter(|other| on_disk.contains(other.as_str()))
                .collect();
            if let Some(fingerprint) = &reference.fingerprint {
                let same = |asset: &FileAsset| {
                    asset.asset_type == reference.asset_type
                        && asset.fingerprint.as_ref() == Some(fingerprint)
                };
                shared.extend(
                    others
                        .iter()
                        .filter(|other| other.assets.iter().any(same))
                        .map(|other| other.id.clone()),
                );
            }
            reference.other_runs = shared.into_iter().collect();
        }
        references
    }

    fn agreeing_rows(&self, run: &RunDir, listed: &[FileAsset]) -> Option<Vec<AssetRow>> {
        let expected: BTreeSet<_> = listed
            .iter()
            .map(|asset| {
                key(
                    asset.asset_type,
                    asset.fingerprint.as_deref(),
                    asset.name.as_deref(),
                )
            })
            .collect();
        [Kind::Experiments, Kind::Index]
            .into_iter()
            .find_map(|kind| {
                let rows = Reading::open(self.root(), kind, self.writes.state_dir())?
                    .assets(run.id.as_str())?;
                let found: BTreeSet<_> = rows
                    .iter()
                    .map(|row| {
                        key(
                            &row.asset_type,
                            row.fingerprint.as_deref(),
                            row.name.as_deref(),
                        )
                    })
                    .collect();
                (found == expected).then_some(rows)
            })
    }
}

/// What makes two records the same asset: type and fingerprint, or the name where there is no fingerprint.
fn key(asset_type: &str, fingerprint: Option<&str>, name: Option<&str>) -> String {
    match (asset_type, fingerprint) {
        ("config", _) => "config".to_owned(),
        (_, Some(fingerprint)) => format!("{asset_type} {fingerprint}"),
        (_, None) => format!("{asset_type} named {}", name.unwrap_or_default()),
    }
}

fn from_row(row: AssetRow, listed: &[FileAsset]) -> AssetReference {
    let own = key(
        &row.asset_type,
        row.fingerprint.as_deref(),
        row.name.as_deref(),
    );
    let file = listed.iter().find(|asset| {
        key(
            asset.asset_type,
            asset.fingerprint.as_deref(),
            asset.name.as_deref(),
        ) == own
    });
    AssetReference {
        blob: file.and_then(|asset| asset.blob.clone()),
        manifest: file.and_then(|asset| asset.manifest.clone()),
        asset_id: row.asset_id,
        asset_type: row.asset_type,
        name: row.name,
        fingerprint: row.fingerprint,
        archive_uri: row.archive_uri,
        role: row.role,
        other_runs: row.other_runs,
    }
}

fn from_file(asset: &FileAsset) -> AssetReference {
    let digest = hex::encode(Sha256::digest(
        key(
            asset.asset_type,
            asset.fingerprint.as_deref(),
            asset.name.as_deref(),
        )
        .as_bytes(),
    ));
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    AssetReference {
        asset_id: format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        ),
        asset_type: asset.asset_type.to_owned(),
        name: asset.name.clone(),
        fingerprint: asset.fingerprint.clone(),
        archive_uri: asset.archive_path.clone(),
        role: asset.role.to_owned(),
        other_runs: Vec::new(),
        blob: asset.blob.clone(),
        manifest: asset.manifest.clone(),
    }
}

/// The root of a run, for those who scan it.
pub(super) fn usage_of(
    store: &RunStore,
) -> Result<(Arc<crate::run_dir::RootDir>, Usage), StoreError> {
    let root = store.root_dir()?;
    let usage = Usage::scan(&root);
    Ok((root, usage))
}
