//! Where we differ from the recorded session on purpose; rows as in `parity/differences.rs`. `recordings` is
//! `<version>/<number> <method> <path>`.

use crate::parity::differences::{Difference, row};

/// All rows.
pub(super) const DIFFERENCES: &[Difference] = &[
    row(
        "0.6.0/15 GET /api/remote/fs/list*",
        "status",
        Some("404"),
        "a status says who must act",
        "issue 3, section 2",
    ),
    row(
        "*/* POST /api/remote/viewer/start",
        "status",
        Some("422"),
        "another environment must be chosen: a status says who must act",
        "issue 3, section 2",
    ),
    row(
        "0.6.0/27 POST /api/remote/disconnect",
        "body",
        None,
        "stopping the last viewer ends the connection: 0.7.2's value wins",
        "decisions.md 1, runicorn-remote.md 11",
    ),
    row(
        "*/30 POST /api/remote/connect",
        "status",
        Some("502"),
        "a status says who must act",
        "issue 3, section 2",
    ),
    row(
        "*/30 POST /api/remote/connect",
        "body/detail",
        None,
        "the words of our own SSH",
        "issue 3, section 1",
    ),
];
