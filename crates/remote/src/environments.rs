//! Python environments of the far side: which there are, what runicorn is in them, what a viewer in one would show.
//!
//! One round trip finds all of them: a script looks where conda, mamba, venv, virtualenv, pyenv and uv put environments,
//! asks conda for its own list meanwhile, and has every interpreter say what it is, several at a time and each with a limit.
//! Nothing of runicorn is imported for that. Names are what people type, so they are unique: `system` is always the
//! interpreter on the path, and the second environment of a name goes by its path.

mod reading;

use std::time::Duration;

use crate::connection::Connection;
use crate::error::{RemoteError, RemoteResult};
use crate::info::{Environment, EnvironmentConfig, EnvironmentKind};
use crate::script::Script;

use reading::Asked;

const PROBE: &str = include_str!("environments/probe.py");
const LIST: &str = concat!(
    include_str!("environments/limit.sh"),
    include_str!("environments/list.sh")
);
const CONFIG: &str = concat!(
    include_str!("environments/limit.sh"),
    include_str!("environments/config.sh")
);

/// One interpreter, while others are asked too; a cold network file system takes its time.
const ONE_SECS: u32 = 6;
/// After this no more interpreters are asked.
const ALL_SECS: u32 = 15;
/// The interpreter that somebody waits for.
const CHOSEN_SECS: u32 = 20;
const LIMIT: Duration = Duration::from_secs(45);
const OUTPUT_BYTES: usize = 4 << 20;

/// The name of the interpreter on the path.
const SYSTEM: &str = "system";
/// What is suggested when the far side cannot say which port is free: the viewer's own default.
const FALLBACK_PORT: u16 = 23300;
/// The first runicorn whose viewer runs behind a tunnel.
const OLDEST: [u64; 3] = [0, 6, 0];

/// All environments, the ones of conda's list first and `system` last.
///
/// # Errors
/// As [`Script::run`].
pub async fn detect(connection: &Connection) -> RemoteResult<Vec<Environment>> {
    let output = list().run(connection).await?;
    let found = reading::environments(&output.stdout_bytes);
    connection.kept().environments.lock().clone_from(&found);
    Ok(found)
}

/// What a viewer in an environment would show: `system`, a name of [`detect`], or the path of an interpreter. A far side
/// without Python has an answer for `system` too, because our own viewer needs none.
///
/// # Errors
/// [`RemoteError::EnvironmentNotFound`], [`RemoteError::PythonFailed`], and as [`Script::run`].
pub async fn config_of(
    connection: &Connection,
    environment: &str,
) -> RemoteResult<EnvironmentConfig> {
    let (_, asked) = ask(connection, environment).await?;
    let says = asked.says.as_ref();
    let port = says.and_then(|says| says.port);
    let (root, exists) = asked.storage_root();
    Ok(EnvironmentConfig {
        environment: environment.to_owned(),
        python_version: says.map_or_else(|| "Unknown".to_owned(), |says| says.version.clone()),
        runicorn_version: says.and_then(|says| says.runicorn.clone()),
        default_storage_root: root.to_owned(),
        storage_root_exists: exists,
        suggested_remote_port: port.unwrap_or(FALLBACK_PORT),
        home_directory: asked.home.clone(),
    })
}

/// The environment to start a Python viewer in; `None` is `system`. It is asked afresh, so that a runicorn that was just
/// installed counts.
///
/// # Errors
/// [`RemoteError::EnvironmentNotFound`], [`RemoteError::PythonMissing`], [`RemoteError::PythonFailed`],
/// [`RemoteError::RunicornMissing`], [`RemoteError::RunicornTooOld`], and as [`Script::run`].
pub async fn python_of(
    connection: &Connection,
    environment: Option<&str>,
) -> RemoteResult<Environment> {
    let name = environment.unwrap_or(SYSTEM);
    let (kind, asked) = ask(connection, name).await?;
    let (Some(python), Some(says)) = (asked.python, asked.says) else {
        return Err(RemoteError::PythonMissing);
    };
    if !says.version.starts_with("Python 3") {
        return Err(RemoteError::PythonMissing);
    }
    let Some(version) = &says.runicorn else {
        return Err(RemoteError::RunicornMissing { python });
    };
    if is_too_old(version) {
        return Err(RemoteError::RunicornTooOld {
            environment: name.to_owned(),
            version: version.clone(),
        });
    }
    Ok(Environment {
        name: name.to_owned(),
        kind,
        python_version: says.version,
        python,
        is_default: kind == EnvironmentKind::System,
        runicorn_version: says.runicorn,
    })
}

fn list() -> Script {
    Script::new("looking for Python environments", LIST)
        .arg(PROBE)
        .arg(&ONE_SECS.to_string())
        .arg(&ALL_SECS.to_string())
        .limits(LIMIT, OUTPUT_BYTES)
}

/// Asks the interpreter of an environment. What is remembered of names may be out of date: then all are looked for again.
async fn ask(connection: &Connection, name: &str) -> RemoteResult<(EnvironmentKind, Asked)> {
    if name == SYSTEM {
        let asked = config(connection, "").await?;
        return match (&asked.python, &asked.says) {
            (Some(_), None) => Err(failed(name, &asked)),
            _ => Ok((EnvironmentKind::System, asked)),
        };
    }
    let known = find(&connection.kept().environments.lock(), name);
    if let Some(known) = known {
        let asked = config(connection, &known.python).await?;
        if asked.says.is_some() {
            return Ok((known.kind, asked));
        }
    }
    let found = find(&detect(connection).await?, name);
    let (kind, python) = match found {
        Some(found) => (found.kind, found.python),
        None if name.starts_with('/') => (EnvironmentKind::System, name.to_owned()),
        None => return Err(RemoteError::EnvironmentNotFound(name.to_owned())),
    };
    let asked = config(connection, &python).await?;
    match (&asked.python, &asked.says) {
        (Some(_), Some(_)) => Ok((kind, asked)),
        (None, _) => Err(RemoteError::EnvironmentNotFound(name.to_owned())),
        (Some(_), None) => Err(failed(name, &asked)),
    }
}

/// By name, else by its interpreter.
fn find(environments: &[Environment], name: &str) -> Option<Environment> {
    let by_name = environments.iter().find(|one| one.name == name);
    by_name
        .or_else(|| environments.iter().find(|one| one.python == name))
        .cloned()
}

fn failed(environment: &str, asked: &Asked) -> RemoteError {
    RemoteError::PythonFailed {
        environment: environment.to_owned(),
        detail: asked.complaint.clone(),
    }
}

async fn config(connection: &Connection, python: &str) -> RemoteResult<Asked> {
    let output = Script::new("asking a Python environment", CONFIG)
        .arg(PROBE)
        .arg(&CHOSEN_SECS.to_string())
        .arg(python)
        .limits(LIMIT, 64 << 10)
        .run(connection)
        .await?;
    reading::asked(&output).ok_or_else(|| RemoteError::Command {
        what: "asking a Python environment".to_owned(),
        detail: output.stderr,
    })
}

/// A version that says nothing (a checkout without one) is given the benefit of the doubt.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| {
        let digits = part.len()
            - part
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .len();
        part[..digits].parse::<u64>().ok()
    });
    let Some(Some(first)) = numbers.next() else {
        return false;
    };
    let mut next = || numbers.next().flatten().unwrap_or_default();
    [first, next(), next()] < OLDEST
}

#[cfg(test)]
mod tests;
