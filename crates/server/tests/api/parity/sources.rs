//! What the rows cite is there: the page, and the section, numbered decision or words that the row names in it.

use std::path::{Path, PathBuf};

use super::differences::DIFFERENCES;
use crate::support::fixtures;

/// The pages of the specification lie beside the repository, on machines that have them.
fn pages() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = |folder: &Path| folder.join("shared/spec");
    here.ancestors().map(beside).find(|folder| folder.is_dir())
}

/// `Err` says what is wrong with a citation.
fn check(citation: &str, pages: Option<&Path>) -> Result<(), String> {
    if citation.starts_with("issue ") {
        return Ok(());
    }
    let end = citation.find(".md").ok_or("it names no page")? + 3;
    let (page, place) = citation.split_at(end);
    let file = match (page.strip_prefix("fixtures/"), pages) {
        (Some(name), _) => fixtures().join(name),
        (None, Some(folder)) => folder.join(page),
        (None, None) => return Ok(()),
    };
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let numbers: Vec<&str> = place
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect();
    if let Some(missing) = numbers.iter().find(|number| !has_section(&text, number)) {
        return Err(format!("{page} has no {missing}"));
    }
    let words = place.trim_start_matches([',', ' ']).to_lowercase();
    if numbers.is_empty() && (words.is_empty() || !text.to_lowercase().contains(&words)) {
        return Err(format!("{page} does not say {words:?}"));
    }
    Ok(())
}

/// A heading or an item of a list with this number.
fn has_section(text: &str, number: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start_matches(['#', ' '])
            .starts_with(&format!("{number}. "))
    })
}

#[test]
fn every_row_of_the_table_cites_what_is_there() {
    let pages = pages();
    if pages.is_none() {
        println!(
            "skipped: no shared/spec beside this repository; only the fixtures' page is looked into"
        );
    }
    let wrong: Vec<String> = DIFFERENCES
        .iter()
        .flat_map(|row| row.spec.split("; ").map(move |citation| (row, citation)))
        .filter_map(|(row, citation)| {
            let error = check(citation, pages.as_deref()).err()?;
            Some(format!("{} {}: {error}", row.recordings, row.at))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_a_section_or_words_that_are_not_there_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.md"), "## 3. Data\n\n12. A rule\n").unwrap();
    let check = |citation| check(citation, Some(folder.path()));
    for good in [
        "a.md 3",
        "a.md 3 and 12",
        "a.md 3 (W)",
        "a.md, a rule",
        "issue 2, section 3",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in [
        "a.md 4",
        "a.md 3 and 13",
        "a.md",
        "a.md, no rule",
        "b.md 3",
        "somewhere",
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
}
