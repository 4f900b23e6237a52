//! OpenSSH's patterns: `*`, `?`, lists with commas, negation with `!`. Used by its configuration and its known hosts.
//!
//! Matching is linear in memory and at worst quadratic in time, so that a hostile pattern cannot hang us.

/// Does one pattern of `*` and `?` cover the whole text? Letters count as they are.
pub(crate) fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(&letter) if letter == b'?' || letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match last_star {
                Some((star, taken)) => {
                    last_star = Some((star, taken + 1));
                    p = star + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&letter| letter == b'*')
}

/// A list `a,b*,!c`: some pattern covers the text and no negated one does.
pub(crate) fn list_covers(list: &str, text: &str) -> bool {
    let mut is_covered = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if covers(pattern, text) => return false,
            Some(_) => {}
            None => is_covered |= covers(pattern, text),
        }
    }
    is_covered
}

/// As [`list_covers`] for host names, whose case does not matter.
pub(crate) fn list_covers_host(list: &str, host: &str) -> bool {
    list_covers(&list.to_ascii_lowercase(), &host.to_ascii_lowercase())
}

/// True for what names many: it has a wildcard.
pub(crate) fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_cover_what_openssh_covers() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("gpu?", "gpu1", true),
            ("gpu?", "gpu", false),
            ("gpu?", "gpu12", false),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("**a**", "bab", true),
            ("", "", true),
            ("", "a", false),
            ("Gpu", "gpu", false),
        ] {
            assert_eq!(covers(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_of_a_list_wins() {
        assert!(list_covers("*.x,!bad.x", "good.x"));
        assert!(!list_covers("*.x,!bad.x", "bad.x"));
        assert!(!list_covers("!bad.x", "good.x"));
        assert!(list_covers_host("GPU*", "gpu1"));
        assert!(list_covers_host("gpu*", "GPU1"));
    }

    #[test]
    fn a_pattern_made_to_hang_a_matcher_does_not() {
        let pattern = "*a".repeat(2_000);
        let text = "a".repeat(20_000) + "b";
        assert!(!covers(&pattern, &text));
    }
}
