//! The words of the tray, in the system's language.

/// How many runs are running and how many failed since the window was looked at last.
pub(crate) fn counts(running: usize, failed: u64, is_chinese: bool) -> String {
    let words = match (running, is_chinese) {
        (0, false) => "No run is running".to_owned(),
        (1, false) => "1 run is running".to_owned(),
        (_, false) => format!("{running} runs are running"),
        (0, true) => "没有正在运行的实验".to_owned(),
        (_, true) => format!("{running} 个实验正在运行"),
    };
    match (failed, is_chinese) {
        (0, _) => words,
        (_, false) => format!("{words} · {failed} failed"),
        (_, true) => format!("{words} · {failed} 个失败"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_words_in_both_languages() {
        for (running, failed, english, chinese) in [
            (0, 0, "No run is running", "没有正在运行的实验"),
            (1, 0, "1 run is running", "1 个实验正在运行"),
            (
                12,
                3,
                "12 runs are running · 3 failed",
                "12 个实验正在运行 · 3 个失败",
            ),
        ] {
            assert_eq!(counts(running, failed, false), english);
            assert_eq!(counts(running, failed, true), chinese);
        }
    }
}
