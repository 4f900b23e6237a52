//! Everything the small files of one run say, read at this moment.

use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::index::record::{MAX_ASSETS_BYTES, SmallFile, read_row};
use crate::layout;
use crate::liveness::{Look, ProcessState};
use crate::run::RunRow;
use crate::run_dir::{RunDir, RunFile};
use crate::store::RunStore;

/// Most names of a run's directory that are shown.
const MOST_FILES: usize = 10_000;

/// One run in detail.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The row as the list would show it now.
    pub row: RunRow,
    /// Where it lies.
    pub dir: RunDir,
    /// What the system says about its process.
    pub process: ProcessState,
    /// `meta.json`.
    pub meta: Map<String, Value>,
    /// `summary.json`.
    pub summary: Map<String, Value>,
    /// `assets.json`; empty when there is none.
    pub assets: Map<String, Value>,
    /// `environment.json`, if there is one.
    pub environment: Option<Value>,
    /// The files of the directory, without locks and temporary ones.
    pub files: Vec<RunFile>,
    /// What is wrong, by file.
    pub problems: Vec<FileProblem>,
}

/// What is wrong with a file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file's name; empty when it is about the run as a whole.
    pub file: String,
    /// What is wrong, in words.
    pub detail: String,
}

impl RunStore {
    /// A run that is not deleted, in detail.
    pub fn detail(&self, id: &str) -> Result<RunDetail, StoreError> {
        self.find(id).map(|run| self.read_detail(run))
    }

    /// The same for a run that may also be in the recycle bin.
    pub fn detail_of_any(&self, id: &str) -> Result<RunDetail, StoreError> {
        let run = self
            .find(id)
            .or_else(|missing| self.find_deleted(id).map_err(|_unknown| missing))?;
        Ok(self.read_detail(run))
    }

    /// `environment.json` of a run that is not deleted, if it has one.
    pub fn environment(&self, id: &str) -> Result<Option<Value>, StoreError> {
        let run = self.find(id)?;
        Ok(
            match SmallFile::read(&run, layout::ENVIRONMENT, MAX_ASSETS_BYTES) {
                SmallFile::Object(environment) => Some(Value::Object(environment)),
                SmallFile::Missing | SmallFile::Damaged(_) => None,
            },
        )
    }

    /// `summary.json` of a row of the list; empty when there is none that can be read.
    pub fn summary(&self, row: &RunRow) -> Map<String, Value> {
        let run = self
            .root_dir()
            .and_then(|root| RunDir::new(root, &row.directory, row.layout, row.deleted));
        run.map_or_else(|_| Map::new(), |run| object(&run, layout::SUMMARY))
    }

    fn read_detail(&self, run: RunDir) -> RunDetail {
        let mut row = read_row(&run);
        if row.problem.is_some()
            && let Some(listed) = self
                .list()
                .get(run.id.as_str())
                .filter(|row| row.directory == run.directory)
        {
            // what the list still knows from before a file was damaged
            row = listed.as_ref().clone();
        }
        let mut look = Look::new(self.host_name(), self.root(), self.processes());
        let process = look.process_of(&row);
        (row.status, row.reason) = look.verdict(&row);
        let mut problems = problems_of(&row);
        let environment = match SmallFile::read(&run, layout::ENVIRONMENT, MAX_ASSETS_BYTES) {
            SmallFile::Object(environment) => Some(Value::Object(environment)),
            SmallFile::Missing => None,
            SmallFile::Damaged(problem) => {
                problems.push(FileProblem::parse(&problem));
                None
            }
        };
        RunDetail {
            row,
            process,
            meta: object(&run, layout::META),
            summary: object(&run, layout::SUMMARY),
            assets: object(&run, layout::ASSETS),
            environment,
            files: files(&run),
            problems,
            dir: run,
        }
    }
}

impl FileProblem {
    fn parse(text: &str) -> Self {
        let (file, detail) = text.split_once(": ").unwrap_or(("", text));
        let named = file
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ending == "json");
        let (file, detail) = match text.split_once(' ') {
            _ if named => (file, detail),
            Some((file, _)) if file.strip_suffix(".json").is_some() => (file, text),
            _ => ("", text),
        };
        Self {
            file: file.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

fn problems_of(row: &RunRow) -> Vec<FileProblem> {
    let problems = row.problem.as_deref().unwrap_or_default();
    problems
        .split("; ")
        .filter(|problem| !problem.is_empty())
        .map(FileProblem::parse)
        .collect()
}

fn object(run: &RunDir, name: &str) -> Map<String, Value> {
    match SmallFile::read(run, name, MAX_ASSETS_BYTES) {
        SmallFile::Object(object) => object,
        SmallFile::Missing | SmallFile::Damaged(_) => Map::new(),
    }
}

fn files(run: &RunDir) -> Vec<RunFile> {
    let listed = run.list("", MOST_FILES).unwrap_or_default();
    listed
        .into_iter()
        .filter(|file| !file.is_dir && !layout::is_lock_or_temporary(&file.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_apart_by_its_file() {
        let check = |text: &str, file: &str, detail: &str| {
            let problem = FileProblem::parse(text);
            assert_eq!(
                (problem.file.as_str(), problem.detail.as_str()),
                (file, detail)
            );
        };
        check(
            "meta.json: pid is not an integer",
            "meta.json",
            "pid is not an integer",
        );
        check(
            "status.json is empty",
            "status.json",
            "status.json is empty",
        );
        check(
            "another run has the same name: runs/b/x",
            "",
            "another run has the same name: runs/b/x",
        );
    }
}
