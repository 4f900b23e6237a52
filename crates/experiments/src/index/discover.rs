//! Finds the runs of a storage root: the present layout, the recycle bin of 0.7 and the layout of 0.4 and 0.5.
//!
//! What a folder holds is remembered with its stamp, so that a second walk lists only folders that changed. Real directories come
//! first, in the order of their lowercased names; linked ones after them, each target once, so a loop of links ends. A link that leads
//! out of the root is not followed, and counted.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use super::record::now_ns;
use super::stamp::{self, Stamp};
use crate::layout;
use crate::run::Layout;
use crate::run_dir::RootDir;

/// Deepest folder that is looked into; the SDK allows 200 characters, so at most a hundred segments.
const MAX_DEPTH: usize = 128;
/// Most names of one folder that are looked at.
const MAX_NAMES: usize = 2_000_000;

/// A run that was found, not yet read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FoundRun {
    pub(crate) directory: String,
    pub(crate) layout: Layout,
}

/// What a folder held when it was last listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) stamp: Stamp,
    pub(crate) children: Vec<Child>,
    /// Listed again at the next walk, whatever its stamp says.
    pub(crate) dirty: bool,
    /// Its changes are reported, so that its stamp need not be asked for.
    pub(crate) watched: bool,
}

/// A folder, or a link, in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) name: String,
    pub(crate) is_link: bool,
}

/// The folders that are known, by their place below the root (`""` is the root itself).
pub(crate) type Folders = HashMap<String, Folder>;

/// One walk over a root.
pub(crate) struct Walk<'a> {
    root: &'a RootDir,
    folders: &'a mut Folders,
    is_known_run: &'a dyn Fn(&str) -> bool,
    trust_watched: bool,
    visited: HashSet<String>,
    found: Vec<FoundRun>,
    links: Vec<(String, usize)>,
    targets: Option<HashSet<(u64, u64)>>,
    outcome: WalkOutcome,
}

/// What a walk met besides runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WalkOutcome {
    /// Folders that were listed because they were new or changed.
    pub(crate) listed: u64,
    /// Links that lead out of the root, and names that are not text.
    pub(crate) refused: u64,
}

impl<'a> Walk<'a> {
    /// Prepares a walk. Watched folders that nothing was reported of are not looked at when `trust_watched`.
    pub(crate) fn new(
        root: &'a RootDir,
        folders: &'a mut Folders,
        is_known_run: &'a dyn Fn(&str) -> bool,
        trust_watched: bool,
    ) -> Self {
        Self {
            root,
            folders,
            is_known_run,
            trust_watched,
            visited: HashSet::new(),
            found: Vec::new(),
            links: Vec::new(),
            targets: None,
            outcome: WalkOutcome::default(),
        }
    }

    /// All runs, in the order in which a lookup by id meets them; folders that are gone are forgotten.
    pub(crate) fn run(mut self) -> (Vec<FoundRun>, WalkOutcome) {
        self.folder(layout::RUNS, 0);
        if !self.links.is_empty() {
            self.follow_links();
        }
        self.recycled();
        self.legacy();
        let visited = self.visited;
        self.folders
            .retain(|directory, _| visited.contains(directory));
        (self.found, self.outcome)
    }

    /// The folders in a folder; remembered ones when it is as it was.
    fn children(&mut self, directory: &str) -> Vec<Child> {
        self.visited.insert(directory.to_owned());
        if let Some(known) = self.folders.get(directory) {
            if known.watched && self.trust_watched && !known.dirty {
                return known.children.clone();
            }
            let place = if directory.is_empty() { "." } else { directory };
            let (stamp, _) = stamp::of_name(&self.root.dir, Path::new(place));
            if !known.dirty && stamp == known.stamp {
                return known.children.clone();
            }
        }
        self.list(directory).unwrap_or_else(|_| {
            self.folders.remove(directory);
            Vec::new()
        })
    }

    fn list(&mut self, directory: &str) -> io::Result<Vec<Child>> {
        let place = if directory.is_empty() { "." } else { directory };
        let dir = self.root.dir.open_dir(place)?;
        self.outcome.listed += 1;
        let looked_at = now_ns();
        let stamp = stamp::of_dir(&dir)?;
        let mut children = Vec::new();
        for entry in dir.entries()?.take(MAX_NAMES) {
            let Ok(entry) = entry else { continue };
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if !kind.is_dir() && !kind.is_symlink() {
                continue;
            }
            match entry.file_name().into_string() {
                Ok(name) => children.push(Child {
                    name,
                    is_link: kind.is_symlink(),
                }),
                Err(_) => self.outcome.refused += 1,
            }
        }
        children.sort_by_cached_key(|child| (child.name.to_lowercase(), child.name.clone()));
        let watched = self
            .folders
            .get(directory)
            .is_some_and(|known| known.watched);
        let folder = Folder {
            stamp,
            children: children.clone(),
            dirty: stamp.is_racy(looked_at),
            watched,
        };
        self.folders.insert(directory.to_owned(), folder);
        Ok(children)
    }

    fn folder(&mut self, directory: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in self.children(directory) {
            if depth == 0 && child.name == layout::RECYCLE {
                continue;
            }
            let below = format!("{directory}/{}", child.name);
            if child.is_link {
                self.links.push((below, depth + 1));
            } else {
                self.visit(below, depth + 1);
            }
        }
    }

    fn visit(&mut self, directory: String, depth: usize) {
        if self.targets.is_some() && !self.is_new_target(&directory) {
            return;
        }
        let known_folder = self.folders.contains_key(&directory);
        if (self.is_known_run)(&directory) || (!known_folder && self.has_marker(&directory)) {
            self.push(directory, Layout::Current);
            return;
        }
        if known_folder && self.has_changed(&directory) && self.has_marker(&directory) {
            self.folders.remove(&directory);
            self.push(directory, Layout::Current);
            return;
        }
        self.folder(&directory, depth);
    }

    fn has_changed(&self, directory: &str) -> bool {
        let Some(known) = self.folders.get(directory) else {
            return true;
        };
        known.dirty || stamp::of_name(&self.root.dir, Path::new(directory)).0 != known.stamp
    }

    fn has_marker(&self, directory: &str) -> bool {
        layout::RUN_MARKERS.iter().any(|marker| {
            let marker = Path::new(directory).join(marker);
            self.root.dir.symlink_metadata(marker).is_ok()
        })
    }

    fn push(&mut self, directory: String, layout: Layout) {
        self.found.push(FoundRun { directory, layout });
    }

    /// Linked directories, each target once, and none that was met as a real one.
    fn follow_links(&mut self) {
        let mut targets = HashSet::new();
        let real = self.found.iter().map(|run| run.directory.as_str());
        for directory in real.chain(self.visited.iter().map(String::as_str)) {
            targets.insert(
                stamp::of_name(&self.root.dir, Path::new(directory))
                    .0
                    .identity(),
            );
        }
        self.targets = Some(targets);
        self.links.reverse();
        while let Some((directory, depth)) = self.links.pop() {
            match self.root.dir.metadata(&directory) {
                Ok(metadata) if metadata.is_dir() => self.visit(directory, depth),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => self.outcome.refused += 1,
            }
        }
        self.targets = None;
    }

    fn is_new_target(&mut self, directory: &str) -> bool {
        let identity = self
            .root
            .dir
            .open_dir(directory)
            .and_then(|dir| stamp::of_dir(&dir));
        let Ok(identity) = identity.map(|stamp| stamp.identity()) else {
            return false;
        };
        self.targets
            .as_mut()
            .is_none_or(|targets| targets.insert(identity))
    }

    fn recycled(&mut self) {
        let bin = layout::join(&[layout::RUNS, layout::RECYCLE]);
        for child in self.children(&bin) {
            if !child.is_link {
                self.push(format!("{bin}/{}", child.name), Layout::Recycled);
            }
        }
    }

    fn legacy(&mut self) {
        for project in self.children("") {
            if layout::NOT_PROJECTS.contains(&project.name.as_str()) {
                continue;
            }
            for name in self.children(&project.name) {
                let runs = layout::join(&[&project.name, &name.name, layout::RUNS]);
                if self.folders.contains_key(&runs) || self.root.dir.is_dir(&runs) {
                    self.legacy_runs(&runs, project.name == layout::ARTIFACTS);
                }
            }
        }
    }

    /// Any directory is a run there, as for the real server; but an artifact that is called `runs` is none.
    fn legacy_runs(&mut self, directory: &str, only_marked: bool) {
        for child in self.children(directory).into_iter().rev() {
            let run = format!("{directory}/{}", child.name);
            let known = (self.is_known_run)(&run);
            if known || ((!only_marked || self.has_marker(&run)) && self.root.dir.is_dir(&run)) {
                self.push(run, Layout::Legacy);
            }
        }
    }
}

/// All runs of a root by a walk that remembers nothing.
pub(crate) fn discover(root: &RootDir) -> Vec<FoundRun> {
    Walk::new(root, &mut Folders::new(), &|_| false, false)
        .run()
        .0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_with(runs: &[&str]) -> (tempfile::TempDir, RootDir) {
        let folder = tempfile::tempdir().unwrap();
        for run in runs {
            let dir = folder.path().join(run);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join(layout::META), "{}").unwrap();
        }
        let root = RootDir::open(folder.path()).unwrap();
        (folder, root)
    }

    fn directories(root: &RootDir) -> Vec<String> {
        discover(root)
            .into_iter()
            .map(|run| run.directory)
            .collect()
    }

    #[test]
    fn runs_and_folders_are_met_by_lowercased_name() {
        let (_folder, root) = root_with(&[
            "runs/b",
            "runs/A/z",
            "runs/a2",
            "runs/C/d/e",
            "runs/C/d/e/not_below",
        ]);
        assert_eq!(
            directories(&root),
            ["runs/A/z", "runs/a2", "runs/b", "runs/C/d/e"]
        );
    }

    #[test]
    fn a_status_alone_makes_a_run() {
        let (folder, root) = root_with(&[]);
        std::fs::create_dir_all(folder.path().join("runs/x")).unwrap();
        std::fs::write(folder.path().join("runs/x/status.json"), "").unwrap();
        assert_eq!(directories(&root), ["runs/x"]);
    }

    #[test]
    fn every_directory_of_the_old_layout_is_a_run_but_no_artifact_is() {
        let (folder, root) =
            root_with(&["p/n/runs/r1", "artifacts/model/runs/v1/meta_is_elsewhere"]);
        std::fs::create_dir_all(folder.path().join("p/n/runs/r2")).unwrap();
        std::fs::create_dir_all(folder.path().join("archive/x/runs/r3")).unwrap();
        assert_eq!(directories(&root), ["p/n/runs/r2", "p/n/runs/r1"]);
    }

    #[test]
    fn a_recycled_run_is_found_as_such() {
        let (_folder, root) = root_with(&["runs/.recycle/r", "runs/x"]);
        let found = discover(&root);
        assert_eq!(found[0].directory, "runs/x");
        assert_eq!(found[1].layout, Layout::Recycled);
    }

    #[cfg(unix)]
    #[test]
    fn loops_of_links_end_and_links_out_of_the_root_are_refused() {
        use std::os::unix::fs::symlink;
        let (folder, root) = root_with(&[
            "runs/a/r1",
            "runs/b/r2",
            "elsewhere/r3",
            "runs/b/latest_target",
        ]);
        let outside = tempfile::tempdir().unwrap();
        std::fs::create_dir(outside.path().join("r9")).unwrap();
        std::fs::write(outside.path().join("r9/meta.json"), "{}").unwrap();
        let at = |name: &str| folder.path().join("runs").join(name);
        symlink("..", at("a/up")).unwrap();
        symlink("../b", at("a/x")).unwrap();
        symlink("../a", at("b/y")).unwrap();
        symlink("r2", at("b/latest")).unwrap();
        symlink("../elsewhere", at("linked")).unwrap();
        symlink(outside.path(), at("outside")).unwrap();
        let (found, outcome) = Walk::new(&root, &mut Folders::new(), &|_| false, false).run();
        let found: Vec<_> = found.into_iter().map(|run| run.directory).collect();
        assert_eq!(
            found,
            [
                "runs/a/r1",
                "runs/b/latest_target",
                "runs/b/r2",
                "runs/linked/r3"
            ]
        );
        assert_eq!(outcome.refused, 1);
    }

    #[test]
    fn a_second_walk_lists_only_what_changed() {
        let (folder, root) = root_with(&["runs/a/r1", "runs/b/r2"]);
        let mut folders = Folders::new();
        let walk = |folders: &mut Folders| {
            Walk::new(&root, folders, &|run| run.contains("/r"), false).run()
        };
        assert_eq!(walk(&mut folders).0.len(), 2);
        for known in folders.values_mut() {
            known.dirty = false;
        }
        assert_eq!(walk(&mut folders).1.listed, 0);
        std::fs::create_dir(folder.path().join("runs/b/r3")).unwrap();
        std::fs::write(folder.path().join("runs/b/r3/meta.json"), "{}").unwrap();
        let (found, outcome) = walk(&mut folders);
        assert_eq!((found.len(), outcome.listed), (3, 1));
    }

    #[test]
    fn a_folder_that_becomes_a_run_is_seen() {
        let (folder, root) = root_with(&[]);
        std::fs::create_dir_all(folder.path().join("runs/late")).unwrap();
        let mut folders = Folders::new();
        let walk = |folders: &mut Folders| Walk::new(&root, folders, &|_| false, false).run().0;
        assert!(walk(&mut folders).is_empty());
        std::fs::write(folder.path().join("runs/late/meta.json"), "{}").unwrap();
        assert_eq!(walk(&mut folders).len(), 1);
    }

    #[test]
    fn very_deep_folders_end_somewhere() {
        let (folder, root) = root_with(&["runs/shallow"]);
        let deep = vec!["d"; 300].join("/");
        std::fs::create_dir_all(folder.path().join("runs").join(&deep)).unwrap();
        assert_eq!(directories(&root), ["runs/shallow"]);
    }
}
