//! Metrics as 0.4 clients ask for them: some columns, a range of steps, thinned out.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use runicorn_experiments::metrics::Table;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::{Fields, Params, Shape, UrlPath};

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_fast_metrics))
}

struct FastWanted {
    metric_names: Option<String>,
    step_range: Option<(Option<f64>, Option<f64>)>,
    downsample: Option<i64>,
}

impl Shape for FastWanted {
    fn read(fields: &mut Fields<'_>) -> Self {
        let range = fields
            .optional_text("step_range")
            .filter(|range| !range.is_empty());
        let parsed = range.as_deref().map(parse_range);
        if parsed == Some(None) {
            fields.refuse("step_range", "Value should be min:max");
        }
        Self {
            metric_names: fields
                .optional_text("metric_names")
                .filter(|names| !names.is_empty()),
            step_range: parsed.flatten(),
            downsample: fields.optional_int("downsample", 1..=50_000),
        }
    }
}

/// `min:max`, either side may be left out.
fn parse_range(range: &str) -> Option<(Option<f64>, Option<f64>)> {
    let (least, most) = range.split_once(':')?;
    let bound = |text: &str| {
        let text = text.trim();
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    Some((bound(least)?, bound(most)?))
}

/// A run's metrics, filtered.
#[derive(Serialize, utoipa::ToSchema)]
struct FastAnswer {
    columns: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    query_time_ms: f64,
    total_points: usize,
    #[schema(value_type = Object)]
    applied_filters: Value,
}

/// Shows metrics of a run: some columns, a range of steps, thinned out evenly to `downsample` rows.
#[utoipa::path(get, path = "/api/v2/experiments/{id}/metrics/fast", tag = "older clients",
    params(("id" = String, Path, description = "A run"), ("metric_names" = Option<String>, Query, description = "Comma-separated"),
        ("step_range" = Option<String>, Query, description = "min:max"), ("downsample" = Option<i64>, Query)),
    responses((status = 200, body = FastAnswer), (status = 404, body = crate::ErrorBody), (status = 422, body = crate::ErrorBody)))]
async fn show_fast_metrics(
    State(app): State<App>,
    Params(wanted): Params<FastWanted>,
    UrlPath(id): UrlPath<String>,
) -> ApiResult<Json<FastAnswer>> {
    blocking(move || {
        let started = Instant::now();
        let run = app.store().find(&id)?;
        let columns = app.metrics().of_run(&run)?.columns;
        let table = Table::of(&columns);
        let mut text = Vec::new();
        table.write_json(&table.rows(None), &mut |piece| {
            text.extend(piece);
            true
        });
        let mut rows: Vec<Map<String, Value>> = rows_of(&text)?;
        rows.retain(|row| wanted.takes_step(row));
        let total_points = rows.len();
        wanted.thin_out(&mut rows);
        let names = table.names().map(str::to_owned);
        let names: Vec<String> = std::iter::once("global_step".to_owned())
            .chain(names)
            .filter(|name| wanted.takes_column(name))
            .collect();
        for row in &mut rows {
            row.retain(|name, _| names.iter().any(|wanted| wanted == name));
        }
        Ok::<_, ApiError>(Json(FastAnswer {
            columns: names,
            rows,
            total_points,
            applied_filters: json!({
                "metric_names": wanted.names(),
                "step_range": wanted.step_range.map(|(least, most)| [least, most]),
                "downsample": wanted.downsample,
            }),
            query_time_ms: started.elapsed().as_secs_f64() * 1000.0,
        }))
    })
    .await
}

fn rows_of(table: &[u8]) -> Result<Vec<Map<String, Value>>, ApiError> {
    #[derive(serde::Deserialize)]
    struct Written {
        rows: Vec<Map<String, Value>>,
    }
    let written: Written = serde_json::from_slice(table).map_err(ApiError::internal)?;
    Ok(written.rows)
}

impl FastWanted {
    fn names(&self) -> Option<Vec<&str>> {
        let names = self.metric_names.as_deref()?;
        Some(names.split(',').map(str::trim).collect())
    }

    fn takes_column(&self, name: &str) -> bool {
        name == "global_step" || self.names().is_none_or(|names| names.contains(&name))
    }

    fn takes_step(&self, row: &Map<String, Value>) -> bool {
        let Some((least, most)) = self.step_range else {
            return true;
        };
        let step = row.get("global_step").and_then(Value::as_f64);
        step.is_some_and(|step| {
            least.is_none_or(|least| step >= least) && most.is_none_or(|most| step <= most)
        })
    }

    /// Keeps the first and the last row and as many between as were asked for, evenly.
    fn thin_out(&self, rows: &mut Vec<Map<String, Value>>) {
        let Some(wanted) = self
            .downsample
            .and_then(|wanted| usize::try_from(wanted).ok())
        else {
            return;
        };
        let total = rows.len();
        if total <= wanted {
            return;
        }
        let last = (wanted - 1).max(1);
        let mut kept = (0..wanted).map(|at| at * (total - 1) / last).peekable();
        let mut at = 0;
        rows.retain(|_| {
            let keep = kept.next_if_eq(&at).is_some();
            at += 1;
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_steps_may_be_open() {
        let check = |range: &str, expected: Option<(Option<f64>, Option<f64>)>| {
            assert_eq!(parse_range(range), expected, "{range}");
        };
        check("1:5", Some((Some(1.0), Some(5.0))));
        check(":5", Some((None, Some(5.0))));
        check("1:", Some((Some(1.0), None)));
        check("5", None);
        check("a:b", None);
    }

    #[test]
    fn thinning_out_keeps_both_ends_and_the_number_asked_for() {
        for (total, wanted) in [(10, 3), (100, 7), (5, 1), (2, 2), (1000, 999)] {
            let mut rows: Vec<_> = (0..total)
                .map(|step| Map::from_iter([("global_step".to_owned(), json!(step))]))
                .collect();
            let fast = FastWanted {
                metric_names: None,
                step_range: None,
                downsample: Some(wanted),
            };
            fast.thin_out(&mut rows);
            assert_eq!(
                rows.len(),
                usize::try_from(wanted).unwrap(),
                "{total} to {wanted}"
            );
            assert_eq!(rows[0]["global_step"], 0);
            if wanted > 1 {
                assert_eq!(rows[rows.len() - 1]["global_step"], total - 1);
            }
        }
    }
}
