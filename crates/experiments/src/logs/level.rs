//! How serious a line of a log is, by the word that Python's logging, common trainers and `glog` print near its start.

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `DEBUG`, `TRACE`.
    Debug,
    /// `INFO`, `NOTICE`, `SUCCESS`.
    Info,
    /// `WARNING`, `WARN`, `UserWarning:`.
    Warning,
    /// `ERROR`, `ValueError:`, a traceback.
    Error,
    /// `CRITICAL`, `FATAL`.
    Critical,
}

/// Words further right belong to what a line says, not to what it is.
const HEAD_BYTES: usize = 120;

const WORDS: [(&str, Level); 10] = [
    ("debug", Level::Debug),
    ("trace", Level::Debug),
    ("info", Level::Info),
    ("notice", Level::Info),
    ("success", Level::Info),
    ("warning", Level::Warning),
    ("warn", Level::Warning),
    ("error", Level::Error),
    ("critical", Level::Critical),
    ("fatal", Level::Critical),
];

impl Level {
    /// The level of `debug`, `info`, `warning`, `error` or `critical`.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Debug,
            Self::Info,
            Self::Warning,
            Self::Error,
            Self::Critical,
        ]
        .into_iter()
        .find(|level| level.word() == word)
    }

    /// Python's name of it, in small letters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// What a line says of itself; `line` has no escape sequences.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let head = line.get(..HEAD_BYTES).unwrap_or(line);
        glog(head).or_else(|| by_word(head))
    }
}

/// `I0131 10:00:00.123456 …` and `[W0131 10:00:00 …`, also after `[rank0]:`.
fn glog(head: &[u8]) -> Option<Level> {
    let start = memchr::memmem::find(head, b"]:")
        .filter(|_| head.starts_with(b"[rank"))
        .map_or(0, |at| at + 2);
    let head = head.get(start..)?;
    let head = head.strip_prefix(b"[").unwrap_or(head);
    let (&letter, rest) = head.split_first()?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !matches!(digits, 3 | 4 | 8) || rest.get(digits) != Some(&b' ') {
        return None;
    }
    // A clock must follow, or it is a word like "E2024".
    let clock = rest.get(digits + 1..)?;
    if clock.get(2) != Some(&b':') || clock.get(5) != Some(&b':') {
        return None;
    }
    match letter {
        b'D' => Some(Level::Debug),
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warning),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Critical),
        _ => None,
    }
}

fn by_word(head: &[u8]) -> Option<Level> {
    let mut at = 0;
    while at < head.len() {
        let rest = head.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_of_word(**byte)).count();
        if length == 0 {
            at += 1;
            continue;
        }
        let (word, after) = rest.split_at(length);
        let before = head.get(..at).unwrap_or_default();
        if let Some(level) = level_of_word(before, word, after) {
            return Some(level);
        }
        at += length;
    }
    None
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn level_of_word(before: &[u8], word: &[u8], after: &[u8]) -> Option<Level> {
    if !(4..=40).contains(&word.len()) {
        return None;
    }
    let known = WORDS
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
    if let Some(&(_, level)) = known {
        let is_capital = word.iter().all(u8::is_ascii_uppercase);
        return (is_capital || stands_alone(before, after)).then_some(level);
    }
    if after.first() != Some(&b':') {
        return None;
    }
    if word.ends_with(b"Warning") {
        return Some(Level::Warning);
    }
    // "ValueError: …" says so of its line only where it begins it, perhaps after the names of modules.
    let begins = before
        .iter()
        .rev()
        .take_while(|byte| !byte.is_ascii_whitespace())
        .all(|&byte| is_of_word(byte) || byte == b'.');
    let is_fault = word.ends_with(b"Error") || word.ends_with(b"Exception");
    (is_fault && begins && is_start(before)).then_some(Level::Error)
}

/// Nothing but a time stands before, perhaps.
fn is_start(before: &[u8]) -> bool {
    let before = before
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(&[][..], |space| before.get(..space).unwrap_or_default());
    !before.iter().any(u8::is_ascii_alphabetic)
}

/// Small letters name a level only between signs: `[info]`, `| info |`, `level=info `, `info: …`.
fn stands_alone(before: &[u8], after: &[u8]) -> bool {
    let last = before.iter().rev().find(|byte| **byte != b' ').copied();
    let mut rest = after.iter().skip_while(|byte| **byte == b' ');
    let next = rest.next().copied();
    let opened = last.is_none_or(|byte| b"[(|<\"'=:-{".contains(&byte));
    let closed = match next {
        Some(b':') => {
            // "error: 0.25" is a value.
            let value = rest.find(|byte| **byte != b' ').copied();
            !value.is_some_and(|byte| byte.is_ascii_digit() || b"-+.".contains(&byte))
        }
        Some(byte) => b"])|>\"'-,}".contains(&byte),
        None => false,
    };
    opened && (closed || (last == Some(b'=') && after.first().is_none_or(|byte| *byte == b' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let found = Level::of(line.as_bytes()).map_or("none", Level::word);
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn levels_of_common_programs() {
        check("2026-01-01 10:00:00,123 - INFO - train: start", "info");
        check("WARNING:root:disk is nearly full", "warning");
        check("[2026-01-01 10:00:00,1][trainer][DEBUG] - x", "debug");
        check("10:00:00 | CRITICAL | gone", "critical");
        check("2026-01-01 10:00:00.123 | SUCCESS  | a:b:1 - c", "info");
        check("I0131 10:00:00.123456 140 train.py:12] step 1", "info");
        check("[rank0]:[W1128 04:36:42.123 x.cpp:1] slow", "warning");
        check("[W128 04:36:42.123 x.cpp:1] slow", "warning");
        check("E2024 was a good year", "none");
        check(r#"{"level":"error","msg":"x"}"#, "error");
        check("time=1 level=warn msg=x", "warning");
        check("FATAL: out of memory", "critical");
        check("Error: no such file", "error");
        check("/x/a.py:12: UserWarning: old", "warning");
        check("RuntimeError: CUDA out of memory", "error");
        check("10:00:00 | torch.cuda.OutOfMemoryError: no", "error");
    }

    #[test]
    fn words_that_are_no_levels() {
        check("mean error: 0.25", "none");
        check("error: 0.25", "none");
        check("for your info and warning", "none");
        check("informative DEBUGGING", "none");
        check("got a ValueError: retrying", "none");
        check("epoch 1 loss 0.5", "none");
        check("", "none");
        check(&format!("{} ERROR", "x ".repeat(80)), "none");
    }

    #[test]
    fn levels_are_ordered_and_have_names() {
        assert!(Level::Debug < Level::Info && Level::Error < Level::Critical);
        assert_eq!(Level::parse("warning"), Some(Level::Warning));
        assert_eq!(Level::parse("WARNING"), None);
    }
}
