//! A session: one viewer on one far side, kept reachable whatever the link does.
//!
//! [`machine`] decides, [`supervisor`] acts, and what others may see lies in a [`Session`].

mod machine;
mod supervisor;
mod view;

pub(crate) use machine::Far;
pub(crate) use supervisor::{Command, Household, supervise};
pub(crate) use view::Session;
