//! The questions that were asked: only their keys can be accepted, and not for ever.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::HostKeyQuestion;

const EXPIRY: Duration = Duration::from_mins(15);
const COUNT_LIMIT: usize = 256;

#[derive(Debug, PartialEq, Eq)]
struct Asked {
    host: String,
    port: u16,
    public_key: String,
}

impl Asked {
    fn new(host: &str, port: u16, public_key: &str) -> Self {
        Self {
            host: host.to_ascii_lowercase(),
            port,
            public_key: public_key.to_owned(),
        }
    }
}

/// What was asked lately, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Vec<(Instant, Asked)>>);

impl Pending {
    pub(super) fn remember(&self, question: &HostKeyQuestion, now: Instant) {
        let asked = Asked::new(&question.host, question.port, &question.public_key);
        let mut list = self.0.lock();
        list.retain(|(since, known)| *known != asked && is_fresh(*since, now));
        if list.len() >= COUNT_LIMIT {
            list.remove(0);
        }
        list.push((now, asked));
    }

    pub(super) fn has(&self, host: &str, port: u16, public_key: &str, now: Instant) -> bool {
        let asked = Asked::new(host, port, public_key);
        self.0
            .lock()
            .iter()
            .any(|(since, known)| *known == asked && is_fresh(*since, now))
    }

    pub(super) fn forget(&self, host: &str, port: u16, public_key: &str) {
        let asked = Asked::new(host, port, public_key);
        self.0.lock().retain(|(_, known)| *known != asked);
    }
}

fn is_fresh(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < EXPIRY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HostKeyReason;

    fn question(host: &str) -> HostKeyQuestion {
        HostKeyQuestion {
            host: host.to_owned(),
            port: 22,
            known_hosts_host: host.to_owned(),
            key_type: "t".to_owned(),
            fingerprint_sha256: String::new(),
            public_key: "t k".to_owned(),
            reason: HostKeyReason::Unknown,
            expected_fingerprint_sha256: None,
            expected_public_key: None,
            randomart: String::new(),
        }
    }

    #[test]
    fn a_question_is_forgotten_after_fifteen_minutes() {
        let pending = Pending::default();
        let start = Instant::now();
        pending.remember(&question("Host"), start);
        let minutes = |minutes: u64| start + Duration::from_mins(minutes);
        assert!(pending.has("host", 22, "t k", minutes(14)));
        assert!(!pending.has("host", 22, "t k", minutes(15)));
        assert!(!pending.has("host", 23, "t k", start));
        assert!(!pending.has("host", 22, "t other", start));
    }

    #[test]
    fn the_number_of_open_questions_is_limited() {
        let pending = Pending::default();
        let now = Instant::now();
        for number in 0..1_000 {
            pending.remember(&question(&format!("h{number}")), now);
        }
        assert_eq!(pending.0.lock().len(), COUNT_LIMIT);
        assert!(pending.has("h999", 22, "t k", now));
    }
}
