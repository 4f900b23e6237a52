//! Requests and answers between a client here and a viewer elsewhere. Bodies stream both ways as they come, each as fast as
//! its reader; a connection that changes its protocol (a WebSocket) becomes bytes both ways.

use std::sync::Arc;

use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::Way;
use super::headers::{keep_what_comes_back, keep_what_goes_over, set_upgrade, wanted_upgrade};
use super::pool::{Pool, PooledBody};
use crate::error::{ApiError, ApiResult};
use crate::sockets::Sockets;

/// A stale connection, then a fresh one, then one more after the link came back.
const TRIES: usize = 3;
/// What a client that may try again should wait.
const RETRY_AFTER_SECS: u64 = 2;
/// Bytes that travel at once on a connection that changed its protocol.
const PIECE_BYTES: usize = 64 << 10;

/// One viewer elsewhere. Cheap to clone.
#[derive(Clone)]
pub(crate) struct FarSide(Arc<Inner>);

struct Inner {
    way: Box<dyn Way>,
    /// The name that the viewer wants to be called by; the client's own when absent.
    host: Option<HeaderValue>,
    pool: Arc<Pool>,
    sockets: Sockets,
    closing: CancellationToken,
}

impl FarSide {
    /// A viewer that is reached by `way`. A viewer on a TCP port there wants to be called by that port.
    pub(crate) fn new(way: Box<dyn Way>, remote_port: u16, sockets: &Sockets) -> Self {
        let host = (remote_port != 0).then(|| format!("127.0.0.1:{remote_port}"));
        Self(Arc::new(Inner {
            way,
            host: host.and_then(|host| host.parse().ok()),
            pool: Arc::default(),
            sockets: sockets.clone(),
            closing: sockets.stopping().child_token(),
        }))
    }

    /// Cancelled when this viewer is no longer passed on.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    /// Passes a request on and its answer back.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response {
        match self.pass_on(request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        }
    }

    async fn pass_on(&self, mut request: Request<Body>) -> ApiResult<Response> {
        if *request.method() == Method::CONNECT {
            return Err(ApiError::method_not_allowed());
        }
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
        *request.version_mut() = axum::http::Version::HTTP_11;
        let upgrade = wanted_upgrade(request.headers());
        keep_what_goes_over(request.headers_mut());
        if let Some(host) = &self.0.host {
            request.headers_mut().insert(header::HOST, host.clone());
        }
        match upgrade {
            Some(protocol) => self.change_protocol(request, protocol).await,
            None => self.exchange(request).await,
        }
    }

    /// One request, one answer. What the far side has not seen is sent again on another connection, and so is a question
    /// that changes nothing.
    async fn exchange(&self, request: Request<Body>) -> ApiResult<Response> {
        let mut again = repeatable(&request);
        let mut request = request;
        for _ in 1..TRIES {
            let mut sender = self.connection().await?;
            match sender.try_send_request(request).await {
                Ok(response) => return self.returned(response, sender),
                Err(mut failed) => {
                    self.0.pool.clear();
                    request = match failed.take_message().or_else(|| again.take()) {
                        Some(request) => request,
                        None => return Err(broken(failed.error())),
                    };
                }
            }
        }
        let mut sender = self.connection().await?;
        match sender.send_request(request).await {
            Ok(response) => self.returned(response, sender),
            Err(error) => Err(broken(&error)),
        }
    }

    fn returned(
        &self,
        response: hyper::Response<Incoming>,
        sender: SendRequest<Body>,
    ) -> ApiResult<Response> {
        let (mut head, body) = response.into_parts();
        if head.status.is_informational() {
            return Err(not_asked_for());
        }
        keep_what_comes_back(&mut head.headers);
        let body = PooledBody::new(body, Arc::clone(&self.0.pool), sender);
        Ok(Response::from_parts(head, Body::new(body)))
    }

    async fn connection(&self) -> ApiResult<SendRequest<Body>> {
        if let Some(waiting) = self.0.pool.take().await {
            return Ok(waiting);
        }
        let stream = self.0.way.open().await?;
        let (sender, connection) = Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a far viewer broke off");
            }
        });
        Ok(sender)
    }

    async fn change_protocol(
        &self,
        mut request: Request<Body>,
        protocol: HeaderValue,
    ) -> ApiResult<Response> {
        let near = hyper::upgrade::on(&mut request);
        set_upgrade(request.headers_mut(), protocol);
        let stream = self.0.way.open().await?;
        let (mut sender, connection) = Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        tokio::spawn(connection.with_upgrades());
        let (head, _body) = request.into_parts();
        let request = Request::from_parts(head, Body::empty());
        let sent = sender.send_request(request).await;
        let mut response = sent.map_err(|error| broken(&error))?;
        let far = hyper::upgrade::on(&mut response);
        let changed_to = wanted_upgrade(response.headers());
        let (mut head, body) = response.into_parts();
        keep_what_comes_back(&mut head.headers);
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Response::from_parts(head, Body::new(body)));
        }
        set_upgrade(&mut head.headers, changed_to.ok_or_else(not_asked_for)?);
        self.0
            .sockets
            .carry(carry(near, far), self.0.closing.clone());
        Ok(Response::from_parts(head, Body::empty()))
    }
}

/// Bytes both ways until both ends have said all, or one of them is gone.
async fn carry(near: hyper::upgrade::OnUpgrade, far: hyper::upgrade::OnUpgrade) {
    let (near, far) = match tokio::try_join!(near, far) {
        Ok(ends) => ends,
        Err(error) => {
            tracing::debug!(%error, "a connection did not change its protocol");
            return;
        }
    };
    let (mut near, mut far) = (TokioIo::new(near), TokioIo::new(far));
    let copied =
        tokio::io::copy_bidirectional_with_sizes(&mut near, &mut far, PIECE_BYTES, PIECE_BYTES);
    if let Err(error) = copied.await {
        tracing::debug!(%error, "a carried connection broke off");
    }
}

/// A copy of a request that may be asked twice: it changes nothing and has no body.
fn repeatable(request: &Request<Body>) -> Option<Request<Body>> {
    let is_question = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !is_question || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(Body::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn broken(error: &hyper::Error) -> ApiError {
    if error.is_parse() {
        return not_asked_for();
    }
    ApiError::new(
        StatusCode::BAD_GATEWAY,
        "LINK_LOST",
        "The connection to the viewer on the other machine broke; it is being made again",
    )
    .with_details(error.to_string())
    .with_retry_after(RETRY_AFTER_SECS)
}

fn not_asked_for() -> ApiError {
    ApiError::new(
        StatusCode::BAD_GATEWAY,
        "FAR_SIDE_STRANGE",
        "What answered on the other machine does not speak HTTP as a viewer does",
    )
}
