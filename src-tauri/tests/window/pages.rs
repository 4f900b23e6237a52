//! What the window shows: the run list, a chart, and no way out of our own pages.

use crate::{driver::Driver, screen::Screen};

/// A finished run of the recorded root; its last `mAP` is 0.58.
const RUN: &str = "20250114_153045_a1b2c3";

#[tokio::test]
async fn the_real_window_shows_the_run_list_and_a_drawn_chart() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let ending = &RUN[RUN.len() - 6..];
    let listed = format!(
        "return [...document.querySelectorAll('[role=row]')].some((row) => row.innerText.includes('{ending}'))"
    );
    driver.wait_for("the run in the list", &listed).await;
    driver.go(&format!("/run/{RUN}")).await;
    let drawn = driver
        .wait_for("a drawn chart with its last value", CHART)
        .await;
    assert!(drawn["coloured"].as_u64().unwrap() > 100, "{drawn}");
    driver.end().await;
}

/// The chart of `mAP`: its last recorded value in the head, and how many of its pixels have a colour.
const CHART: &str = "
    const card = document.querySelector('article[data-metric=\"mAP\"]');
    card?.scrollIntoView();
    const canvas = card?.querySelector('canvas');
    if (!canvas || !card.innerText.includes('0.58')) return null;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let coloured = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue, alpha] = pixels.slice(at, at + 4);
      if (alpha > 0 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured += 1;
    }
    return coloured > 0 ? { coloured } : null;";

#[tokio::test]
async fn the_window_stays_on_our_own_pages_and_hands_links_to_the_browser() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let before = driver.run("return location.origin").await;
    driver.run("const link = document.createElement('a'); link.href = 'https://example.invalid/paper'; document.body.append(link); link.click();").await;
    driver.run("const link = document.createElement('a'); link.href = 'https://example.invalid/new'; link.target = '_blank'; document.body.append(link); link.click();").await;
    assert_eq!(driver.run("return location.origin").await, before);
    assert!(screen.opened().contains("https://example.invalid/paper"));
    driver.end().await;
}

/// The window's language here is that of `LANG=C.UTF-8`.
#[tokio::test]
async fn a_plain_c_locale_is_a_language_that_the_page_can_use() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let number = "return new Intl.NumberFormat(navigator.language).format(1234.5)";
    assert_eq!(driver.run(number).await, "1,234.5");
    driver.end().await;
}

#[tokio::test]
async fn the_page_has_no_tauri_commands() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    for command in [
        "plugin:window|close",
        "plugin:window-state|save_window_state",
        "plugin:event|listen",
        "anything",
    ] {
        let answer = driver
            .settle(&format!(
                "window.__TAURI_INTERNALS__.invoke('{command}', {{}})"
            ))
            .await;
        assert!(answer.get("refused").is_some(), "{command}: {answer}");
    }
    driver.end().await;
}
