//! Another machine's viewer behind a listener of ours.
//!
//! A [`FarSide`] passes HTTP and `WebSocket`s on through a [`Way`], which gives one fresh byte stream after another; what the
//! stream goes through is no business of this room. [`ports`] keeps a pair of loopback listeners for each session, behind
//! the same guard as our own; `api::hosts` uses the same [`FarSide`] under our own origin.
//!
//! Both ends are strangers to each other: cookies, origins and addresses of this machine never go over, and no cookie comes
//! back, because browsers share the cookies of `localhost` among all its ports.

mod far_side;
mod headers;
mod pool;
mod ports;
pub(crate) mod sessions;
#[cfg(test)]
pub(crate) mod tests;
mod wake;

use std::pin::Pin;

use runicorn_remote::ByteStream;

pub(crate) use far_side::FarSide;
pub(crate) use ports::{Place, PortPair, Ports};
pub(crate) use wake::WakeWatch;

use crate::error::ApiResult;

/// A byte stream on its way to being open.
pub(crate) type Opening = Pin<Box<dyn Future<Output = ApiResult<ByteStream>> + Send>>;

/// Gives fresh byte streams to one viewer.
pub(crate) trait Way: Send + Sync + 'static {
    /// Opens another stream; waits a bounded time while the link is made again.
    fn open(&self) -> Opening;
}
