//! Viewers on the far side and the sessions that keep them reachable.

mod pythons;
mod shells;
mod starting;
mod staying;
mod transports;
mod where_it_lies;
