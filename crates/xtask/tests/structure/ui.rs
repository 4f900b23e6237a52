//! Where each thing of the web app may stand.

use std::path::{Path, PathBuf};

use super::{expect_none, files_below, read, root, short};

/// What each folder of `ui/src` may import from the others; the frame at its top ("") may import everything.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("api", &["api"]),
    ("format", &["format"]),
    ("text", &["text"]),
    ("styles", &["styles"]),
    ("components", &["components", "format", "text", "styles"]),
    ("state", &["", "state", "api", "format", "text"]),
    (
        "frame",
        &[
            "frame",
            "components",
            "state",
            "api",
            "format",
            "text",
            "styles",
        ],
    ),
    (
        "pages",
        &[
            "pages",
            "components",
            "state",
            "api",
            "format",
            "text",
            "styles",
        ],
    ),
];

fn sources() -> Vec<PathBuf> {
    let source = root().join("ui/src");
    let all = files_below(&source, &["ts", "svelte"]);
    all.into_iter()
        .filter(|path| {
            !path.to_string_lossy().ends_with(".test.ts") && !path.ends_with("schema.ts")
        })
        .collect()
}

/// The folder of `ui/src` in which a file lies; empty for the files at its top.
fn folder_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("ui/src")).unwrap();
    if inside.components().count() < 2 {
        String::new()
    } else {
        inside.iter().next().unwrap().to_string_lossy().into_owned()
    }
}

/// What a file imports: the text between the quotes of `from "…"` and `import "…"`.
fn imports(text: &str) -> Vec<String> {
    let quoted = |after: &str| {
        after
            .trim_start()
            .trim_start_matches('(')
            .split('"')
            .nth(1)
            .map(str::to_owned)
    };
    let statements = text.split("import").skip(1).filter_map(|rest| {
        let statement = rest.split(';').next().unwrap_or_default();
        let at = statement.find(" from ").map_or(0, |at| at + 6);
        quoted(&statement[at..])
    });
    statements.collect()
}

/// The folder of `ui/src` that a relative import leads to.
fn target_folder(from: &Path, import: &str) -> Option<String> {
    if !import.starts_with('.') {
        return None;
    }
    let mut path = from.parent()?.to_path_buf();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    Some(folder_of(&path))
}

#[test]
fn folders_of_the_web_app_import_only_in_the_allowed_direction() {
    let mut offenders = Vec::new();
    for path in sources() {
        let folder = folder_of(&path);
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == folder) else {
            continue;
        };
        for import in imports(&read(&path)) {
            if target_folder(&path, &import)
                .is_some_and(|target| !allowed.contains(&target.as_str()))
            {
                offenders.push(format!("{} imports {import}", short(&path)));
            }
        }
    }
    expect_none("imports in a forbidden direction", &offenders);
}

#[test]
fn every_folder_of_the_web_app_has_a_rule() {
    let unknown = sources().into_iter().filter(|path| {
        let folder = folder_of(path);
        !folder.is_empty() && !MAY_IMPORT.iter().any(|(name, _)| *name == folder)
    });
    expect_none(
        "files outside the known folders",
        &unknown.map(|path| short(&path)).collect::<Vec<_>>(),
    );
}

#[test]
fn the_web_app_never_imports_tauri() {
    let users = sources()
        .into_iter()
        .filter(|path| read(path).contains("@tauri-apps") || read(path).contains("__TAURI"));
    expect_none(
        "files that know Tauri",
        &users.map(|path| short(&path)).collect::<Vec<_>>(),
    );
}

#[test]
fn only_the_api_folder_talks_to_the_network() {
    let words = [
        "fetch(",
        "new WebSocket",
        "XMLHttpRequest",
        "EventSource(",
        "sendBeacon(",
    ];
    let mut offenders = Vec::new();
    for path in sources()
        .into_iter()
        .filter(|path| folder_of(path) != "api")
    {
        for (number, line) in read(&path).lines().enumerate() {
            if words.iter().any(|word| calls(line, word)) {
                offenders.push(format!("{}:{}", short(&path), number + 1));
            }
        }
    }
    expect_none("network outside ui/src/api", &offenders);
}

/// Whether a line has the word itself and not the end of a longer one.
fn calls(line: &str, word: &str) -> bool {
    let is_comment = line.trim_start().starts_with("//") || line.trim_start().starts_with('*');
    let is_whole = |at: usize| {
        !line[..at]
            .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '_' | '.' | '#'))
    };
    !is_comment && line.match_indices(word).any(|(at, _)| is_whole(at))
}

#[test]
fn only_the_tokens_name_colours() {
    let all = files_below(&root().join("ui/src"), &["css", "svelte", "ts"]);
    let mut offenders = Vec::new();
    for path in all.into_iter().filter(|path| {
        !path.ends_with("tokens.css") && !path.to_string_lossy().ends_with(".test.ts")
    }) {
        for (number, line) in read(&path).lines().enumerate() {
            if has_colour(line) {
                offenders.push(format!("{}:{}: {}", short(&path), number + 1, line.trim()));
            }
        }
    }
    expect_none("colours outside ui/src/styles/tokens.css", &offenders);
}

/// Whether a line writes a colour as `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb()`, `hsl()` or `oklch()`.
fn has_colour(line: &str) -> bool {
    let functions = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch("];
    let is_hex = |at: usize| {
        let digits = line[at + 1..]
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .count();
        let ends = !line[at + 1 + digits..]
            .starts_with(|next: char| next.is_alphanumeric() || next == '-' || next == '_');
        let before = line[..at].chars().next_back();
        ends && matches!(digits, 3 | 4 | 6 | 8)
            && !before.is_some_and(|c| c.is_alphanumeric() || c == '&' || c == '/' || c == '{')
    };
    functions.iter().any(|name| calls(line, name))
        || line.match_indices('#').any(|(at, _)| is_hex(at))
}

#[test]
fn the_rules_see_what_they_should() {
    assert_eq!(
        imports("import { a } from \"../api/client\";\nimport \"./x.css\";"),
        ["../api/client", "./x.css"]
    );
    let page = root().join("ui/src/pages/runs/Runs.svelte");
    assert_eq!(
        target_folder(&page, "../../api/client").as_deref(),
        Some("api")
    );
    assert_eq!(target_folder(&page, "uplot"), None);
    for (line, expected) in [
        ("color: #fff;", true),
        ("color: var(--text)", false),
        ("{#if a}", false),
        ("href=\"#abc-d\"", false),
        ("rgba(0, 0, 0, .5)", true),
    ] {
        assert_eq!(has_colour(line), expected, "{line}");
    }
    for (line, expected) in [
        ("await fetch(url)", true),
        ("this.refetch()", false),
        ("prefetch(x)", false),
        ("// fetch(x)", false),
    ] {
        assert_eq!(calls(line, "fetch("), expected, "{line}");
    }
}
