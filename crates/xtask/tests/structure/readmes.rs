//! Both READMEs say the same.

use std::{collections::BTreeSet, path::PathBuf};

use super::{expect_none, read, root};

/// The lines inside fenced blocks, comments cut.
fn commands(text: &str) -> BTreeSet<String> {
    let inside = text
        .split("```")
        .skip(1)
        .step_by(2)
        .flat_map(|block| block.lines().skip(1));
    let commands = inside.map(|line| {
        line.split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    });
    commands.filter(|line| !line.is_empty()).collect()
}

/// What links and pictures lead to inside the repository.
fn local_links(text: &str) -> BTreeSet<String> {
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let quoted = text
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    links
        .chain(quoted)
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn both_readmes_name_the_same_commands() {
    let [english, chinese] =
        ["README.md", "README_zh.md"].map(|name| commands(&read(&root().join(name))));
    assert!(english.contains("cargo xtask run") && english.contains("cargo xtask test"));
    assert_eq!(english, chinese);
}

#[test]
fn the_guides_lead_to_files_that_are_there() {
    let mut broken = Vec::new();
    for name in ["README.md", "README_zh.md", "ARCHITECTURE.md"] {
        for link in local_links(&read(&root().join(name))) {
            let path: PathBuf = root().join(link.split('#').next().unwrap_or_default());
            if !path.exists() {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    expect_none("links to nothing", &broken);
}

#[test]
fn the_map_stays_short_and_names_every_spawn_function() {
    let map = read(&root().join("ARCHITECTURE.md"));
    assert!(
        map.lines().count() < 250,
        "ARCHITECTURE.md has {} lines",
        map.lines().count()
    );
    for place in ["crates/xtask/src/programs.rs", "src-tauri/relaunch.rs"] {
        assert!(map.contains(place), "ARCHITECTURE.md does not name {place}");
    }
}
