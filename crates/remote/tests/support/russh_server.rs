//! An in-process SSH server for what OpenSSH cannot do.
