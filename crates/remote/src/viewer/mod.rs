//! A viewer on the far side: found or brought there, started, watched over and ended by a few lines of plain shell.
//!
//! `far.sh` is the far end of a session's line and answers commands; `keeper.sh` starts the viewer as its child and ends
//! it when the lease is not renewed; `process.sh` is shared by both and never mistakes one process for another;
//! `receive.sh` takes our own viewer in; `watch.py` and `bridge.py` are run by the Python that a person chose.

mod builds;
mod line;
mod platform;
mod push;
mod python;
mod start;

pub(crate) use builds::Builds;
pub use builds::ViewerBuild;
pub(crate) use line::{Line, Lines, far};
pub use start::Ended;
pub(crate) use start::{Order, Remembered, Setting, Started, Trace, end_on, log, start};
