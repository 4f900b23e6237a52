//! A run as a page of text for people, in Markdown or HTML.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::export::ExportedRun;
use crate::metrics::RunMetrics;

/// Most metrics that a report lists.
const MAX_METRICS: usize = 2000;

/// One part of a report: a heading and a table.
struct Part {
    heading: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// The report of a run, as Markdown.
pub fn markdown_report(
    run: &ExportedRun,
    metrics: &RunMetrics,
    config: &Map<String, Value>,
) -> String {
    let mut text = format!("# {}\n", plain(&title(run)));
    for part in parts(run, metrics, config) {
        write!(text, "\n## {}\n\n", part.heading).unwrap_or_default();
        writeln!(text, "| {} |", part.head.join(" | ")).unwrap_or_default();
        writeln!(text, "|{}", " --- |".repeat(part.head.len())).unwrap_or_default();
        for row in part.rows {
            let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
            writeln!(text, "| {} |", cells.join(" | ")).unwrap_or_default();
        }
    }
    text
}

/// The report of a run, as one HTML page without scripts.
pub fn html_report(run: &ExportedRun, metrics: &RunMetrics, config: &Map<String, Value>) -> String {
    let title = escaped(&title(run));
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body><h1>{title}</h1>\n"
    );
    for part in parts(run, metrics, config) {
        write!(text, "<h2>{}</h2>\n<table>\n<tr>", part.heading).unwrap_or_default();
        for name in &part.head {
            write!(text, "<th>{name}</th>").unwrap_or_default();
        }
        text.push_str("</tr>\n");
        for row in part.rows {
            text.push_str("<tr>");
            for cell in row {
                write!(text, "<td>{}</td>", escaped(&cell)).unwrap_or_default();
            }
            text.push_str("</tr>\n");
        }
        text.push_str("</table>\n");
    }
    text.push_str("</body></html>\n");
    text
}

fn title(run: &ExportedRun) -> String {
    let id = run.row.id.as_str();
    run.row
        .alias
        .as_ref()
        .map_or_else(|| id.to_owned(), |alias| format!("{alias} ({id})"))
}

fn parts(run: &ExportedRun, metrics: &RunMetrics, config: &Map<String, Value>) -> Vec<Part> {
    let row = &run.row;
    let mut facts = vec![
        fact("Run", row.id.as_str()),
        fact("Path", &run.path),
        fact("Status", &row.status),
        fact("Created", &time(Some(row.created_at))),
        fact("Started", &time(row.started_at)),
        fact("Ended", &time(row.ended_at)),
        fact("Host", row.hostname.as_deref().unwrap_or_default()),
        fact("Tags", &row.tags.join(", ")),
    ];
    if let Some(name) = &row.best_metric_name {
        let value = row.best_metric_value.map(|value| value.to_string());
        facts.push(fact(
            "Best metric",
            &format!("{name} = {}", value.unwrap_or_default()),
        ));
    }
    facts.retain(|fact| fact.last().is_some_and(|value| !value.is_empty()));
    let measured = metrics.metrics.iter().take(MAX_METRICS).map(|metric| {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        vec![
            metric.name.clone(),
            metric.points.to_string(),
            number(metric.min),
            number(metric.max),
            number(metric.last),
        ]
    });
    let all = [
        Part {
            heading: "Run",
            head: vec!["", ""],
            rows: facts,
        },
        Part {
            heading: "Summary",
            head: vec!["Name", "Value"],
            rows: members(&run.summary),
        },
        Part {
            heading: "Metrics",
            head: vec!["Name", "Points", "Min", "Max", "Last"],
            rows: measured.collect(),
        },
        Part {
            heading: "Configuration",
            head: vec!["Name", "Value"],
            rows: members(config),
        },
    ];
    all.into_iter()
        .filter(|part| !part.rows.is_empty())
        .collect()
}

fn fact(name: &str, value: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_owned()]
}

fn members(object: &Map<String, Value>) -> Vec<Vec<String>> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    object
        .iter()
        .map(|(name, value)| vec![name.clone(), text(value)])
        .collect()
}

fn time(secs: Option<f64>) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole seconds of a date, saturating"
    )]
    let timestamp = secs.and_then(|secs| jiff::Timestamp::from_second(secs as i64).ok());
    timestamp
        .map(|timestamp| timestamp.to_string())
        .unwrap_or_default()
}

/// A text that stays a text within a Markdown table.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => plain.push(' '),
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '!' => plain.extend(['\\', letter]),
            other => plain.push(other),
        }
    }
    plain
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_a_report() {
        assert_eq!(plain("a|b\n<img>*[x](y)"), "a\\|b &lt;img>\\*\\[x\\](y)");
        assert_eq!(escaped("<script>\"&"), "&lt;script&gt;&quot;&amp;");
    }
}
