//! A storage root as a whole: what is found, what is repaired, what is remembered, what is seen live.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends here, and says when it was skipped"
)]

mod support;

mod discovery;
mod faults;
mod freshness;
mod index;
