//! Other machines through the API: real OpenSSH servers on loopback ports, a real far side, nothing of the user's own.

mod access;
mod connecting;
mod far_side;
mod flow;
mod flow_differences;
mod kills;
mod secrets;
mod sessions;

#[path = "../../../../remote/tests/support/sshd.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of `remote`, which use more of it"
)]
mod sshd;

pub(crate) use sshd::spilled::has_mark as has_secret;

#[path = "../../../../remote/tests/support/russh_server.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of `remote`, which use more of it"
)]
mod russh_server;
