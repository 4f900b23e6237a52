//! What the tests stand on: real OpenSSH servers, an in-process server for what OpenSSH cannot do, a relay that spoils lines.

pub(crate) mod app;
pub(crate) mod local;
pub(crate) mod relay;
pub(crate) mod russh_server;
pub(crate) mod sshd;
