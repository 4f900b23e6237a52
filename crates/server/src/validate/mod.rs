//! Request input, checked and refused the way the documented server does it.
//!
//! A shape ([`Shape`]) reads its fields from [`Fields`]; each reader notes what is wrong and goes on, so one answer
//! lists every problem. [`Params`] reads the query string, [`Body`] a JSON body. Unknown names are ignored.
//!
//! ```text
//! struct WidthParams { table: String, downsample: Option<i64> }
//! impl Shape for WidthParams {
//!     fn read(fields: &mut Fields<'_>) -> Self {
//!         Self { table: fields.text("table"), downsample: fields.optional_int("downsample", 100..=50_000) }
//!     }
//! }
//! async fn show(Params(params): Params<WidthParams>) { … }
//! ```

mod body;
mod fields;
mod json_position;
mod query;
mod secrets;

pub(crate) use body::{Body, JsonList, JsonObject, Typed};
pub(crate) use fields::{Fields, Shape};
pub(crate) use query::{Params, UrlPath};
