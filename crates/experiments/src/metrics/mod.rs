//! Metrics of a run: `events.jsonl` as columns, exactly as recorded, and what is computed from them.
//!
//! The way of a number: `tail` notices what is new in the file, `load` and `scan` turn it into `group`s of rows,
//! `columns` holds them; `table` and `series` answer from there.

mod axis;
pub mod cache;
mod cell;
pub mod columns;
mod cursor;
mod group;
#[cfg(test)]
mod hostile;
mod line;
mod load;
pub mod mean;
mod moment;
mod names;
mod number;
mod order;
mod points;
pub mod reduce;
mod saver;
mod scan;
pub mod series;
pub mod smooth;
mod stored;
pub mod summary;
pub mod table;
mod tail;

pub use axis::Axis;
pub use cache::{CacheStats, MetricCache, Reading};
pub use columns::Columns;
pub use cursor::Cursor;
pub use mean::{Band, MeanSeries, means};
pub use moment::{Moment, Near};
pub use series::{LastPoint, NonFinite, Series, SeriesSource, SeriesView};
pub use smooth::Smoothing;
pub use summary::{MetricSummary, RunMetrics, StepPoint};
pub use table::{Rows, Table};
pub use tail::Unread;

/// Reads a file once; for measurements.
pub fn read_once(file: &std::fs::File) -> std::io::Result<std::sync::Arc<Columns>> {
    let mut tail = tail::MetricTail::default();
    tail.refresh(file)?;
    Ok(tail.columns)
}
