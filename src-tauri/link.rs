//! Links of our own: `runicorn://run/<id>?tab=logs` in a chat, a mail or a terminal opens that view in the window.
//!
//! A link only ever shows a view, because that is all an address of the page can say: no member of its query does anything,
//! and a machine that is not connected waits for a person. Only addresses of pages that we know pass, put together anew
//! from what was read, so that a link can name no other place. Everything else is refused, and the window stays as it is.

use std::sync::{Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tauri::{AppHandle, Manager};

use crate::window;

/// What all our links begin with; `tauri.conf.json` registers it with the system.
const SCHEME: &str = "runicorn://";

/// A comparison of a thousand runs fits.
const LIMIT_BYTES: usize = 32 * 1024;

/// No name of a run or a machine is longer.
const NAME_LIMIT_BYTES: usize = 512;

/// What stands in an address as it is, in a name and in a value.
const IN_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

/// The view of the newest link, while there is no window yet that could show it.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Option<String>>);

impl Waiting {
    /// The view that the window begins with, when it was started with a link.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, view: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(view);
    }
}

/// Shows what a link says, at once or as soon as there is a window. A refused link is a line in the log.
pub(crate) fn follow(app: &AppHandle, link: &str) {
    match view_of(link) {
        Ok(view) if app.get_webview_window(window::LABEL).is_some() => {
            window::show_view(app, &view);
        }
        Ok(view) => app.state::<Waiting>().put(view),
        Err(reason) => {
            let begin: String = link.chars().take(80).collect();
            tracing::warn!(reason, link = ?begin, "a link is not followed");
        }
    }
}

/// The address of a run's page.
pub(crate) fn view_of_run(id: &str) -> String {
    format!("/run/{}", encoded(id))
}

/// The address inside our page that a link names, or why it is refused.
fn view_of(link: &str) -> Result<String, &'static str> {
    if link.len() > LIMIT_BYTES {
        return Err("it is too long");
    }
    if !link.bytes().all(|byte| byte.is_ascii_graphic()) || link.contains(['\\', '#', '"']) {
        return Err("it has letters that an address cannot have");
    }
    // systems change the case of a scheme
    let rest = match link.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => return Err("it is none of ours"),
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // browsers end a name that stands alone with a slash
    let path = path.strip_suffix('/').unwrap_or(path);
    let names = if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').map(name).collect::<Result<_, _>>()?
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let page = page_at(&names).ok_or("no page has this address")?;
    Ok(page + &members(query)?)
}

/// One name of a path.
fn name(written: &str) -> Result<String, &'static str> {
    let name = decoded(written)?;
    let is_plain = !name.contains(['/', '\\']) && !matches!(name.as_str(), "" | "." | "..");
    if is_plain && name.len() <= NAME_LIMIT_BYTES {
        Ok(name)
    } else {
        Err("it has a name that no run and no machine has")
    }
}

/// The pages of `ui/src/state/places.ts`, here and on another machine.
fn page_at(names: &[&str]) -> Option<String> {
    match names {
        ["at", machine, page @ ..] => Some(format!("/at/{}{}", encoded(machine), page_here(page)?)),
        page => page_here(page),
    }
}

fn page_here(names: &[&str]) -> Option<String> {
    match names {
        [] => Some("/runs".to_owned()),
        ["run", id] => Some(view_of_run(id)),
        [
            page @ ("runs" | "compare" | "assets" | "gpus" | "hosts" | "recycle-bin" | "settings"),
        ] => Some(format!("/{page}")),
        _ => None,
    }
}

/// The query, put together anew.
fn members(query: &str) -> Result<String, &'static str> {
    let mut members = String::new();
    for written in query.split('&').filter(|written| !written.is_empty()) {
        let (name, value) = written.split_once('=').unwrap_or((written, ""));
        let [name, value] = [decoded(name)?, decoded(&value.replace('+', " "))?];
        members.push(if members.is_empty() { '?' } else { '&' });
        members.extend([encoded(&name).as_str(), "=", encoded(&value).as_str()]);
    }
    Ok(members)
}

fn decoded(written: &str) -> Result<String, &'static str> {
    let escapes = written.split('%').skip(1);
    let mut digits = escapes.map(|rest| rest.as_bytes().get(..2));
    if !digits.all(|pair| pair.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))) {
        return Err("it has a broken escape");
    }
    match percent_decode_str(written).decode_utf8() {
        Ok(text) if !text.contains(char::is_control) => Ok(text.into_owned()),
        _ => Err("it has letters that no name has"),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, IN_NAME).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_each_page_is_its_address() {
        for (link, view) in [
            ("runicorn://", "/runs"),
            ("runicorn:///", "/runs"),
            (
                "runicorn://runs/?q=status%3Afailed",
                "/runs?q=status:failed",
            ),
            (
                "RUNICORN://run/20250114_153045_a1b2c3",
                "/run/20250114_153045_a1b2c3",
            ),
            (
                "runicorn://run/my%20run?tab=logs&line=7",
                "/run/my%20run?tab=logs&line=7",
            ),
            (
                "runicorn://run/%E9%81%8B%E8%A1%8C",
                "/run/%E9%81%8B%E8%A1%8C",
            ),
            (
                "runicorn://compare?runs=a,b%252Cc",
                "/compare?runs=a%2Cb%252Cc",
            ),
            ("runicorn://assets?kind=dataset", "/assets?kind=dataset"),
            ("runicorn://gpus/", "/gpus"),
            ("runicorn://hosts", "/hosts"),
            ("runicorn://recycle-bin", "/recycle-bin"),
            (
                "runicorn://settings?section=about",
                "/settings?section=about",
            ),
            ("runicorn://at/ssh:gpu-03/run/a", "/at/ssh:gpu-03/run/a"),
            (
                "runicorn://at/recent:me@10.0.0.7:22",
                "/at/recent:me@10.0.0.7:22/runs",
            ),
            ("runicorn://at/all/runs?q=a+b", "/at/all/runs?q=a%20b"),
        ] {
            assert_eq!(view_of(link).as_deref(), Ok(view), "{link}");
        }
    }

    #[test]
    fn a_link_that_names_anything_but_a_view_is_refused() {
        let huge = format!("runicorn://run/{}", "a".repeat(LIMIT_BYTES));
        let long = format!("runicorn://run/{}", "a".repeat(NAME_LIMIT_BYTES + 1));
        for link in [
            huge.as_str(),
            long.as_str(),
            "",
            "runicorn:",
            "runicorn:run/a",
            "runicorn:/run/a",
            "https://evil.example/run/a",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "runicorn://api/runs",
            "runicorn://docs",
            "runicorn://run",
            "runicorn://run/a/b",
            "runicorn://run/",
            "runicorn:////evil.example/run/a",
            "runicorn:///run/a",
            "runicorn://evil.example/run/a",
            "runicorn://me@evil.example/run/a",
            "runicorn://me:secret@run/a",
            "runicorn://run:80/a",
            "runicorn://run/..",
            "runicorn://run/%2e%2e",
            "runicorn://run/../api/runs",
            "runicorn://run/a%2f..%2fapi",
            "runicorn://run/a%2Fb",
            "runicorn://run/a%5Cb",
            "runicorn://run/a\\b",
            "runicorn://run//a",
            "runicorn://runs//",
            "runicorn://at/x/at/y/runs",
            "runicorn://at/x/api/runs",
            "runicorn://at/../runs",
            "runicorn://at/%2f%2fevil.example/runs",
            "runicorn://at/",
            "runicorn://run/a%00",
            "runicorn://run/a\0",
            "runicorn://run/a%0d%0aHost:%20evil",
            "runicorn://run/a%",
            "runicorn://run/a%2",
            "runicorn://run/a%zz",
            "runicorn://run/a%ff",
            "runicorn://run/a b",
            "runicorn://run/a\" --storage \"x",
            "runicorn://run/\u{202e}a",
            "runicorn://runs?q=%00",
            "runicorn://runs?q=a#javascript:alert(1)",
            " runicorn://runs",
            "runicorn://RUNS",
        ] {
            assert!(view_of(link).is_err(), "{link} → {:?}", view_of(link));
        }
    }

    #[test]
    fn what_a_link_says_stays_inside_its_name_or_its_member() {
        for (link, view) in [
            (
                "runicorn://run/javascript:alert(1)",
                "/run/javascript:alert%281%29",
            ),
            ("runicorn://run/%252e%252e", "/run/%252e%252e"),
            ("runicorn://run/a%3Fq=1%23x", "/run/a%3Fq%3D1%23x"),
            ("runicorn://run/%27);alert(1)//", "runicorn://run/…"),
            (
                "runicorn://runs?q=%26root=%2Fetc",
                "/runs?q=%26root%3D%2Fetc",
            ),
            (
                "runicorn://runs?q=';alert(1);'",
                "/runs?q=%27%3Balert%281%29%3B%27",
            ),
            (
                "runicorn://runs?q=//evil.example",
                "/runs?q=%2F%2Fevil.example",
            ),
        ] {
            match view_of(link) {
                Ok(found) => assert_eq!(found, view, "{link}"),
                Err(_) => assert!(view.ends_with('…'), "{link}"),
            }
        }
    }

    /// The bundler's own entry starts the app without saying which link was opened.
    #[test]
    fn installers_register_the_scheme_and_hand_the_link_over() {
        let config: serde_json::Value =
            serde_json::from_str(include_str!("../tauri.conf.json")).unwrap();
        let schemes = &config["plugins"]["deep-link"]["desktop"]["schemes"];
        assert_eq!(schemes, &serde_json::json!(["runicorn"]));
        for package in ["deb", "rpm"] {
            let template = &config["bundle"]["linux"][package]["desktopTemplate"];
            assert_eq!(template, "src-tauri/runicorn.desktop");
        }
        let entry = include_str!("runicorn.desktop");
        assert!(entry.lines().any(|line| line == "Exec={{exec}} %u"));
        assert!(entry.lines().any(|line| line == "MimeType={{mime_type}}"));
    }
}
