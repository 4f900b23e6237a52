//! The folder tree of the runs, with how many runs are below each folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::RunStatus;
use crate::run_list::RunList;

/// How many runs lie at a path or below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathCounts {
    /// All of them, whatever their status.
    pub total: u64,
    /// Those that are running.
    pub running: u64,
    /// Those that are finished.
    pub finished: u64,
    /// Those that have failed.
    pub failed: u64,
}

/// One folder and those below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathNode {
    /// The folders below, by name.
    pub children: BTreeMap<String, PathNode>,
}

/// Every path of a list, empty folders included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathTree {
    /// The paths in order, each with its counts. The empty path is there when runs lie at the top, and counts only those.
    pub paths: BTreeMap<String, PathCounts>,
    /// The paths of runs and the folders below `runs/`; of the old layout only those that have runs.
    pub listed: BTreeSet<String>,
    /// The same as a tree, without counts and without the empty path.
    pub root: PathNode,
}

impl PathTree {
    /// The tree of a list.
    pub fn of(list: &RunList) -> Self {
        let mut tree = Self::default();
        tree.listed.clone_from(list.folders());
        for folder in list.folders() {
            tree.add(folder, |_| {});
        }
        for row in list.rows() {
            let state = row.state();
            if !tree.listed.contains(row.path.as_str()) {
                tree.listed.insert(row.path.to_string());
            }
            tree.add(row.path.as_str(), |counts| counts.count(state));
        }
        for path in tree.paths.keys() {
            let mut node = &mut tree.root;
            for segment in path.split('/').filter(|segment| !segment.is_empty()) {
                node = node.children.entry(segment.to_owned()).or_default();
            }
        }
        tree
    }

    /// Counts at a path and at every path above it.
    fn add(&mut self, path: &str, count: impl Fn(&mut PathCounts)) {
        let mut above = Some(path);
        while let Some(path) = above {
            if let Some(counts) = self.paths.get_mut(path) {
                count(counts);
            } else {
                count(self.paths.entry(path.to_owned()).or_default());
            }
            above = path.rsplit_once('/').map(|(parent, _)| parent);
        }
    }

    /// The names directly below a path, in order; none for an unknown one.
    pub fn names_below(&self, path: &str) -> Vec<&str> {
        let mut node = Some(&self.root);
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            node = node.and_then(|node| node.children.get(segment));
        }
        node.map_or_else(Vec::new, |node| {
            node.children.keys().map(String::as_str).collect()
        })
    }
}

impl PathCounts {
    fn count(&mut self, state: RunStatus) {
        self.total += 1;
        match state {
            RunStatus::Running => self.running += 1,
            RunStatus::Finished => self.finished += 1,
            RunStatus::Failed => self.failed += 1,
            RunStatus::Interrupted | RunStatus::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::run::{Layout, RunId, RunPath, RunRow};

    fn tree(runs: &[(&str, &str)], folders: &[&str]) -> PathTree {
        let rows = runs.iter().enumerate().map(|(at, (path, status))| {
            let id = RunId::new(format!("run{at}")).unwrap();
            let mut row = RunRow::empty(
                id,
                RunPath::from_directory(path),
                &at.to_string(),
                Layout::Current,
            );
            row.status = (*status).to_owned();
            Arc::new(row)
        });
        let folders = folders.iter().map(|folder| (*folder).to_owned()).collect();
        let list = RunList::default()
            .next(rows, &Arc::new(folders), true)
            .unwrap();
        PathTree::of(&list)
    }

    fn counts(tree: &PathTree, path: &str) -> [u64; 4] {
        let counts = tree.paths[path];
        [counts.total, counts.running, counts.finished, counts.failed]
    }

    #[test]
    fn a_run_counts_once_at_each_path_above_it() {
        let tree = tree(
            &[
                ("a/b", "finished"),
                ("a/b", "running"),
                ("a", "failed"),
                ("a/c", "interrupted"),
                ("a/c", "completed"),
            ],
            &[],
        );
        assert_eq!(counts(&tree, "a"), [5, 1, 1, 1]);
        assert_eq!(counts(&tree, "a/b"), [2, 1, 1, 0]);
        assert_eq!(counts(&tree, "a/c"), [2, 0, 0, 0]);
        assert_eq!(tree.names_below("a"), ["b", "c"]);
        assert!(tree.names_below("nope").is_empty());
    }

    #[test]
    fn the_top_counts_its_own_runs_only_and_is_no_folder() {
        let tree = tree(&[("", "finished"), ("x", "finished")], &[]);
        assert_eq!(counts(&tree, ""), [1, 0, 1, 0]);
        assert_eq!(tree.names_below(""), ["x"]);
    }

    #[test]
    fn empty_folders_are_shown_with_nothing_in_them() {
        let tree = tree(&[], &["rl/old"]);
        let paths: Vec<&str> = tree.paths.keys().map(String::as_str).collect();
        assert_eq!(paths, ["rl", "rl/old"]);
        assert_eq!(counts(&tree, "rl"), [0, 0, 0, 0]);
    }
}
