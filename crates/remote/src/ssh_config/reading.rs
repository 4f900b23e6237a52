//! Files to statements: includes followed, limits kept, whatever cannot be read noted.

use std::path::{Component, Path, PathBuf};

use super::words;
use crate::host_pattern;
use crate::private_file;

/// As OpenSSH.
const DEPTH_LIMIT: usize = 16;
const FILE_LIMIT_BYTES: u64 = 1 << 20;
const FILES_LIMIT: usize = 256;
const STATEMENTS_LIMIT: usize = 20_000;
const ENTRIES_LIMIT: usize = 4_096;
const PROBLEMS_LIMIT: usize = 100;

/// One file, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) statements: Vec<Statement>,
}

/// One line that says something.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Host(Vec<String>),
    Match(Vec<Criterion>),
    Include(Vec<Source>),
    Setting {
        /// In lower case.
        keyword: String,
        arguments: Vec<String>,
        /// As written, for commands.
        rest: String,
    },
}

/// One condition of a `Match` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Criterion {
    pub(crate) is_negated: bool,
    /// In lower case.
    pub(crate) word: String,
    /// Empty for those without.
    pub(crate) argument: String,
}

/// Reads a configuration and all that it includes.
pub(crate) struct Reader<'a> {
    home: &'a Path,
    /// Where includes without a leading `/` begin.
    base: &'a Path,
    chain: Vec<PathBuf>,
    files: usize,
    statements: usize,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(home: &'a Path, base: &'a Path) -> Self {
        Self {
            home,
            base,
            chain: Vec::new(),
            files: 0,
            statements: 0,
            problems: Vec::new(),
        }
    }

    /// The file, and what could not be honoured in it. An absent one is empty.
    pub(crate) fn read(mut self, path: &Path) -> (Source, Vec<String>) {
        let source = self.file(path).unwrap_or_default();
        (source, self.problems)
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_LIMIT {
            self.problems.push(text);
        }
    }

    fn file(&mut self, path: &Path) -> Option<Source> {
        let name = path.display().to_string();
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.chain.contains(&real) {
            self.problem(format!("{name} includes itself; that is skipped"));
            return None;
        }
        if self.chain.len() >= DEPTH_LIMIT || self.files >= FILES_LIMIT {
            self.problem(format!("{name}: too many includes; it is skipped"));
            return None;
        }
        self.files += 1;
        let content = match private_file::read(path, FILE_LIMIT_BYTES) {
            Ok(content) => content?,
            Err(error) => {
                self.problem(format!("{name}: {error}; it is skipped"));
                return None;
            }
        };
        self.chain.push(real);
        let statements = self.statements(&name, &String::from_utf8_lossy(&content));
        self.chain.pop();
        Some(Source { name, statements })
    }

    fn statements(&mut self, name: &str, text: &str) -> Vec<Statement> {
        let mut statements = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let line = index + 1;
            let Some(split) = words::line(text) else {
                continue;
            };
            if self.statements >= STATEMENTS_LIMIT {
                self.problem(format!("{name} line {line}: too long; the rest is skipped"));
                break;
            }
            self.statements += 1;
            match self.statement(split) {
                Ok(kind) => statements.push(Statement { line, kind }),
                Err(why) => self.problem(format!("{name} line {line}: {why}; it is skipped")),
            }
        }
        statements
    }

    fn statement(&mut self, line: words::Line<'_>) -> Result<Kind, &'static str> {
        let keyword = line.keyword.to_ascii_lowercase();
        if line.rest.is_empty() {
            return Err("nothing behind the keyword");
        }
        // The rest of the line is a command; its quotes are the shell's.
        let is_raw = keyword == "proxycommand";
        let arguments = match words::arguments(line.rest) {
            Some(arguments) => arguments,
            None if is_raw => Vec::new(),
            None => return Err("a quote is not closed"),
        };
        if arguments.is_empty() && !is_raw {
            return Err("nothing behind the keyword");
        }
        Ok(match keyword.as_str() {
            "host" => Kind::Host(arguments),
            "match" => Kind::Match(criteria(&arguments)?),
            "include" => Kind::Include(self.included(&arguments)),
            _ => Kind::Setting {
                keyword,
                arguments,
                rest: line.rest.to_owned(),
            },
        })
    }

    fn included(&mut self, patterns: &[String]) -> Vec<Source> {
        let mut sources = Vec::new();
        for pattern in patterns {
            let path = match pattern.strip_prefix("~/") {
                Some(rest) => self.home.join(rest),
                None => self.base.join(pattern),
            };
            let (paths, is_whole) = expanded(&path);
            if !is_whole {
                self.problem(format!("Include {pattern}: too many files"));
            }
            sources.extend(paths.iter().filter_map(|path| self.file(path)));
        }
        sources
    }
}

/// The existing paths that a path with `*` and `?` in any part means, in order; false when there were too many to look at.
fn expanded(pattern: &Path) -> (Vec<PathBuf>, bool) {
    let mut found = vec![PathBuf::new()];
    let mut left = ENTRIES_LIMIT;
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let is_pattern = matches!(part, Component::Normal(_)) && host_pattern::has_wildcard(&text);
        if !is_pattern {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if left == 0 {
                    return (next, false);
                }
                left -= 1;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let is_hidden = name.starts_with('.') && !text.starts_with('.');
                if !is_hidden && host_pattern::covers(&text, &name) {
                    next.push(entry.path());
                }
            }
        }
        next.sort();
        found = next;
    }
    (found, true)
}

fn criteria(arguments: &[String]) -> Result<Vec<Criterion>, &'static str> {
    let mut criteria = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (is_negated, word) = match word.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, word.as_str()),
        };
        let (word, given) = match word.split_once('=') {
            Some((word, argument)) => (word, Some(argument.to_owned())),
            None => (word, None),
        };
        let word = word.to_ascii_lowercase();
        let argument = match (word.as_str(), given) {
            ("all" | "canonical" | "final", _) => String::new(),
            (_, Some(argument)) => argument,
            (_, None) => words.next().ok_or("a condition has no value")?.clone(),
        };
        criteria.push(Criterion {
            is_negated,
            word,
            argument,
        });
    }
    let has_all = criteria.iter().any(|criterion| criterion.word == "all");
    let others = criteria
        .iter()
        .filter(|criterion| !matches!(criterion.word.as_str(), "all" | "canonical" | "final"));
    if has_all && others.count() > 0 {
        return Err("`all` stands alone");
    }
    Ok(criteria)
}
