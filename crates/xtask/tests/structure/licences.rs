//! Every crate that we build on has a licence from the list in `deny.toml`.

use std::collections::BTreeSet;

use super::{expect_none, read, root};

/// The list `licenses.allow`.
fn allowed() -> BTreeSet<String> {
    let text = read(&root().join("deny.toml"));
    let list = text
        .split("allow = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next())
        .unwrap();
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Whether an expression such as `(MIT OR Apache-2.0) AND Unicode-3.0` can be met from the list.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    // No expression in use nests deeper than alternatives inside a sum.
    expression.split(" AND ").all(|part| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        part.split(" OR ")
            .any(|licence| allowed.contains(licence.trim()))
    })
}

#[test]
fn every_dependency_has_an_accepted_licence() {
    let allowed = allowed();
    let metadata = super::dependencies::metadata();
    let refused = metadata.packages.iter().filter(|package| {
        let licence = package.license.as_deref().unwrap_or_default();
        !is_met(licence, &allowed)
    });
    let lines: Vec<String> = refused
        .map(|package| format!("{}: {:?}", package.name, package.license))
        .collect();
    expect_none("dependencies without an accepted licence", &lines);
}

#[test]
fn an_expression_needs_one_of_its_alternatives_and_all_of_its_parts() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
    for (expression, expected) in [
        ("MIT OR GPL-3.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("Unlicense/MIT", true),
        ("GPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }
}
