//! The page, embedded. The UI build writes a `.br` and a `.gz` beside each text file; the smallest that the browser takes is
//! sent, and a viewer that travels has only the `.gz`. Hashed files under `assets/` never change; everything else is checked by
//! its `ETag`. A path that is no file is the page itself (it has its own routes), but only for a browser that wants a page.

use std::borrow::Cow;
use std::io::Read;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use rust_embed::RustEmbed;

use crate::error::ApiError;
use crate::router;

/// The built UI. In a debug build the files are read from disk, so a new UI needs no new server.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[cfg_attr(not(feature = "docs"), exclude = "redoc*")]
// Gzip is enough for a page that is looked at through a tunnel, and the viewer travels.
#[cfg_attr(not(feature = "hosts"), exclude = "*.br")]
#[cfg_attr(not(feature = "hosts"), exclude = "*.js")]
#[cfg_attr(not(feature = "hosts"), exclude = "*.css")]
#[cfg_attr(not(feature = "hosts"), exclude = "*.svg")]
#[cfg_attr(not(feature = "hosts"), exclude = "*.html")]
struct Ui;

/// Encodings that the UI build writes, best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// A file of the build.
struct UiFile {
    bytes: Cow<'static, [u8]>,
    sha256: [u8; 32],
}

/// Finds a file by its name in the build.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<UiFile>;

fn embedded(name: &str) -> Option<UiFile> {
    let file = Ui::get(name)?;
    Some(UiFile {
        sha256: file.metadata.sha256_hash(),
        bytes: file.data,
    })
}

/// True when the build has this file.
#[cfg(feature = "docs")]
pub(crate) fn exists(name: &str) -> bool {
    Ui::get(name).is_some()
}

/// The file of a path, or the page for a browser, or 404.
pub(crate) fn answer(request: &Request) -> Response {
    answer_from(&embedded, request)
}

fn answer_from(lookup: Lookup<'_>, request: &Request) -> Response {
    let name = request.uri().path().trim_start_matches('/');
    let is_side_file = ENCODINGS.iter().any(|(_, ending)| name.ends_with(ending));
    if !name.is_empty() && !is_side_file && is_known(lookup, name) {
        return send(lookup, name, request.headers());
    }
    if name.is_empty() || accepts_html(request.headers()) {
        return send(lookup, "index.html", request.headers());
    }
    router::unknown(request.method()).into_response()
}

fn is_known(lookup: Lookup<'_>, name: &str) -> bool {
    let mut forms = ENCODINGS
        .iter()
        .map(|(_, ending)| format!("{name}{ending}"));
    lookup(name).is_some() || forms.any(|form| lookup(&form).is_some())
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn send(lookup: Lookup<'_>, name: &str, asked: &HeaderMap) -> Response {
    let Some((file, encoding)) = smallest(lookup, name, asked) else {
        return ApiError::unknown_route().into_response();
    };
    let tag = entity_tag(&file);
    let is_known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.bytes.into_response()
    };
    describe(response.headers_mut(), name, encoding, &tag);
    response
}

fn describe(headers: &mut HeaderMap, name: &str, encoding: Option<&'static str>, tag: &str) {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = match (kind.type_().as_str(), kind.subtype().as_str()) {
        ("text", _) => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let caching = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    for (key, value) in [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, caching),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(key, value);
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
}

fn smallest(
    lookup: Lookup<'_>,
    name: &str,
    asked: &HeaderMap,
) -> Option<(UiFile, Option<&'static str>)> {
    let accepted = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    for (encoding, ending) in ENCODINGS {
        if !takes(accepted.unwrap_or_default(), encoding) {
            continue;
        }
        if let Some(file) = lookup(&format!("{name}{ending}")) {
            return Some((file, Some(encoding)));
        }
    }
    lookup(name)
        .or_else(|| unpacked(&lookup(&format!("{name}.gz"))?))
        .map(|file| (file, None))
}

/// What a file holds of which only the gzip form is at hand.
fn unpacked(packed: &UiFile) -> Option<UiFile> {
    let mut bytes = Vec::new();
    GzDecoder::new(&*packed.bytes)
        .read_to_end(&mut bytes)
        .ok()?;
    let mut sha256 = packed.sha256;
    // Another form, another tag.
    sha256[0] ^= 0xff;
    Some(UiFile {
        bytes: bytes.into(),
        sha256,
    })
}

/// `gzip, br;q=0` takes gzip and refuses br.
fn takes(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some(encoding)
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn entity_tag(file: &UiFile) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in file.sha256.iter().take(12) {
        // Writing to a string cannot fail.
        write!(tag, "{byte:02x}").unwrap_or_default();
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_as_taken_unless_its_weight_is_zero() {
        assert!(takes("gzip, deflate, br", "br"));
        assert!(takes("br;q=0.5", "br"));
        assert!(!takes("gzip, br;q=0", "br"));
        assert!(!takes("brotli", "br"));
        assert!(!takes("", "gzip"));
    }

    const FILES: [(&str, &str); 5] = [
        ("index.html", "<html>page</html>"),
        ("assets/app-1a2b.js", "a long script"),
        ("assets/app-1a2b.js.br", "br"),
        ("assets/app-1a2b.js.gz", "gz"),
        ("icon.svg", "<svg/>"),
    ];

    fn built(name: &str) -> Option<UiFile> {
        let position = FILES.iter().position(|(file, _)| *file == name)?;
        Some(UiFile {
            bytes: Cow::Borrowed(FILES[position].1.as_bytes()),
            sha256: [u8::try_from(position).unwrap(); 32],
        })
    }

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = answer_from(&built, &request);
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        (parts.status.as_u16(), parts.headers, text)
    }

    #[tokio::test]
    async fn a_script_is_sent_in_the_smallest_form_that_the_browser_takes_and_kept_for_ever() {
        for (accepted, body, encoding) in [
            ("gzip, deflate, br", "br", Some("br")),
            ("gzip", "gz", Some("gzip")),
            ("br;q=0, gzip", "gz", Some("gzip")),
            ("", "a long script", None),
        ] {
            let (status, headers, text) =
                ask("/assets/app-1a2b.js", &[("accept-encoding", accepted)]).await;
            assert_eq!((status, text.as_str()), (200, body), "{accepted}");
            let found = headers
                .get("content-encoding")
                .map(|value| value.to_str().unwrap());
            assert_eq!(found, encoding, "{accepted}");
            assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
            assert_eq!(
                headers["cache-control"],
                "public, max-age=31536000, immutable"
            );
            assert_eq!(headers["vary"], "accept-encoding");
        }
    }

    #[tokio::test]
    async fn a_file_of_which_only_the_gzip_form_travels_is_unpacked_for_who_does_not_take_it() {
        let packed = |name: &str| -> Option<UiFile> {
            (name == "assets/app-1a2b.js.gz").then(|| {
                let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut to, b"a long script").unwrap();
                UiFile {
                    bytes: Cow::Owned(to.finish().unwrap()),
                    sha256: [7; 32],
                }
            })
        };
        let ask = |accepted: &'static str| {
            let request = Request::builder()
                .uri("/assets/app-1a2b.js")
                .header("accept-encoding", accepted)
                .body(axum::body::Body::empty())
                .unwrap();
            answer_from(&packed, &request)
        };
        let plain = ask("identity");
        assert_eq!(plain.headers().get("content-encoding"), None);
        let zipped = ask("gzip");
        assert_eq!(zipped.headers()["content-encoding"], "gzip");
        assert_ne!(plain.headers()["etag"], zipped.headers()["etag"]);
        let body = axum::body::to_bytes(plain.into_body(), 10_000)
            .await
            .unwrap();
        assert_eq!(&*body, b"a long script");
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        let (_, headers, _) = ask("/", &[]).await;
        assert_eq!(headers["cache-control"], "no-cache");
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let (status, headers, text) =
            ask("/", &[("if-none-match", &format!("\"x\", {tag}"))]).await;
        assert_eq!((status, text.as_str()), (304, ""));
        assert_eq!(headers["etag"], tag.as_str());
        assert_eq!(ask("/", &[("if-none-match", "\"other\"")]).await.0, 200);
    }

    #[tokio::test]
    async fn an_unknown_path_is_the_page_for_a_browser_and_json_for_a_program() {
        let (status, headers, text) = ask("/runs/x", &[("accept", "text/html,*/*")]).await;
        assert_eq!((status, text.as_str()), (200, "<html>page</html>"));
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        let (status, headers, _) = ask("/runs/x", &[("accept", "*/*")]).await;
        assert_eq!(
            (status, headers["content-type"].to_str().unwrap()),
            (404, "application/json")
        );
        assert_eq!(ask("/assets/app-1a2b.js.br", &[]).await.0, 404);
        assert_eq!(ask("/../secret", &[]).await.0, 404);
    }
}
