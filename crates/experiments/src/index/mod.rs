//! The list of runs of one root: found by walking it, kept by stamps, published as immutable snapshots.
//!
//! One thread a store does all of it ([`keeper`]). A pass walks the folders ([`discover`]), looks at the runs that may have changed
//! ([`record`]), asks about the processes of live ones and publishes a new list if anything differs. Between passes it sleeps: it wakes
//! for what the watched folders report, every one and a half seconds while somebody is looking, and when it is asked.

pub(crate) mod catalog;
pub(crate) mod database;
pub(crate) mod discover;
pub(crate) mod keeper;
pub(crate) mod record;
pub(crate) mod signals;
pub(crate) mod stamp;
