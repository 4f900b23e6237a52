//! Values of many runs for the columns of a table: configuration, summary and metrics.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use runicorn_experiments::{RunDir, RunStore, StoreError, ValueField, ValueNames};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::validate::Typed;

/// Most runs in one question.
const MOST_RUNS: usize = 1000;
/// Most columns in one question.
const MOST_FIELDS: usize = 200;
/// After this an answer is given with what there is.
const PATIENCE: Duration = Duration::from_millis(400);
/// Names are gathered from so many of the newest runs.
const NAMED_BY: usize = 300;

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_value_names))
        .routes(routes!(show_values))
}

/// Of which runs.
#[derive(Deserialize, utoipa::ToSchema)]
struct ValueNamesQuestion {
    /// At most 1,000; the newest 300 when absent.
    runs: Option<Vec<String>>,
}

/// What columns there can be.
#[derive(Serialize, utoipa::ToSchema)]
struct ValueNamesAnswer {
    config: BTreeSet<String>,
    summary: BTreeSet<String>,
    metrics: BTreeSet<String>,
    /// Runs that time did not suffice for: ask for them again.
    later: Vec<String>,
}

/// Names of configuration values, summary values and metrics of runs. Members of members are joined by dots.
#[utoipa::path(post, path = "/api/run-values/names", tag = "runs", request_body = ValueNamesQuestion,
    responses((status = 200, body = ValueNamesAnswer), (status = 422, body = crate::ErrorBody)))]
async fn list_value_names(
    State(app): State<App>,
    Typed(question): Typed<ValueNamesQuestion>,
) -> ApiResult<Json<ValueNamesAnswer>> {
    check_count(
        "runs",
        question.runs.as_ref().map_or(0, Vec::len),
        MOST_RUNS,
    )?;
    blocking(move || {
        let store = app.store();
        let newest = || {
            let list = store.list();
            let ids = list.rows().take(NAMED_BY).map(|row| row.id.to_string());
            ids.collect()
        };
        let runs = present(&store, &question.runs.unwrap_or_else(newest))?;
        let found = app
            .values()
            .of_runs(&runs, app.metrics(), Instant::now() + PATIENCE);
        let names = ValueNames::of(found.iter().flatten().map(|values| &**values));
        let later = runs
            .iter()
            .zip(&found)
            .filter(|(_, values)| values.is_none());
        Ok::<_, StoreError>(Json(ValueNamesAnswer {
            later: later.map(|(run, _)| run.id.to_string()).collect(),
            config: names.config,
            summary: names.summary,
            metrics: names.metrics,
        }))
    })
    .await
}

/// Those of these runs that are here.
fn present(store: &RunStore, ids: &[String]) -> Result<Vec<RunDir>, StoreError> {
    let mut runs = Vec::with_capacity(ids.len());
    for id in ids {
        match store.find(id) {
            Ok(run) => runs.push(run),
            Err(StoreError::RunNotFound { .. }) => (),
            Err(error) => return Err(error),
        }
    }
    Ok(runs)
}

/// Which values of which runs.
#[derive(Deserialize, utoipa::ToSchema)]
struct ValuesQuestion {
    /// At most 1,000.
    runs: Vec<String>,
    /// At most 200 of `config:<name>`, `summary:<name>`, `last:<metric>`, `min:<metric>`, `max:<metric>`.
    fields: Vec<String>,
}

/// Values by column.
#[derive(Serialize, utoipa::ToSchema)]
struct ValuesAnswer {
    /// The runs that were read, in the order of the question.
    runs: Vec<String>,
    /// For each field the value of each of `runs`: number, text, truth value or null. Numbers that are none are the texts `NaN`, `Infinity`
    /// and `-Infinity`; lists are their JSON.
    values: Vec<Vec<Value>>,
    /// Runs that time did not suffice for: ask for them again.
    later: Vec<String>,
}

/// Values of runs by column. Runs that are not here, or are deleted, are left out.
#[utoipa::path(post, path = "/api/run-values", tag = "runs", request_body = ValuesQuestion,
    responses((status = 200, body = ValuesAnswer), (status = 422, body = crate::ErrorBody)))]
async fn show_values(
    State(app): State<App>,
    Typed(question): Typed<ValuesQuestion>,
) -> ApiResult<Json<ValuesAnswer>> {
    let fields = fields_of(&question)?;
    blocking(move || {
        let store = app.store();
        let runs = present(&store, &question.runs)?;
        let deadline = Instant::now() + PATIENCE;
        let found = app.values().of_runs(&runs, app.metrics(), deadline);
        let mut answer = ValuesAnswer {
            runs: Vec::new(),
            values: vec![Vec::new(); fields.len()],
            later: Vec::new(),
        };
        for (run, values) in runs.iter().zip(found) {
            let Some(values) = values else {
                answer.later.push(run.id.to_string());
                continue;
            };
            answer.runs.push(run.id.to_string());
            for (column, field) in answer.values.iter_mut().zip(&fields) {
                column.push(values.of(field));
            }
        }
        Ok::<_, StoreError>(Json(answer))
    })
    .await
}

fn check_count(name: &str, count: usize, most: usize) -> ApiResult<()> {
    if count > most {
        let message = format!("at most {most} at once");
        return Err(ApiError::invalid_value(
            &json!(["body", name]),
            &message,
            &count.into(),
        ));
    }
    Ok(())
}

fn fields_of(question: &ValuesQuestion) -> ApiResult<Vec<ValueField>> {
    check_count("runs", question.runs.len(), MOST_RUNS)?;
    check_count("fields", question.fields.len(), MOST_FIELDS)?;
    let fields = question.fields.iter().enumerate();
    fields
        .map(|(at, text)| {
            ValueField::parse(text).ok_or_else(|| {
                let message = "Input should be config:, summary:, last:, min: or max: and a name";
                ApiError::invalid_value(
                    &json!(["body", "fields", at]),
                    message,
                    &text.clone().into(),
                )
            })
        })
        .collect()
}
