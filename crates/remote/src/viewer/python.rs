//! The viewer of a Python environment of the far side.

use crate::connection::Connection;
use crate::environments;
use crate::error::RemoteResult;

/// What carries bytes between its own input and output and the port of a viewer, for `python -c`.
pub(super) const BRIDGE: &str = include_str!("bridge.py");

/// The interpreter, and what its runicorn can do.
pub(super) struct Interpreter {
    /// Its path.
    pub(super) python: String,
    /// The version of runicorn in it.
    pub(super) version: String,
    /// Its viewer ends by itself when nobody asks it anything, and takes a flag for that.
    pub(super) has_idle_timeout: bool,
}

/// The interpreter of the environment, with a runicorn that is new enough.
///
/// # Errors
/// As [`environments::python_of`].
pub(super) async fn interpreter(
    connection: &Connection,
    environment: Option<&str>,
) -> RemoteResult<Interpreter> {
    let wanted = environment.filter(|name| !name.is_empty());
    let found = environments::python_of(connection, wanted).await?;
    let version = found.runicorn_version.unwrap_or_default();
    Ok(Interpreter {
        python: found.python,
        has_idle_timeout: numbers(&version) >= (0, 7),
        version,
    })
}

/// `0.7.2rc1` is (0, 7). What cannot be read counts as new.
fn numbers(version: &str) -> (u64, u64) {
    let mut parts = version.split('.').map(|part| {
        let digits = part.split(|letter: char| !letter.is_ascii_digit()).next();
        digits.unwrap_or_default().parse().ok()
    });
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor),
        (Some(major), None) => (major, 0),
        _ => (u64::MAX, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_compared_by_number() {
        for (version, expected) in [
            ("0.6.0", (0, 6)),
            ("0.10.1", (0, 10)),
            ("0.7.2rc1", (0, 7)),
            ("1", (1, 0)),
            ("2.0.dev3+g1", (2, 0)),
            ("unknown", (u64::MAX, 0)),
        ] {
            assert_eq!(numbers(version), expected, "{version}");
        }
    }
}
