//! What the window shows: the run list, a chart, what its keys do, and no way out of our own pages.

use std::fs;

use serde_json::{Value, json};

use crate::{
    driver::Driver,
    programs::wait_until,
    screen::Screen,
    x_window::{CONTROL, SHIFT, XWindow},
};

/// A finished run of the recorded root; its last `mAP` is 0.58.
const RUN: &str = "20250114_153045_a1b2c3";

#[tokio::test]
async fn the_real_window_shows_the_run_list_and_a_drawn_chart() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let origin = driver.run("return location.origin").await;
    let origin = origin.as_str().unwrap();
    let is_there = format!("return {LISTED}.length > 0");
    driver.wait_for("a list", &is_there).await;
    let told = answer(&format!("{origin}/api/run-list")).await;
    let mut runs: Vec<&Value> = told["rows"].as_array().unwrap().iter().collect();
    runs.sort_by(|one, other| began(other).total_cmp(&began(one)));
    let ids: Vec<&Value> = runs.iter().map(|run| &run[0]).collect();
    assert!(ids.len() > 5, "{ids:?}");
    let listed = format!(
        "const ids = {LISTED}; return ids.length >= {} && ids",
        ids.len()
    );
    assert_eq!(driver.wait_for("the list", &listed).await, json!(ids));

    driver.go(&format!("/run/{RUN}")).await;
    let drawn = driver
        .wait_for("a drawn chart with its last value", CHART)
        .await;
    assert!(drawn["coloured"].as_u64().unwrap() > 100, "{drawn}");
    let told = answer(&format!("{origin}/api/run-metrics/{RUN}")).await;
    let metrics = told["metrics"].as_array().unwrap();
    let metric = metrics
        .iter()
        .find(|metric| metric["name"] == "mAP")
        .unwrap();
    let numbers = ["points", "min", "max", "last"].map(|name| metric[name].as_f64());
    let drawn = drawn["says"].as_array().unwrap().iter();
    assert_eq!(drawn.map(Value::as_f64).collect::<Vec<_>>(), numbers);
    driver.end().await;
}

/// When the run of a row of the API's list began: members `started_at`, else `created_at`.
fn began(row: &Value) -> f64 {
    row[6].as_f64().or(row[5].as_f64()).unwrap()
}

/// The ids of the runs in the list, from top to bottom.
const LISTED: &str =
    "[...document.querySelectorAll('[role=row] a[href^=\"/run/\"]')].map((link) => link.title)";

async fn answer(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// The chart of `mAP`: its last recorded value in the head, how many of its pixels have a colour, and what it says in words.
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
    const words = card.querySelector('[aria-keyshortcuts]')?.getAttribute('aria-label') ?? '';
    const says = /^mAP: (.+) points drawn, from (.+) to (.+), last (.+)$/.exec(words)?.slice(1).map(Number);
    return coloured > 0 && says ? { coloured, says } : null;";

#[tokio::test]
async fn the_window_stays_on_our_own_pages_and_hands_links_to_the_browser() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let before = driver.run("return location.origin").await;
    for (name, target) in [("paper", ""), ("new", "_blank")] {
        driver.run(&format!("{LINK} link.href = 'https://example.invalid/{name}'; link.target = '{target}'; link.id = '{name}';")).await;
        driver.click(&format!("#{name}")).await;
    }
    // When the browser has both, the window has decided about both.
    screen.wait_until_opened("https://example.invalid/paper");
    screen.wait_until_opened("https://example.invalid/new");
    assert_eq!(driver.run("return location.origin").await, before);
    driver.end().await;
}

/// A link above everything else.
const LINK: &str = "
    const link = document.createElement('a');
    link.textContent = 'a link';
    Object.assign(link.style, { position: 'fixed', top: '0', left: '0', zIndex: '9999' });
    document.body.append(link);";

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

/// X key symbols.
const KEY_EQUALS: u32 = 0x3d;
const KEY_MINUS: u32 = 0x2d;
const KEY_0: u32 = 0x30;
const KEY_O: u32 = 0x6f;
const KEY_R: u32 = 0x72;

#[tokio::test]
async fn the_zoom_keys_work_and_the_zoom_is_kept_for_the_next_start() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let window = XWindow::titled(screen.display(), "Runicorn");
    let width = driver.run("return innerWidth").await.as_f64().unwrap();
    let is_narrower = format!("return innerWidth < {width} && innerWidth");
    window.type_key(&[CONTROL], KEY_EQUALS);
    let once = driver.wait_for("a larger page", &is_narrower).await;
    window.type_key(&[CONTROL], KEY_EQUALS);
    let is_narrower = format!("return innerWidth < {once} && innerWidth");
    let twice = driver.wait_for("a still larger page", &is_narrower).await;
    window.type_key(&[CONTROL], KEY_MINUS);
    driver
        .wait_for("a step back", &format!("return innerWidth === {once}"))
        .await;
    window.type_key(&[CONTROL], KEY_EQUALS);
    driver
        .wait_for("the step again", &format!("return innerWidth === {twice}"))
        .await;
    wait_until_kept(&screen, 1.21);
    driver.end().await;

    let driver = Driver::start(&screen).await;
    let is_kept = format!("return innerWidth < {once} && innerWidth");
    driver.wait_for("the kept zoom", &is_kept).await;
    XWindow::titled(screen.display(), "Runicorn").type_key(&[CONTROL], KEY_0);
    let is_plain = format!("return innerWidth > {once}");
    driver.wait_for("the actual size", &is_plain).await;
    wait_until_kept(&screen, 1.0);
    driver.end().await;
}

/// Waits until this zoom is noted; the page may be larger a moment earlier.
fn wait_until_kept(screen: &Screen, zoom: f64) {
    wait_until(&format!("zoom {zoom}"), || {
        let kept = fs::read(screen.state().join("desktop.json")).ok()?;
        let kept: Value = serde_json::from_slice(&kept).ok()?;
        let is_it = (kept["zoom"].as_f64()? - zoom).abs() < 1e-9;
        is_it.then_some(())
    });
}

#[tokio::test]
async fn keys_load_the_page_again_and_open_it_in_the_browser() {
    let screen = Screen::new();
    let driver = Driver::start(&screen).await;
    let window = XWindow::titled(screen.display(), "Runicorn");
    driver.run("window.isTheOldPage = true").await;
    window.type_key(&[CONTROL], KEY_R);
    let is_new = "return window.isTheOldPage === undefined && document.readyState === 'complete'";
    driver.wait_for("a new page", is_new).await;
    let address = driver.run("return location.origin").await;
    window.type_key(&[CONTROL, SHIFT], KEY_O);
    screen.wait_until_opened(&format!("{}/", address.as_str().unwrap()));
    driver.end().await;
}

#[tokio::test]
async fn a_start_on_a_missing_root_opens_the_window_and_shows_the_runs_when_it_comes() {
    let screen = Screen::new();
    let away = screen.root().with_extension("away");
    fs::rename(screen.root(), &away).unwrap();
    let driver = Driver::start(&screen).await;
    let says_so = "return document.querySelector('[role=alert]')?.innerText";
    driver.wait_for("what is missing", says_so).await;
    assert!(!screen.root().exists(), "a missing root was made");
    fs::rename(away, screen.root()).unwrap();
    let listed = "return document.querySelectorAll('[role=rowgroup] [role=row]').length > 0";
    driver.wait_for("the runs", listed).await;
    driver.end().await;
}
