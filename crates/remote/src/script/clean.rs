//! Text of the far side, made fit to be shown.

/// Control characters and escape sequences removed, line breaks kept, at most `limit` characters: for text of the far side
/// that people will see.
pub fn cleaned(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\u{1b}' => {
                skip_escape(&mut letters);
                continue;
            }
            '\u{9b}' => {
                skip_parameters(&mut letters);
                continue;
            }
            '\t' => ' ',
            other => other,
        };
        if (letter.is_control() && letter != '\n') || is_invisible(letter) {
            continue;
        }
        if count == limit {
            shown.push('…');
            break;
        }
        shown.push(letter);
        count += 1;
    }
    shown
}

/// What turns text around, hides it or is no character at all.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn skip_escape(letters: &mut std::str::Chars<'_>) {
    match letters.next() {
        Some('[') => skip_parameters(letters),
        // A string up to BEL or ESC \.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' {
                    return;
                }
                if letter == '\u{1b}' {
                    letters.next();
                    return;
                }
            }
        }
        Some(' '..='/') => {
            letters.find(|letter| !(' '..='/').contains(letter));
        }
        _ => {}
    }
}

fn skip_parameters(letters: &mut std::str::Chars<'_>) {
    letters.find(|letter| ('@'..='~').contains(letter));
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn text_of_the_far_side_is_shown_without_control_characters_and_escape_codes() {
        let check = |text: &str, shown: &str| assert_eq!(cleaned(text, 40), shown, "{text:?}");
        check("plain\r\nlines\tand tabs", "plain\nlines and tabs");
        check("\u{1b}[31;1mred\u{1b}[0m", "red");
        check("\u{1b}]0;title\u{7}after", "after");
        check("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
        check("\u{1b}(Bset \u{1b}c\u{1b}=", "set ");
        check("a\u{8}\u{0}\u{7f}\u{9b}2Jb", "ab");
        check("ab\u{202e}cd\u{200b}e\u{2066}", "abcde");
        check("\u{1b}[999", "");
        check("\u{1b}]never ends", "");
        check("名 é ok", "名 é ok");
        check(&"x".repeat(50), &format!("{}…", "x".repeat(40)));
    }
}
