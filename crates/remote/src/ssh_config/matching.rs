//! Which blocks speak for a host, and what they say. Nothing is executed.

use super::reading::{Criterion, Kind, Source};
use super::settings::Settings;
use super::tokens;
use crate::host_pattern;

/// For whom the configuration is read.
pub(crate) struct Question<'a> {
    /// As typed.
    pub(crate) alias: &'a str,
    /// Who we are on this machine.
    pub(crate) local_user: &'a str,
}

/// The settings for a host: all sources in order, and once more when `Match final` asks for it.
pub(crate) fn settings(
    sources: &[Source],
    question: &Question<'_>,
    user: Option<&str>,
) -> Settings {
    let mut reading = Reading {
        question,
        host: question.alias.to_owned(),
        is_final: false,
        wants_final: false,
        settings: Settings {
            user: user.map(str::to_owned),
            ..Settings::default()
        },
    };
    reading.all(sources);
    if reading.wants_final {
        reading.host = reading.current_host();
        // The name is settled; it is no text with tokens any more.
        reading.settings.host_name = Some(reading.host.replace('%', "%%"));
        reading.is_final = true;
        reading.all(sources);
    }
    reading.settings
}

struct Reading<'a> {
    question: &'a Question<'a>,
    /// What `Host` lines are compared with.
    host: String,
    is_final: bool,
    wants_final: bool,
    settings: Settings,
}

impl Reading<'_> {
    fn all(&mut self, sources: &[Source]) {
        for source in sources {
            self.source(source, true, true);
        }
    }

    /// `may_match` is false inside of what an inactive block includes.
    fn source(&mut self, source: &Source, mut is_active: bool, may_match: bool) {
        for statement in &source.statements {
            match &statement.kind {
                Kind::Host(patterns) => is_active = may_match && self.is_host(patterns),
                Kind::Match(criteria) => {
                    let holds = self.holds(criteria, &source.name, statement.line);
                    is_active = may_match && holds;
                }
                Kind::Include(included) => {
                    for source in included {
                        self.source(source, is_active, is_active);
                    }
                }
                Kind::Setting {
                    keyword,
                    arguments,
                    rest,
                } if is_active => {
                    if let Err(why) = self.settings.take(keyword, arguments, rest) {
                        self.note(format!(
                            "{} line {}: {why}; it is skipped",
                            source.name, statement.line
                        ));
                    }
                }
                Kind::Setting { .. } => {}
            }
        }
    }

    fn is_host(&self, patterns: &[String]) -> bool {
        let mut is_covered = false;
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(pattern) if host_pattern::covers(pattern, &self.host) => return false,
                Some(_) => {}
                None => is_covered |= host_pattern::covers(pattern, &self.host),
            }
        }
        is_covered
    }

    fn holds(&mut self, criteria: &[Criterion], file: &str, line: usize) -> bool {
        let mut holds = true;
        for criterion in criteria {
            let is_met = self.is_met(criterion);
            if is_met.is_none() && holds {
                self.note(unknown(criterion, file, line));
            }
            holds &= is_met.is_some_and(|is_met| is_met != criterion.is_negated);
        }
        holds
    }

    /// `None` for what we do not find out.
    fn is_met(&mut self, criterion: &Criterion) -> Option<bool> {
        let list = criterion.argument.as_str();
        Some(match criterion.word.as_str() {
            "all" => true,
            "canonical" => self.is_final,
            "final" => {
                self.wants_final = true;
                self.is_final
            }
            "host" => host_pattern::list_covers_host(list, &self.current_host()),
            "originalhost" => host_pattern::list_covers_host(list, self.question.alias),
            "localuser" => host_pattern::list_covers(list, self.question.local_user),
            "user" => {
                let user = self.settings.user.as_deref();
                host_pattern::list_covers(list, user.unwrap_or(self.question.local_user))
            }
            _ => return None,
        })
    }

    /// The address that the settings so far lead to.
    fn current_host(&self) -> String {
        if self.is_final {
            return self.host.clone();
        }
        match &self.settings.host_name {
            Some(name) => tokens::host_name(name, self.question.alias),
            None => self.question.alias.to_owned(),
        }
    }

    fn note(&mut self, note: String) {
        if self.settings.notes.len() < 100 && !self.settings.notes.contains(&note) {
            self.settings.notes.push(note);
        }
    }
}

/// What is said about a condition that cannot be honoured.
pub(crate) fn unknown(criterion: &Criterion, file: &str, line: usize) -> String {
    match criterion.word.as_str() {
        "exec" => format!("{file} line {line}: `Match exec` is never run; its block is skipped"),
        word => {
            format!("{file} line {line}: `Match {word}` is not supported; its block is skipped")
        }
    }
}
