//! Where and why a text is not JSON, in the words and by the counting of the documented server.
//!
//! Runs only after the real parser refused the text, so it has to find a place, not to decide.

/// The first fault: characters (not bytes) before it, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) position: usize,
    pub(super) reason: &'static str,
}

/// Nesting deeper than this is a fault of its own; the parser before us stops at the same depth.
const DEPTH_LIMIT: usize = 127;

/// Finds the first fault of a text that is not JSON.
pub(super) fn first_fault(text: &str) -> Fault {
    let chars: Vec<char> = text.chars().collect();
    let mut scan = Scan {
        chars: &chars,
        at: 0,
    };
    scan.skip_space();
    let fault = if let Err(fault) = scan.value(0) {
        Some(fault)
    } else {
        scan.skip_space();
        (scan.at < chars.len()).then(|| scan.fault("Extra data"))
    };
    fault.unwrap_or(Fault {
        position: 0,
        reason: "Expecting value",
    })
}

struct Scan<'a> {
    chars: &'a [char],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn fault(&self, reason: &'static str) -> Fault {
        Fault {
            position: self.at,
            reason,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH_LIMIT {
            return Err(self.fault("Nested too deeply"));
        }
        match self.peek() {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"') => self.string(),
            Some('-' | '0'..='9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<(), Fault> {
        for word in ["true", "false", "null"] {
            let end = self.at + word.len();
            if self
                .chars
                .get(self.at..end)
                .is_some_and(|found| found.iter().copied().eq(word.chars()))
            {
                self.at = end;
                return Ok(());
            }
        }
        Err(self.fault("Expecting value"))
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        let digits = self.digits();
        if digits == 0 {
            return Err(Fault {
                position: start,
                reason: "Expecting value",
            });
        }
        if self.peek() == Some('.') {
            self.at += 1;
            if self.digits() == 0 {
                self.at -= 1;
                return Ok(());
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let before = self.at;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                self.at = before;
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn string(&mut self) -> Result<(), Fault> {
        let unterminated = self.fault("Unterminated string starting at");
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(unterminated),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape()?,
                Some(control) if control < ' ' => {
                    return Err(self.fault("Invalid control character at"));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let fault = self.fault("Invalid \\escape");
        self.at += 1;
        match self.peek() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 1,
            Some('u') => {
                let digits = self.chars.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|four| four.iter().all(char::is_ascii_hexdigit)) {
                    return Err(self.fault("Invalid \\uXXXX escape"));
                }
                self.at += 5;
            }
            _ => return Err(fault),
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err(self.fault("Expecting property name enclosed in double quotes"));
            }
            self.string()?;
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(self.fault("Expecting ':' delimiter"));
            }
            self.at += 1;
            self.skip_space();
            self.value(depth + 1)?;
            self.skip_space();
            match self.peek() {
                Some('}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err(self.fault("Expecting ',' delimiter")),
            }
            self.skip_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.skip_space();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err(self.fault("Expecting ',' delimiter")),
            }
            self.skip_space();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, position: usize, reason: &str) {
        let fault = first_fault(text);
        assert_eq!(
            (fault.position, fault.reason),
            (position, reason),
            "{text:?}"
        );
    }

    #[test]
    fn the_first_fault_is_named_and_placed() {
        check(
            "{bad",
            1,
            "Expecting property name enclosed in double quotes",
        );
        check("", 0, "Expecting value");
        check("[1,", 3, "Expecting value");
        check("{\"a\" 1}", 5, "Expecting ':' delimiter");
        check("{\"中\":1 \"b\"}", 7, "Expecting ',' delimiter");
        check("\"abc", 0, "Unterminated string starting at");
        check("\"a\nb\"", 2, "Invalid control character at");
        check("\"\\x\"", 1, "Invalid \\escape");
        check("{} x", 3, "Extra data");
        check("nul", 0, "Expecting value");
        check("1.", 1, "Extra data");
    }

    #[test]
    fn deep_nesting_ends_in_a_fault_and_not_in_a_full_stack() {
        check(&"[".repeat(100_000), DEPTH_LIMIT + 1, "Nested too deeply");
    }
}
