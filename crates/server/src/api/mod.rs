//! The rooms of the API: handlers and their wire shapes. A handler extracts, calls one function of a domain crate and
//! shapes the answer.

pub(crate) mod alerts;
pub(crate) mod annotations;
pub(crate) mod artifacts;
pub(crate) mod asset_list;
pub(crate) mod assets;
pub(crate) mod desktop;
pub(crate) mod diagnostics;
pub(crate) mod edits;
pub(crate) mod experiment_metrics;
pub(crate) mod experiments;
pub(crate) mod gpus;
pub(crate) mod health;
#[cfg(feature = "hosts")]
pub(crate) mod hosts;
pub(crate) mod live;
pub(crate) mod log_filter;
pub(crate) mod logs;
pub(crate) mod media;
pub(crate) mod metrics;
pub(crate) mod moment;
pub(crate) mod paths;
pub(crate) mod recycle_bin;
pub(crate) mod retired;
pub(crate) mod run_gpus;
pub(crate) mod run_list;
pub(crate) mod run_metrics;
pub(crate) mod run_values;
pub(crate) mod runs;
pub(crate) mod samples;
pub(crate) mod series;
mod series_groups;
pub(crate) mod settings;
pub(crate) mod system;
pub(crate) mod transfer;
