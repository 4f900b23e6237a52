//! What the scripts beside this file tell: fields that end with NUL, in records of known length.

use std::collections::{HashMap, HashSet};

use crate::info::{Environment, EnvironmentKind};
use crate::script::ScriptOutput;

use super::SYSTEM;

/// Longer names are no names.
const NAME_BYTES: usize = 200;

/// What one interpreter says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) version: String,
    pub(super) runicorn: Option<String>,
    /// What runicorn's own configuration names.
    pub(super) root: Option<(String, bool)>,
    pub(super) port: Option<u16>,
}

/// An answer of `config.sh`.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The interpreter; absent where there is none.
    pub(super) python: Option<String>,
    pub(super) home: String,
    /// `RUNICORN_DIR`.
    root: Option<(String, bool)>,
    default_root: (String, bool),
    /// Absent when it did not run.
    pub(super) says: Option<Says>,
    /// The end of stderr.
    pub(super) complaint: String,
}

impl Asked {
    /// Where the SDK there writes, and whether that folder is there.
    pub(super) fn storage_root(&self) -> (&str, bool) {
        let configured = self.says.as_ref().and_then(|says| says.root.as_ref());
        let root = self.root.as_ref().or(configured);
        let (path, exists) = root.unwrap_or(&self.default_root);
        (path, *exists)
    }
}

/// An `E` record.
struct Found {
    id: String,
    kind: EnvironmentKind,
    name: String,
    prefix: String,
    physical: Vec<u8>,
    python: String,
    version: String,
    runicorn: Option<String>,
    is_active: bool,
}

/// A `C` record: a line of conda's own list.
struct Listed {
    name: String,
    is_active: bool,
    rank: usize,
}

/// Reads what `list.sh` wrote.
pub(super) fn environments(bytes: &[u8]) -> Vec<Environment> {
    let mut fields = bytes.split(|byte| *byte == 0);
    let mut found = Vec::new();
    let mut says = HashMap::new();
    let mut listed: HashMap<Vec<u8>, Listed> = HashMap::new();
    while let Some(tag) = fields.next() {
        let known = match tag {
            b"E" => take(&mut fields).map(|record| found.extend(read_found(record))),
            b"P" => take(&mut fields).map(|[id, version, runicorn]: [&[u8]; 3]| {
                says.insert(lossy(id), read_says(version, runicorn));
            }),
            b"C" => take(&mut fields).map(|[name, active, physical]: [&[u8]; 3]| {
                let line = Listed {
                    name: lossy(name),
                    is_active: active == b"1",
                    rank: listed.len(),
                };
                listed.entry(physical.to_vec()).or_insert(line);
            }),
            _ => None,
        };
        if known.is_none() {
            break;
        }
    }
    let rank = |one: &Found| match listed.get(&one.physical) {
        _ if one.kind == EnvironmentKind::System => (2, 0),
        Some(line) => (0, line.rank),
        None => (1, 0),
    };
    found.sort_by_key(rank);
    named(found, &listed, &says)
}

fn named(
    found: Vec<Found>,
    listed: &HashMap<Vec<u8>, Listed>,
    says: &HashMap<String, Says>,
) -> Vec<Environment> {
    let mut names = HashSet::from([SYSTEM.to_owned()]);
    let mut environments = Vec::new();
    for one in found {
        let is_system = one.kind == EnvironmentKind::System;
        let line = listed.get(&one.physical).filter(|_| !is_system);
        let mut name = line.map_or(one.name, |line| line.name.clone());
        if !is_system {
            if name.is_empty() || name.len() > NAME_BYTES || names.contains(&name) {
                name.clone_from(&one.prefix);
            }
            if !names.insert(name.clone()) {
                continue;
            }
        }
        let answer = says.get(&one.id);
        let version = answer.map_or(one.version, |says| says.version.clone());
        environments.push(Environment {
            name,
            kind: one.kind,
            python_version: if version.is_empty() {
                "Unknown".to_owned()
            } else {
                version
            },
            python: one.python,
            is_default: line.map_or(one.is_active, |line| line.is_active),
            runicorn_version: answer.map_or(one.runicorn, |says| says.runicorn.clone()),
        });
    }
    environments
}

/// An environment whose path is no UTF-8 has no name that anybody could send.
fn read_found(record: [&[u8]; 9]) -> Option<Found> {
    let [
        id,
        kind,
        name,
        prefix,
        physical,
        python,
        version,
        runicorn,
        active,
    ] = record;
    let kind = match kind {
        b"conda" => EnvironmentKind::Conda,
        b"pyenv" => EnvironmentKind::Pyenv,
        b"uv" => EnvironmentKind::Uv,
        b"system" => EnvironmentKind::System,
        _ => EnvironmentKind::Venv,
    };
    Some(Found {
        id: lossy(id),
        kind,
        name: lossy(name),
        prefix: str::from_utf8(prefix).ok()?.to_owned(),
        physical: physical.to_vec(),
        python: str::from_utf8(python).ok()?.to_owned(),
        version: python_version(version),
        runicorn: runicorn_version(runicorn),
        is_active: active == b"1",
    })
}

fn read_says(version: &[u8], runicorn: &[u8]) -> Says {
    Says {
        version: python_version(version),
        runicorn: runicorn_version(runicorn),
        ..Says::default()
    }
}

/// Reads what `config.sh` wrote.
pub(super) fn asked(output: &ScriptOutput) -> Option<Asked> {
    let mut fields = output.stdout_bytes.split(|byte| *byte == 0);
    let mut asked = Asked {
        complaint: output.stderr.clone(),
        ..Asked::default()
    };
    while let Some(tag) = fields.next() {
        match tag {
            b"H" => {
                let [python, home] = take(&mut fields)?;
                asked.python = text(python);
                asked.home = lossy(home);
            }
            b"R" => asked.root = place(take(&mut fields)?),
            b"D" => asked.default_root = place(take(&mut fields)?)?,
            b"P" => {
                let [_, version, runicorn, root, exists, port] = take(&mut fields)?;
                asked.says = Some(Says {
                    root: place([root, exists]),
                    port: lossy(port).parse().ok(),
                    ..read_says(version, runicorn)
                });
            }
            _ => break,
        }
    }
    (!asked.home.is_empty()).then_some(asked)
}

fn place([path, exists]: [&[u8]; 2]) -> Option<(String, bool)> {
    Some((text(path)?, exists == b"1"))
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| lossy(bytes))
}

fn take<'a, const N: usize>(fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<[&'a [u8]; N]> {
    let mut record = [&[][..]; N];
    for field in &mut record {
        *field = fields.next()?;
    }
    Some(record)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn python_version(bytes: &[u8]) -> String {
    let text = lossy(bytes);
    let is_one = text.strip_prefix("Python ").is_some_and(is_version);
    if is_one { text } else { String::new() }
}

/// Something is there that does not say what in a way that can be shown: `unknown`.
fn runicorn_version(bytes: &[u8]) -> Option<String> {
    let text = text(bytes)?;
    Some(if is_version(&text) {
        text
    } else {
        "unknown".to_owned()
    })
}

fn is_version(text: &str) -> bool {
    let is_letter = |letter: char| {
        letter.is_ascii_alphanumeric() || ['.', '+', '_', '-', '!'].contains(&letter)
    };
    !text.is_empty() && text.len() <= 60 && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(records: &[&[&str]]) -> Vec<u8> {
        let fields = records.iter().flat_map(|record| record.iter());
        fields
            .flat_map(|field| [field.as_bytes(), b"\0"].concat())
            .collect()
    }

    #[test]
    fn conda_s_own_list_gives_names_order_and_the_default() {
        let bytes = records(&[
            &[
                "E",
                "1",
                "conda",
                "base",
                "/c",
                "/c",
                "/c/bin/python",
                "Python 3.11.2",
                "",
                "0",
            ],
            &[
                "E",
                "2",
                "conda",
                "bare",
                "/c/envs/bare",
                "/c/envs/bare",
                "/c/envs/bare/bin/python",
                "",
                "",
                "0",
            ],
            &[
                "E",
                "3",
                "conda",
                "dl",
                "/c/envs/dl",
                "/d/dl",
                "/c/envs/dl/bin/python",
                "",
                "0.5.0",
                "1",
            ],
            &["P", "2", "Python 3.9.1", ""],
            &["C", "base", "1", "/c"],
            &["C", "dl", "0", "/d/dl"],
            &["C", "", "0", "/gone"],
            &["C", "bare", "0", "/c/envs/bare"],
            &[
                "E",
                "4",
                "system",
                "system",
                "",
                "",
                "/usr/bin/python3",
                "",
                "",
                "1",
            ],
            &["P", "3", "Python 3.11.7", "0.6.0"],
            &["P", "4", "Python 3.11.2", ""],
        ]);
        let shown: Vec<_> = environments(&bytes)
            .into_iter()
            .map(|one| {
                (
                    one.name,
                    one.python_version,
                    one.runicorn_version,
                    one.is_default,
                )
            })
            .collect();
        let row = |name: &str, version: &str, runicorn: Option<&str>, is_default| {
            (
                name.to_owned(),
                format!("Python {version}"),
                runicorn.map(str::to_owned),
                is_default,
            )
        };
        let expected = [
            row("base", "3.11.2", None, true),
            row("dl", "3.11.7", Some("0.6.0"), false),
            row("bare", "3.9.1", None, false),
            row("system", "3.11.2", None, true),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_are_unique_and_versions_are_versions() {
        let bytes = records(&[
            &[
                "E",
                "1",
                "conda",
                "base",
                "/a",
                "/a",
                "/a/bin/python",
                "",
                "",
                "0",
            ],
            &[
                "E",
                "2",
                "conda",
                "base",
                "/b",
                "/b",
                "/b/bin/python",
                "",
                "",
                "0",
            ],
            &[
                "E",
                "3",
                "venv",
                "system",
                "/v/system",
                "/v/system",
                "/v/system/bin/python",
                "",
                "",
                "0",
            ],
            &[
                "E",
                "4",
                "venv",
                "",
                "/v\n\u{1b}[2J",
                "/x",
                "/v/bin/python",
                "",
                "",
                "0",
            ],
            &["P", "1", "Python 3\u{1b}[2J", "<b>"],
            &["P", "99", "Python 3.1", ""],
            &[
                "E",
                "5",
                "system",
                "system",
                "",
                "",
                "/usr/bin/python3",
                "",
                "",
                "1",
            ],
            &["noise"],
            &[
                "E",
                "6",
                "system",
                "never",
                "",
                "",
                "/usr/bin/python3",
                "",
                "",
                "1",
            ],
        ]);
        let found = environments(&bytes);
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            ["base", "/b", "/v/system", "/v\n\u{1b}[2J", "system"]
        );
        assert_eq!(found[0].python_version, "Unknown");
        assert_eq!(found[0].runicorn_version.as_deref(), Some("unknown"));
    }

    #[test]
    fn a_cut_answer_is_read_as_far_as_it_goes() {
        let bytes = records(&[
            &[
                "E",
                "1",
                "conda",
                "base",
                "/a",
                "/a",
                "/a/bin/python",
                "",
                "",
                "0",
            ],
            &["E", "2", "conda"],
        ]);
        for length in 0..bytes.len() {
            assert!(environments(&bytes[..length]).len() <= 1);
        }
        assert_eq!(environments(&bytes).len(), 1);
    }

    #[test]
    fn the_storage_root_is_the_variable_then_the_configuration_then_the_default() {
        let read = |records_: &[&[&str]]| {
            let output = ScriptOutput {
                stdout_bytes: records(records_),
                ..ScriptOutput::default()
            };
            let asked = asked(&output).unwrap();
            let (root, exists) = asked.storage_root();
            (root.to_owned(), exists)
        };
        let home: &[&str] = &["H", "/usr/bin/python3", "/home/u"];
        let default: &[&str] = &["D", "/home/u/runicorn_data", "1"];
        let says: &[&str] = &["P", "0", "Python 3.11.2", "0.7.2", "/conf", "0", "1234"];
        assert_eq!(
            read(&[home, &["R", "/env", "1"], default, says]),
            ("/env".to_owned(), true)
        );
        assert_eq!(
            read(&[home, &["R", "", "0"], default, says]),
            ("/conf".to_owned(), false)
        );
        assert_eq!(
            read(&[home, &["R", "", "0"], default]),
            ("/home/u/runicorn_data".to_owned(), true)
        );
    }
}
