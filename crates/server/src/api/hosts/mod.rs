//! Other machines: connections, viewers over there, their files and environments, saved servers.
//!
//! `/api/remote/*` are the documented routes; `/api/hosts*` are ours. What a secret is sent to here is never sent back: answers
//! say only that there is one.

pub(crate) mod at;
mod connect;
mod environments;
mod files;
mod known_hosts;
mod overview;
mod saved;
mod sessions;
mod ssh_connections;
mod way_in;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub(crate) use sessions::{SessionAnswer, session_answers};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(connect::routes())
        .merge(known_hosts::routes())
        .merge(environments::routes())
        .merge(files::routes())
        .merge(sessions::routes())
        .merge(saved::routes())
        .merge(ssh_connections::routes())
        .merge(overview::routes())
        .merge(at::routes())
}
