//! Which header lines go over and which come back.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Lines that speak about one connection only, or about this machine.
const NEVER_SENT: [&str; 18] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // We are the one who says "go on".
    "expect",
    "cookie",
    "origin",
    "referer",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Lines that speak about one connection only, or that would change what the browser thinks of `localhost`.
const NEVER_RETURNED: [&str; 14] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "set-cookie",
    "set-cookie2",
    "clear-site-data",
    "strict-transport-security",
    "alt-svc",
];

/// The protocol that a request wants to change to.
pub(super) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_asked = named_in_connection(headers).any(|name| name == header::UPGRADE);
    headers.get(header::UPGRADE).filter(|_| is_asked).cloned()
}

/// Leaves what the far side may see.
pub(super) fn keep_what_goes_over(headers: &mut HeaderMap) {
    drop_all(headers, &NEVER_SENT);
}

/// Leaves what the client may see. Whoever may read the answer across origins is said by our own guard.
pub(super) fn keep_what_comes_back(headers: &mut HeaderMap) {
    drop_all(headers, &NEVER_RETURNED);
    let cors: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in cors {
        headers.remove(name);
    }
}

/// Says on both ends that the connection changes its protocol.
pub(super) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

fn drop_all(headers: &mut HeaderMap, names: &[&'static str]) {
    let named: Vec<HeaderName> = named_in_connection(headers).collect();
    for name in named {
        headers.remove(name);
    }
    for name in names {
        headers.remove(*name);
    }
}

/// The lines that `Connection` calls its own. `Content-Length` and `Host` are never among them, whatever it says.
fn named_in_connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| name != header::CONTENT_LENGTH && name != header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn lines_of_one_connection_and_of_this_machine_do_not_go_over() {
        let mut lines = headers(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("cookie", "jupyter=1"),
            ("origin", "http://localhost:8080"),
            ("expect", "100-continue"),
            ("x-forwarded-for", "1.2.3.4"),
            ("accept", "*/*"),
            ("content-length", "3"),
        ]);
        keep_what_goes_over(&mut lines);
        let left: Vec<_> = lines.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["accept", "content-length"]);
    }

    #[test]
    fn no_cookie_and_no_cors_of_the_far_side_comes_back() {
        let mut lines = headers(&[
            ("set-cookie", "a=1"),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("clear-site-data", "\"cookies\""),
            ("etag", "\"x\""),
        ]);
        keep_what_comes_back(&mut lines);
        let left: Vec<_> = lines.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["etag"]);
    }

    #[test]
    fn an_upgrade_needs_both_lines() {
        let both = headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ]);
        assert_eq!(wanted_upgrade(&both).unwrap(), "websocket");
        assert!(wanted_upgrade(&headers(&[("upgrade", "h2c")])).is_none());
        assert!(wanted_upgrade(&headers(&[("connection", "upgrade")])).is_none());
    }

    #[test]
    fn the_length_cannot_be_called_a_line_of_the_connection() {
        let mut lines = headers(&[("connection", "content-length"), ("content-length", "3")]);
        keep_what_goes_over(&mut lines);
        assert!(lines.contains_key("content-length"));
    }
}
