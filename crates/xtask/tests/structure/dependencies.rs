//! Who may depend on whom, over cargo's full tree of normal and build dependencies.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, PackageId};

/// One package: the own packages it may use, and the crates that must be nowhere below it.
struct Rule {
    package: &'static str,
    own: &'static [&'static str],
    never: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        package: "runicorn-experiments",
        own: &[],
        never: &["axum", "hyper", "tokio", "tauri", "russh", "nvml-wrapper"],
    },
    Rule {
        package: "runicorn-telemetry",
        own: &[],
        never: &["axum", "tauri", "russh", "rusqlite"],
    },
    Rule {
        package: "runicorn-remote",
        own: &[],
        never: &["axum", "tauri", "rusqlite", "nvml-wrapper"],
    },
    Rule {
        package: "runicorn-server",
        own: &[
            "runicorn-experiments",
            "runicorn-remote",
            "runicorn-telemetry",
        ],
        never: &["tauri", "wry", "gtk"],
    },
    Rule {
        package: "runicorn-desktop",
        own: &["runicorn-server"],
        never: &[],
    },
    Rule {
        package: "runicorn-xtask",
        own: &[],
        never: &["axum", "tokio", "tauri", "russh", "rusqlite"],
    },
];

pub(crate) fn metadata() -> Metadata {
    let manifest = super::root().join("Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .features(CargoOpt::AllFeatures)
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .unwrap()
}

/// What a package uses directly, tests left out.
fn edges(metadata: &Metadata) -> BTreeMap<&PackageId, Vec<&PackageId>> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let is_real = |kinds: &[cargo_metadata::DepKindInfo]| {
        kinds
            .iter()
            .any(|kind| kind.kind != DependencyKind::Development)
    };
    nodes
        .iter()
        .map(|node| {
            (
                &node.id,
                node.deps
                    .iter()
                    .filter(|edge| is_real(&edge.dep_kinds))
                    .map(|edge| &edge.pkg)
                    .collect(),
            )
        })
        .collect()
}

fn names_below<'a>(
    metadata: &'a Metadata,
    edges: &BTreeMap<&PackageId, Vec<&'a PackageId>>,
    package: &'a PackageId,
) -> BTreeSet<&'a str> {
    let (mut waiting, mut seen) = (vec![package], BTreeSet::new());
    while let Some(next) = waiting.pop() {
        if seen.insert(next) {
            waiting.extend(&edges[next]);
        }
    }
    seen.remove(package);
    seen.into_iter()
        .map(|id| metadata[id].name.as_str())
        .collect()
}

#[test]
fn packages_depend_only_in_the_allowed_direction() {
    let metadata = metadata();
    let edges = edges(&metadata);
    let own: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut offenders = Vec::new();
    for rule in RULES {
        let package = metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name == rule.package)
            .unwrap();
        for used in edges[&package.id]
            .iter()
            .map(|id| metadata[*id].name.as_str())
        {
            if own.contains(used) && !rule.own.contains(&used) {
                offenders.push(format!("{} uses {used}", rule.package));
            }
        }
        for below in names_below(&metadata, &edges, &package.id) {
            if rule.never.contains(&below) {
                offenders.push(format!("{} reaches {below}", rule.package));
            }
        }
    }
    super::expect_none("dependencies in a forbidden direction", &offenders);
}

#[test]
fn every_package_of_ours_has_a_rule() {
    let metadata = metadata();
    let ruled: BTreeSet<&str> = RULES.iter().map(|rule| rule.package).collect();
    let own: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(ruled, own);
}

#[test]
fn nothing_of_ours_uses_the_developer_commands() {
    let metadata = metadata();
    let users = metadata.workspace_packages().into_iter().filter(|package| {
        package
            .dependencies
            .iter()
            .any(|used| used.name == "runicorn-xtask")
    });
    super::expect_none(
        "users of xtask",
        &users
            .map(|package| package.name.to_string())
            .collect::<Vec<_>>(),
    );
}
