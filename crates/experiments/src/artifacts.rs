//! The artifact store of 0.4 and 0.5: `artifacts/<type>/<name>/v<N>`, and which runs made and used what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::assets::files_below;
use crate::edit::dump_keeping_all;
use crate::error::{ReadProblem, StoreError};
use crate::journal::{Step, read_text};
use crate::json;
use crate::layout;
use crate::run_dir::{RootDir, RunDir, open_plain, read_bounded};
use crate::store::RunStore;

/// Longest file of the store that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most nodes of one lineage.
const MAX_NODES: usize = 5000;
const VERSIONS: &str = "versions.json";
const METADATA: &str = "metadata.json";
const MANIFEST: &str = "manifest.json";
const POOL: &str = ".dedup";

/// Why there is no such artifact.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactProblem {
    /// No artifact of that name.
    #[error("Artifact not found: {0}")]
    NotFound(String),
    /// The artifact has no such version.
    #[error("Version not found: {0}:v{1}")]
    NoVersion(String, u64),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One artifact with its versions that are not deleted.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// `versions.json`, as it stands.
    pub record: Map<String, Value>,
    /// Its versions, oldest first.
    pub versions: Vec<ArtifactVersion>,
    directory: String,
}

/// One version of an artifact.
#[derive(Clone, Debug)]
pub struct ArtifactVersion {
    /// Its number.
    pub number: u64,
    /// Its entry in `versions.json`, empty when it has none.
    pub entry: Map<String, Value>,
}

impl ArtifactVersion {
    /// Size as recorded, in bytes.
    pub fn bytes(&self) -> u64 {
        self.entry
            .get("size_bytes")
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    /// Number of files as recorded.
    pub fn files(&self) -> u64 {
        self.entry
            .get("num_files")
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }
}

/// A node or an edge of a lineage: an artifact version (`name:vN`) or a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineageNode {
    /// A version of an artifact.
    Artifact(String),
    /// A run.
    Run(String),
}

impl LineageNode {
    /// Id of the node.
    pub fn id(&self) -> &str {
        match self {
            Self::Artifact(id) | Self::Run(id) => id,
        }
    }
}

/// What a version came from and what came from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// The nodes, nearest first.
    pub nodes: Vec<LineageNode>,
    /// From, to, the word, and when (Unix seconds).
    pub edges: Vec<(String, String, &'static str, Option<f64>)>,
}

/// From, to, the word, and when.
type Link = (LineageNode, LineageNode, &'static str, Option<f64>);

impl RunStore {
    /// All artifacts, by type and name.
    pub fn artifacts(&self) -> Result<Vec<Artifact>, StoreError> {
        let root = self.root_dir()?;
        let mut artifacts = Vec::new();
        for kind in folders_in(&root, layout::ARTIFACTS) {
            for name in folders_in(&root, &layout::join(&[layout::ARTIFACTS, &kind])) {
                artifacts.extend(
                    read_artifact(&root, &kind, &name)
                        .filter(|artifact| !artifact.versions.is_empty()),
                );
            }
        }
        Ok(artifacts)
    }

    /// One artifact, of a type or of the first type that has the name.
    pub fn artifact(&self, name: &str, kind: Option<&str>) -> Result<Artifact, ArtifactProblem> {
        let found = self.artifacts()?.into_iter().find(|artifact| {
            artifact.name == name && kind.is_none_or(|kind| artifact.kind == kind)
        });
        found.ok_or_else(|| ArtifactProblem::NotFound(name.to_owned()))
    }

    /// `metadata.json` of a version.
    pub fn artifact_metadata(
        &self,
        name: &str,
        version: u64,
    ) -> Result<Map<String, Value>, ArtifactProblem> {
        let (root, directory) = self.version_directory(name, version)?;
        Ok(read_object(&root, &format!("{directory}/{METADATA}")).unwrap_or_default())
    }

    /// `manifest.json` of a version, and the absolute folder of its files.
    pub fn artifact_manifest(
        &self,
        name: &str,
        version: u64,
    ) -> Result<(Map<String, Value>, std::path::PathBuf), ArtifactProblem> {
        let (root, directory) = self.version_directory(name, version)?;
        let manifest = read_object(&root, &format!("{directory}/{MANIFEST}")).unwrap_or_default();
        Ok((manifest, root.path.join(directory).join("files")))
    }

    /// Deletes a version: softly by a mark, or for ever. The pool of shared files is left alone.
    pub fn delete_artifact(
        &self,
        name: &str,
        version: u64,
        permanent: bool,
    ) -> Result<(), ArtifactProblem> {
        let artifact = self.artifact(name, None)?;
        let (root, directory) = self.version_directory(name, version)?;
        let steps = if permanent {
            let path = format!("{}/{VERSIONS}", artifact.directory);
            let old = read_text(&root.dir, &path)
                .map_err(|error| StoreError::io(root.path.join(&path), error))?;
            let new = dump_keeping_all(&without_version(&artifact, version));
            vec![
                Step::Replace { path, old, new },
                Step::Discard { path: directory },
            ]
        } else {
            let marker =
                json!({"deleted_at": crate::recycle_bin::now_secs(), "reason": "user_deleted"});
            let new = marker.as_object().map(dump_keeping_all).unwrap_or_default();
            vec![Step::Replace {
                path: format!("{directory}/{}", layout::DELETED),
                old: None,
                new,
            }]
        };
        let place = root.path.join(&artifact.directory);
        self.carry_out(&steps)
            .map_err(|error| StoreError::io(place, error).into())
    }

    /// Artifacts that a run made and used, as it recorded them.
    pub fn artifacts_of_run(&self, id: &str) -> Result<(Vec<Value>, Vec<Value>), StoreError> {
        let run = self.find(id)?;
        Ok((
            links_of(&run, layout::ARTIFACTS_CREATED),
            links_of(&run, layout::ARTIFACTS_USED),
        ))
    }

    /// What a version came from and what came from it, up to `max_depth` steps away.
    pub fn artifact_lineage(
        &self,
        name: &str,
        version: u64,
        max_depth: u64,
    ) -> Result<Lineage, ArtifactProblem> {
        self.version_directory(name, version)?;
        let links = self.all_links()?;
        let start = LineageNode::Artifact(format!("{name}:v{version}"));
        let mut lineage = Lineage {
            nodes: vec![start.clone()],
            edges: Vec::new(),
        };
        let mut seen = BTreeSet::from([start.clone()]);
        let mut waiting = VecDeque::from([(start, 0)]);
        while let Some((node, depth)) = waiting.pop_front() {
            for (from, to, word, at) in links
                .iter()
                .filter(|(from, to, ..)| *from == node || *to == node)
            {
                let other = if *from == node { to } else { from };
                if depth >= max_depth || lineage.nodes.len() >= MAX_NODES {
                    continue;
                }
                let edge = (from.id().to_owned(), to.id().to_owned(), *word, *at);
                if !lineage.edges.contains(&edge) {
                    lineage.edges.push(edge);
                }
                if seen.insert(other.clone()) {
                    lineage.nodes.push(other.clone());
                    waiting.push_back((other.clone(), depth + 1));
                }
            }
        }
        Ok(lineage)
    }

    /// Bytes in the pool of shared files; `None` when there is no pool.
    pub fn artifact_pool_bytes(&self) -> Result<Option<u64>, StoreError> {
        let root = self.root_dir()?;
        let pool = layout::join(&[layout::ARTIFACTS, POOL]);
        if root.dir.symlink_metadata(&pool).is_err() {
            return Ok(None);
        }
        let bytes = files_below(&root, &pool)
            .into_iter()
            .filter_map(|file| root.dir.symlink_metadata(file).ok())
            .map(|metadata| metadata.len());
        Ok(Some(bytes.sum()))
    }

    fn version_directory(
        &self,
        name: &str,
        version: u64,
    ) -> Result<(Arc<RootDir>, String), ArtifactProblem> {
        let artifact = self.artifact(name, None)?;
        if !artifact
            .versions
            .iter()
            .any(|found| found.number == version)
        {
            return Err(ArtifactProblem::NoVersion(name.to_owned(), version));
        }
        Ok((
            self.root_dir()?,
            format!("{}/v{version}", artifact.directory),
        ))
    }

    fn all_links(&self) -> Result<Vec<Link>, StoreError> {
        let root = self.root_dir()?;
        let mut links = Vec::new();
        for row in self.list().rows() {
            let Ok(run) = RunDir::new(Arc::clone(&root), &row.directory, row.layout, false) else {
                continue;
            };
            let node = LineageNode::Run(row.id.to_string());
            for link in links_of(&run, layout::ARTIFACTS_CREATED) {
                links.extend(
                    version_of(&link)
                        .map(|made| (node.clone(), made, "produces", link["created_at"].as_f64())),
                );
            }
            for link in links_of(&run, layout::ARTIFACTS_USED) {
                links.extend(
                    version_of(&link)
                        .map(|used| (used, node.clone(), "uses", link["used_at"].as_f64())),
                );
            }
        }
        Ok(links)
    }
}

fn version_of(link: &Value) -> Option<LineageNode> {
    Some(LineageNode::Artifact(format!(
        "{}:v{}",
        link["name"].as_str()?,
        link["version"].as_u64()?
    )))
}

fn links_of(run: &RunDir, file: &str) -> Vec<Value> {
    let read = run
        .read(file, MAX_FILE_BYTES)
        .ok()
        .and_then(|bytes| json::parse_object(&bytes).ok());
    read.and_then(|object| object.get("artifacts").and_then(Value::as_array).cloned())
        .unwrap_or_default()
}

fn folders_in(root: &RootDir, folder: &str) -> Vec<String> {
    let entries = root.dir.read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut names: Vec<String> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

fn read_object(root: &RootDir, path: &str) -> Option<Map<String, Value>> {
    let file = open_plain(&root.dir, Path::new(path)).map_err(ReadProblem::from);
    json::parse_object(
        &file
            .and_then(|file| read_bounded(file, MAX_FILE_BYTES))
            .ok()?,
    )
    .ok()
}

fn read_artifact(root: &RootDir, kind: &str, name: &str) -> Option<Artifact> {
    let directory = layout::join(&[layout::ARTIFACTS, kind, name]);
    let record = read_object(root, &format!("{directory}/{VERSIONS}"))?;
    let entries: BTreeMap<u64, Map<String, Value>> = record
        .get("versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.get("version")?.as_u64()?, entry.as_object()?.clone())))
        .collect();
    let mut numbers: Vec<u64> = folders_in(root, &directory)
        .iter()
        .filter_map(|folder| folder.strip_prefix('v')?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let deleted = |number: &u64| {
        root.dir
            .symlink_metadata(format!("{directory}/v{number}/{}", layout::DELETED))
            .is_ok()
    };
    let versions = numbers
        .into_iter()
        .filter(|number| !deleted(number))
        .map(|number| ArtifactVersion {
            entry: entries.get(&number).cloned().unwrap_or_default(),
            number,
        });
    Some(Artifact {
        versions: versions.collect(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        record,
        directory,
    })
}

/// `versions.json` without a version: its aliases go, `latest` falls back to the newest that is left.
fn without_version(artifact: &Artifact, version: u64) -> Map<String, Value> {
    let mut record = artifact.record.clone();
    if let Some(versions) = record.get_mut("versions").and_then(Value::as_array_mut) {
        versions.retain(|entry| entry.get("version").and_then(Value::as_u64) != Some(version));
    }
    let newest = artifact
        .versions
        .iter()
        .map(|found| found.number)
        .filter(|number| *number != version)
        .max();
    if let Some(aliases) = record.get_mut("aliases").and_then(Value::as_object_mut) {
        aliases.retain(|_, target| target.as_u64() != Some(version));
        if let Some(newest) = newest {
            aliases.entry("latest").or_insert(json!(newest));
        }
    }
    record
}
