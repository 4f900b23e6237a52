//! What happens to every request around routing: access, strictness, rate limits, and the headers of every answer.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::access::{Access, Caller, Door};
use crate::app::App;
use crate::blocking;
use crate::error::ApiError;
#[cfg(feature = "hosts")]
use crate::forwarding::FarSide;
use crate::rate_limit::Standing;
use crate::router;

/// What stands before whatever answers behind a listener.
pub(crate) struct Front {
    pub(crate) app: App,
    behind: Behind,
}

/// Who answers what was let in.
enum Behind {
    /// Our own routes.
    Routes(Router),
    /// The viewer of another machine, on a port of its own.
    #[cfg(feature = "hosts")]
    FarSide(FarSide),
}

impl Front {
    pub(crate) fn new(app: App) -> Self {
        let routes = router::build(app.clone());
        Self {
            app,
            behind: Behind::Routes(routes),
        }
    }

    /// The same guard before another machine's viewer.
    #[cfg(feature = "hosts")]
    pub(crate) fn of_far_side(app: App, far_side: FarSide) -> Self {
        Self {
            app,
            behind: Behind::FarSide(far_side),
        }
    }

    /// True where somebody else's answers are passed on.
    pub(crate) fn is_forwarded(&self) -> bool {
        !matches!(self.behind, Behind::Routes(_))
    }

    /// Answers one request of one connection.
    pub(crate) async fn answer(&self, caller: Caller, request: Request<Body>) -> Response {
        self.app.note_use();
        let host = request.headers().get(header::HOST).cloned();
        let mut response = match self.app.access().admit(&caller, &request) {
            Err(refusal) => {
                let mut response = refusal.into_response();
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
                response
            }
            Ok(()) => self.answer_admitted(&caller, request).await,
        };
        match &self.behind {
            Behind::Routes(_) => protect(response.headers_mut(), host.as_ref()),
            #[cfg(feature = "hosts")]
            Behind::FarSide(_) => protect_page_of_another(response.headers_mut()),
        }
        response
    }

    async fn answer_admitted(&self, caller: &Caller, request: Request<Body>) -> Response {
        let origin = Access::cors_origin(request.headers());
        if is_preflight(&request) {
            return preflight(request.headers(), origin);
        }
        let mut response = match &self.behind {
            Behind::Routes(routes) => self.route(routes.clone(), caller, request).await,
            #[cfg(feature = "hosts")]
            Behind::FarSide(far_side) => far_side.answer(request).await,
        };
        if let Some(origin) = origin {
            allow_origin(response.headers_mut(), origin);
        }
        response
    }

    async fn route(&self, routes: Router, caller: &Caller, request: Request<Body>) -> Response {
        let standing = self.count(caller, &request);
        let mut response = match standing {
            Some(Err((refusal, standing))) => {
                let mut response = refusal.into_response();
                standing.write(response.headers_mut());
                return response;
            }
            _ if breaks_routing(&request) => router::unknown(request.method()).into_response(),
            _ => match blocking::for_request(self.app.clone(), routes.oneshot(request)).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        };
        if let Some(Ok(standing)) = standing {
            standing.write(response.headers_mut());
        }
        spell_allow_header(response.headers_mut());
        response
    }

    /// Every `/api/` answer but those to OPTIONS carries the numbers.
    fn count(
        &self,
        caller: &Caller,
        request: &Request<Body>,
    ) -> Option<Result<Standing, (ApiError, Standing)>> {
        let path = request.uri().path();
        if !path.starts_with("/api/") || request.method() == Method::OPTIONS {
            return None;
        }
        let from = match caller.door {
            Door::Port(address) => address.ip(),
            Door::Socket => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        Some(self.app.rate_limits().count(from, path, Instant::now()))
    }
}

/// HEAD is unknown to API routes, and an encoded slash never stands for a character of a name.
fn breaks_routing(request: &Request<Body>) -> bool {
    let path = request.uri().path();
    if !router::is_api_path(path) {
        return false;
    }
    request.method() == Method::HEAD || path.contains("%2f") || path.contains("%2F")
}

fn is_preflight(request: &Request<Body>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(asked: &HeaderMap, origin: Option<HeaderValue>) -> Response {
    let mut response = (StatusCode::OK, "OK").into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY"),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    if let Some(wanted) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    if let Some(origin) = origin {
        allow_origin(headers, origin);
    }
    response
}

fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// The router writes `GET,HEAD`; the documented server `GET, HEAD`.
fn spell_allow_header(headers: &mut HeaderMap) {
    let spelled = headers
        .get(header::ALLOW)
        .and_then(|allow| allow.to_str().ok())
        .map(|allow| {
            allow
                .split(',')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(", ")
        });
    if let Some(Ok(spelled)) = spelled.map(|text| HeaderValue::from_str(&text)) {
        headers.insert(header::ALLOW, spelled);
    }
}

/// Headers of every answer. A handler that sets its own policy (files of a run, the API pages) keeps it.
fn protect(headers: &mut HeaderMap, host: Option<&HeaderValue>) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        same_origin.clone(),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        same_origin,
    );
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(host));
    }
}

#[cfg(feature = "hosts")]
/// A page of another machine keeps its own headers, but nobody frames it and no other page reads its files.
fn protect_page_of_another(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
}

/// Scripts, styles and connections of our own origin only. The socket address is spelled out because older web views
/// do not count `ws:` as `'self'`.
fn policy(host: Option<&HeaderValue>) -> HeaderValue {
    let socket = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| {
            host.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".:[]-".contains(&byte))
        })
        .map(|host| format!(" ws://{host}"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
         media-src 'self'; connect-src 'self'{socket}; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
