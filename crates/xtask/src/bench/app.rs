//! What a person waits for: the window, and a new point on the screen.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{ChildStderr, ChildStdout, Stdio},
};

use anyhow::{Context, Result};

use super::{
    memory,
    table::{Goal, Row},
};
use crate::{
    places,
    programs::{self, capture, program},
    ui,
    viewer::folders_below,
};

/// Opens the window on the same root, and draws a growing run in a browser.
pub(super) fn rows(root: &Path) -> Result<Vec<Row>> {
    if !cfg!(target_os = "linux") {
        return Ok(Vec::new());
    }
    let (_, _) = open(root)?; // The first start indexes the root and warms the webview's files.
    let (painted, memory_mb) = open(root)?;
    let drawn = write_to_pixel()?;
    Ok(vec![
        Row::seconds(
            "window open to run list painted",
            Some(painted),
            Goal::Seconds(1.0),
        ),
        Row::figure(
            "app idle, without WebKit",
            memory_mb,
            "MB",
            Goal::AtMost(150.0),
        ),
        Row::seconds("file write to pixel", Some(drawn), Goal::Seconds(0.3)),
    ])
}

/// One start of the app on a display without a screen: seconds from its start to the painted list, and its own memory.
fn open(root: &Path) -> Result<(f64, f64)> {
    let home = places::target().join("bench/app-home");
    fs::create_dir_all(&home)?;
    let mut child = program("xvfb-run")
        .args(["--auto-servernum", "--", "dbus-run-session", "--"])
        .arg(places::built("release", "runicorn-desktop"))
        .args(["--port", "0", "--storage"])
        .arg(root)
        .envs(folders_below(&home))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not start xvfb-run")?;
    let (out, err) = (
        child.stdout.take().context("no output")?,
        child.stderr.take().context("no output")?,
    );
    let measured = measure(out, err);
    if let Ok((id, _, _)) = measured {
        programs::run(program("kill").arg(id.to_string()))?;
    } else {
        child.kill()?;
    }
    child.wait()?;
    let (_, painted, memory_mb) = measured?;
    Ok((painted, memory_mb))
}

/// The app's id, seconds until the list was painted, and megabytes of its own.
fn measure(out: ChildStdout, err: ChildStderr) -> Result<(u32, f64, f64)> {
    let ready = BufReader::new(out)
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("\"ready\":true"));
    let id: u32 =
        number_after(&ready.context("the app did not start")?, "\"pid\":").context("no pid")?;
    let painted = BufReader::new(err)
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("the first page stands"));
    let millis: f64 = number_after(&painted.context("the app painted nothing")?, "after_millis")
        .context("no time")?;
    Ok((id, millis / 1e3, memory::without_webkit_mb(id)?))
}

/// The number that follows a name, whatever marks stand between them.
pub(super) fn number_after<N: std::str::FromStr>(line: &str, name: &str) -> Option<N> {
    let plain = without_colours(line.split_once(name)?.1);
    let digits: String = plain
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.parse().ok()
}

fn without_colours(text: &str) -> String {
    text.split('\u{1b}')
        .enumerate()
        .map(|(at, part)| {
            if at == 0 {
                part
            } else {
                part.split_once('m').map_or("", |(_, rest)| rest)
            }
        })
        .collect()
}

/// Seconds from a row written to a live run to its value on the page, as a browser shows it; the median of several.
fn write_to_pixel() -> Result<f64> {
    let mut script = ui::npm(&["run", "--silent", "write-to-pixel"]);
    script.env(
        "RUNICORN_VIEWER",
        places::built("release", "runicorn-viewer"),
    );
    let said = capture(&mut script)?;
    number_after::<f64>(&said, "median_millis")
        .map(|millis| millis / 1e3)
        .with_context(|| format!("no time in: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_between_colours() {
        let line =
            "\u{1b}[2mpainted\u{1b}[0m \u{1b}[3mafter_millis\u{1b}[0m\u{1b}[2m=\u{1b}[0m1386";
        assert_eq!(number_after::<u32>(line, "after_millis"), Some(1386));
        assert_eq!(number_after::<u32>("{\"pid\":77,", "\"pid\":"), Some(77));
        assert_eq!(
            number_after::<f64>("x_millis=1.25 all=2", "x_millis"),
            Some(1.25)
        );
    }
}
