//! Whether a caller has what we would send: `If-None-Match` against our own tag, weak or not.

use axum::http::{HeaderMap, HeaderValue, header};

/// True when the request names `own`, or any answer at all.
pub(crate) fn is_known(request: &HeaderMap, own: &HeaderValue) -> bool {
    let own = bare(own.to_str().unwrap_or_default());
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|tag| tag.trim() == "*" || bare(tag.trim()) == own)
}

fn bare(tag: &str) -> &str {
    tag.trim_start_matches("W/")
}
