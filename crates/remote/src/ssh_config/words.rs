//! One line of an OpenSSH configuration, split as OpenSSH splits it.

/// A keyword and the rest of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) keyword: &'a str,
    /// What stands behind the keyword and its separator, white space at the ends removed.
    pub(crate) rest: &'a str,
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

/// The keyword of a line; `None` for empty lines and comments.
pub(crate) fn line(text: &str) -> Option<Line<'_>> {
    let text = text.trim_end_matches([' ', '\t', '\r', '\n', '\x0c']);
    let text = text.trim_start_matches(is_space);
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let end = text
        .find(|letter| is_space(letter) || letter == '=')
        .unwrap_or(text.len());
    let rest = text[end..].trim_start_matches(is_space);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some(Line {
        keyword: &text[..end],
        rest: rest.trim_start_matches(is_space),
    })
}

/// The arguments: quotes and backslashes resolved, a `#` at the start of a word ends them. `None` for an open quote.
pub(crate) fn arguments(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(|&letter| is_space(letter)).is_some() {}
        match letters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => words.push(word(&mut letters)?),
        }
    }
}

fn word(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    let mut quote: Option<char> = None;
    while let Some(&letter) = letters.peek() {
        match (letter, quote) {
            ('\\', _) => {
                letters.next();
                let is_escape = |next: char| {
                    matches!(next, '\'' | '"' | '\\') || (quote.is_none() && next == ' ')
                };
                word.push(letters.next_if(|&next| is_escape(next)).unwrap_or('\\'));
                continue;
            }
            (_, None) if is_space(letter) => break,
            ('"' | '\'', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            _ => word.push(letter),
        }
        letters.next();
    }
    quote.is_none().then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_ends_at_white_space_or_one_equals_sign() {
        for (text, keyword, rest) in [
            ("Host a b", "Host", "a b"),
            ("\t Port = 22 \r\n", "Port", "22"),
            ("Port=22", "Port", "22"),
            ("Port==22", "Port", "=22"),
            ("Host", "Host", ""),
        ] {
            assert_eq!(line(text), Some(Line { keyword, rest }), "{text:?}");
        }
        assert_eq!(line("   # Host a"), None);
        assert_eq!(line("\r\n"), None);
    }

    #[test]
    fn arguments_lose_quotes_escapes_and_comments() {
        for (text, expected) in [
            ("a  b", Some(vec!["a", "b"])),
            (r#""a b" c"#, Some(vec!["a b", "c"])),
            (r#"a\ b 'c "d"'"#, Some(vec!["a b", r#"c "d""#])),
            (r#"a"b c"d"#, Some(vec!["ab cd"])),
            (r"a\x \\", Some(vec![r"a\x", r"\"])),
            ("a # b", Some(vec!["a"])),
            ("a#b", Some(vec!["a#b"])),
            (r#""""#, Some(vec![""])),
            ("", Some(vec![])),
            (r#""open"#, None),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(arguments(text), expected, "{text:?}");
        }
    }
}
