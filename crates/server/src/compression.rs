//! Which answers are compressed: text that is long enough, never archives, images or what is compressed already.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, Predicate, predicate::SizeAbove};

/// Below this a compressed answer is hardly smaller.
const SMALLEST_BYTES: u64 = 1024;

/// Marks an answer that is not worth compressing: long rows of numbers, wanted at once.
#[derive(Clone, Copy)]
pub(crate) struct SentAsIs;

/// Compresses text at the fastest level: the network in between is loopback or a tunnel.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(SMALLEST_BYTES).and(is_text))
}

fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    if extensions.get::<SentAsIs>().is_some() {
        return false;
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    (essence.starts_with("text/") && essence != "text/event-stream")
        || matches!(
            essence,
            "application/json" | "application/javascript" | "image/svg+xml"
        )
}
