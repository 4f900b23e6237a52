//! Long answers that are made once for each state of a list: their bytes, plain and compressed, and their `ETag`.
//!
//! A list of ten thousand runs is three megabytes of JSON. While nothing changes, asking again costs a comparison of two tags,
//! or one copy of bytes that are ready.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use parking_lot::Mutex;

use crate::etags;

/// Below this a compressed answer is hardly smaller.
const WORTH_COMPRESSING_BYTES: usize = 1024;

/// The answers that are ready, one of each kind.
#[derive(Default)]
pub(crate) struct ListAnswers(Mutex<HashMap<&'static str, Arc<ListAnswer>>>);

/// One answer.
pub(crate) struct ListAnswer {
    state: String,
    etag: HeaderValue,
    body: Bytes,
    compressed: OnceLock<Bytes>,
}

impl ListAnswers {
    /// The answer of a kind for a state of what it is made of; made anew when the last one was for another state.
    pub(crate) fn get(
        &self,
        kind: &'static str,
        state: String,
        make: impl FnOnce() -> Vec<u8>,
    ) -> Arc<ListAnswer> {
        if let Some(ready) = self.0.lock().get(kind).filter(|ready| ready.state == state) {
            return Arc::clone(ready);
        }
        let answer = Arc::new(ListAnswer::new(state, make()));
        self.0.lock().insert(kind, Arc::clone(&answer));
        answer
    }
}

impl ListAnswer {
    /// An answer from its bytes.
    pub(crate) fn new(state: String, body: Vec<u8>) -> Self {
        let etag = format!("W/\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(&body));
        Self {
            state,
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("W/\"\"")),
            body: body.into(),
            compressed: OnceLock::new(),
        }
    }

    /// The response: 304 when the caller has it, compressed when the caller can read that.
    pub(crate) fn respond(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if etags::is_known(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let body = if self.body.len() > WORTH_COMPRESSING_BYTES && reads_gzip(request) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.compressed.get_or_init(|| gzip(&self.body)).clone()
        } else {
            self.body.clone()
        };
        *response.body_mut() = Body::from(body);
        response
    }
}

/// Whether the caller takes gzip; one that rules it out by `q=0` does not.
fn reads_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT_ENCODING).iter();
    let mut accepted = accepted
        .filter_map(|codings| codings.to_str().ok())
        .flat_map(|codings| codings.split(','));
    accepted.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let refused = |part: &str| {
            part.strip_prefix("q=")
                .is_some_and(|q| q.trim().parse() == Ok(0.0))
        };
        parts.next() == Some("gzip") && !parts.any(refused)
    })
}

fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.map_or_else(|_| Bytes::new(), Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn an_answer_is_made_once_for_a_state() {
        let answers = ListAnswers::default();
        let first = answers.get("runs", "1".to_owned(), || b"[1]".to_vec());
        let again = answers.get("runs", "1".to_owned(), || panic!("made twice"));
        assert!(Arc::ptr_eq(&first, &again));
        let next = answers.get("runs", "2".to_owned(), || b"[2]".to_vec());
        assert_ne!(first.etag, next.etag);
    }

    #[test]
    fn a_caller_that_has_it_gets_304() {
        let answer = ListAnswer::new(String::new(), b"[]".to_vec());
        let etag = answer.etag.to_str().unwrap().to_owned();
        for known in [
            etag.as_str(),
            etag.trim_start_matches("W/"),
            "*",
            &format!("\"x\", {etag}"),
        ] {
            let response = answer.respond(&headers(header::IF_NONE_MATCH, known));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(
            answer
                .respond(&headers(header::IF_NONE_MATCH, "\"x\""))
                .status(),
            StatusCode::OK
        );
    }

    #[test]
    fn gzip_is_sent_to_those_who_read_it() {
        assert!(reads_gzip(&headers(
            header::ACCEPT_ENCODING,
            "br, gzip;q=0.5"
        )));
        for other in ["br", "", "gzip;q=0", "gzip; q=0.0", "identity"] {
            assert!(
                !reads_gzip(&headers(header::ACCEPT_ENCODING, other)),
                "{other}"
            );
        }
    }
}
