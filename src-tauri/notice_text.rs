//! The words of a notification about a run, in the system's language.

use runicorn_server::{RunEvent, RunNotice};

use crate::menu_text::MenuText;

/// What happened, as one sentence; the run's name stands above it.
pub(crate) fn of(notice: &RunNotice) -> String {
    in_words(notice, MenuText::of_system().is_chinese)
}

fn in_words(notice: &RunNotice, is_chinese: bool) -> String {
    let minutes = (notice.silent_secs.unwrap_or_default() / 60.0)
        .max(1.0)
        .round();
    let metric = plain(notice.metric.as_deref().unwrap_or_default());
    match (notice.event, is_chinese) {
        (RunEvent::Ended, _) => ended(notice.status.as_deref().unwrap_or_default(), is_chinese),
        (RunEvent::Failed, false) => "The run failed".to_owned(),
        (RunEvent::Failed, true) => "运行失败".to_owned(),
        (RunEvent::Stalled, false) => format!("Nothing was written for {minutes} min"),
        (RunEvent::Stalled, true) => format!("已有 {minutes} 分钟没有写入"),
        (RunEvent::NonFinite, false) => format!("{metric} is NaN or infinite"),
        (RunEvent::NonFinite, true) => format!("{metric} 为 NaN 或无穷"),
    }
}

fn ended(status: &str, is_chinese: bool) -> String {
    let words = match (status, is_chinese) {
        ("interrupted", false) => "The run was interrupted",
        ("interrupted", true) => "运行已被中断",
        (_, false) => "The run has finished",
        (_, true) => "运行已完成",
    };
    words.to_owned()
}

/// Some systems read the text of a notification as markup; a metric's name is anybody's.
fn plain(name: &str) -> String {
    name.replace(['<', '>', '&'], "·")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(event: RunEvent) -> RunNotice {
        RunNotice {
            run: "id".to_owned(),
            name: "net".to_owned(),
            event,
            status: Some("interrupted".to_owned()),
            metric: Some("<a href='x'>loss</a>&".to_owned()),
            silent_secs: Some(900.0),
        }
    }

    #[test]
    fn each_event_has_its_sentence_in_both_languages() {
        let check = |event, english: &str, chinese: &str| {
            let notice = notice(event);
            assert_eq!(in_words(&notice, false), english);
            assert_eq!(in_words(&notice, true), chinese);
        };
        check(RunEvent::Ended, "The run was interrupted", "运行已被中断");
        check(RunEvent::Failed, "The run failed", "运行失败");
        check(
            RunEvent::Stalled,
            "Nothing was written for 15 min",
            "已有 15 分钟没有写入",
        );
    }

    #[test]
    fn a_metric_can_bring_no_markup_into_a_notification() {
        let text = in_words(&notice(RunEvent::NonFinite), false);
        assert!(
            !text.contains(['<', '>', '&']) && text.contains("loss"),
            "{text}"
        );
    }
}
