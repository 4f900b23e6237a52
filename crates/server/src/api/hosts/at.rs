//! The API of a viewer on another machine, under our own origin, so that the page can show any machine in one window.
//!
//! What comes from there is a stranger's: it must never run as our page. Only `/api/` is passed on, with the few header lines
//! that such calls need, no cookies either way, and answers that a browser could run become plain text to be saved.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::StreamExt;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::forwarding::Place;
use crate::seen_lists::{Packing, SENT_LIMIT_BYTES};
use crate::validate::UrlPath;

/// Header lines of a call that go over.
const SENT: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
    header::USER_AGENT,
];

/// Header lines of an answer that come back.
const RETURNED: [HeaderName; 13] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_DISPOSITION,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::CACHE_CONTROL,
    header::ETAG,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
    header::ALLOW,
    header::VARY,
    header::DATE,
];

/// Of a WebSocket, both ways.
const OF_SOCKETS: [&str; 7] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
];

/// Rooms of the far side that nobody enters through us: its own other machines, and its desktop.
const CLOSED_ROOMS: [&str; 4] = ["hosts", "remote", "desktop", "ssh"];

const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/api/hosts/{session_id}/at/{*path}", any(pass_on))
}

/// `ANY /api/hosts/{session_id}/at/api/…`, `WebSocket`s too.
async fn pass_on(
    State(app): State<App>,
    UrlPath((session_id, _)): UrlPath<(String, String)>,
    request: Request,
) -> Response {
    match call(&app, &session_id, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn call(app: &App, session_id: &str, mut request: Request) -> ApiResult<Response> {
    let target = far_uri(request.uri(), session_id).ok_or_else(ApiError::unknown_route)?;
    let Some((far_side, place)) = app.ports().far_side(session_id) else {
        app.remote().session(session_id)?;
        return Err(not_open());
    };
    let is_run_list = target.path() == "/api/run-list";
    *request.uri_mut() = target;
    let is_socket = request.headers().contains_key(header::UPGRADE);
    keep(request.headers_mut(), &SENT, is_socket);
    request
        .headers_mut()
        .insert(header::HOST, HeaderValue::from_static("localhost"));
    if is_run_list {
        // The one packing that we unpack ourselves.
        let gzip = HeaderValue::from_static("gzip");
        request.headers_mut().insert(header::ACCEPT_ENCODING, gzip);
    }
    let response = harmless(far_side.answer(request).await, is_socket)?;
    if is_run_list && response.status().is_success() {
        return Ok(seen(app, place, response));
    }
    Ok(response)
}

fn not_open() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::BAD_GATEWAY,
        "LINK_LOST",
        "The viewer on the other machine is not reached yet",
    )
    .with_retry_after(1)
}

/// The part behind `/at` when it leads into an open room of the far API.
fn far_uri(uri: &Uri, session_id: &str) -> Option<Uri> {
    let rest = uri.path().strip_prefix("/api/hosts/")?;
    let path = rest.strip_prefix(session_id)?.strip_prefix("/at")?;
    let rooms = path.strip_prefix("/api/")?;
    let is_plain = !rooms.split('/').any(|part| {
        matches!(
            part.to_ascii_lowercase().as_str(),
            "." | ".." | "%2e" | "%2e%2e" | ".%2e" | "%2e."
        )
    });
    // A room's name is never written with a `%`, so it cannot be hidden behind one.
    let room = rooms.split('/').next().unwrap_or_default();
    if !is_plain || room.contains('%') || CLOSED_ROOMS.contains(&room) {
        return None;
    }
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    target.parse().ok()
}

fn keep(headers: &mut HeaderMap, names: &[HeaderName], is_socket: bool) {
    let all = std::mem::take(headers);
    for (name, value) in &all {
        let is_of_socket = is_socket && OF_SOCKETS.contains(&name.as_str());
        let is_limit = name.as_str().starts_with("x-ratelimit-");
        if names.contains(name) || is_of_socket || is_limit {
            headers.append(name.clone(), value.clone());
        }
    }
}

/// An answer that cannot act as a page of ours.
fn harmless(mut response: Response, is_socket: bool) -> ApiResult<Response> {
    let status = response.status();
    if status.is_redirection() && status != axum::http::StatusCode::NOT_MODIFIED {
        return Err(ApiError::new(
            axum::http::StatusCode::BAD_GATEWAY,
            "FAR_SIDE_STRANGE",
            "The viewer on the other machine sent us elsewhere; that is not followed",
        ));
    }
    let headers = response.headers_mut();
    keep(headers, &RETURNED, is_socket);
    if let Some(safer) = defused(headers.get(header::CONTENT_TYPE)) {
        headers.insert(header::CONTENT_TYPE, safer);
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment"),
        );
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(response)
}

/// The type to give instead of one that a browser could run, or does not know; `None` for what is harmless.
fn defused(declared: Option<&HeaderValue>) -> Option<HeaderValue> {
    let declared = declared?.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let is_picture = essence.starts_with("image/") && essence != "image/svg+xml";
    let is_harmless = is_picture
        || essence.starts_with("audio/")
        || essence.starts_with("video/")
        || matches!(
            essence,
            "application/json"
                | "application/x-ndjson"
                | "application/octet-stream"
                | "application/zip"
                | "application/gzip"
                | "application/x-tar"
                | "text/plain"
                | "text/csv"
                | "text/markdown"
                | "text/event-stream"
        );
    if is_harmless {
        return None;
    }
    let is_text = essence.starts_with("text/")
        || ["xml", "html", "script", "svg"]
            .iter()
            .any(|word| essence.contains(word));
    Some(HeaderValue::from_static(if is_text {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    }))
}

/// The same answer, kept on its way for the time when the machine cannot be reached.
fn seen(app: &App, place: Place, response: Response) -> Response {
    let packing = match response.headers().get(header::CONTENT_ENCODING) {
        None => Packing::Plain,
        Some(packing) if packing == "gzip" => Packing::Gzip,
        Some(_) => return response,
    };
    let (head, body) = response.into_parts();
    let mut copy = Some(Copy {
        app: app.clone(),
        place,
        packing,
        pieces: Vec::new(),
        bytes: 0,
    });
    let pieces = body.into_data_stream().inspect(move |piece| {
        copy = copy.take().and_then(|copy| copy.with(piece.as_ref().ok()?));
    });
    Response::from_parts(head, Body::from_stream(pieces))
}

/// What has passed by. Kept when its stream goes, because nobody asks a stream of known length for its end; what broke off
/// is no list and is not kept.
struct Copy {
    app: App,
    place: Place,
    packing: Packing,
    pieces: Vec<Bytes>,
    bytes: usize,
}

impl Copy {
    fn with(mut self, piece: &Bytes) -> Option<Self> {
        self.bytes += piece.len();
        self.pieces.push(piece.clone());
        if self.bytes > SENT_LIMIT_BYTES {
            self.pieces.clear();
            return None;
        }
        Some(self)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        if pieces.is_empty() {
            return;
        }
        let (app, place, packing) = (self.app.clone(), self.place.clone(), self.packing);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn_blocking(move || {
            let Place { target, root } = &place;
            app.seen_lists().note(target, root, packing, &pieces);
        });
    }
}

#[cfg(test)]
mod tests;
