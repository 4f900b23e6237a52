//! The page's list of assets: every asset of the root once, with the runs that made and used it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runicorn_experiments::{Asset, AssetList, RunId};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::blocking::blocking;
use crate::error::{ApiError, ApiResult};
use crate::list_answers::ListAnswer;
use crate::validate::{Fields, Params, Shape};

/// The members of an asset, in the order of a row.
const FIELDS: [&str; 15] = [
    "id",
    "kind",
    "name",
    "fingerprint",
    "source",
    "about",
    "bytes",
    "files",
    "copy",
    "copy_run",
    "copy_path",
    "made_by",
    "used_by",
    "first_at",
    "last_at",
];

/// The routes of this room.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_assets))
}

/// The assets of a root, or of one run.
#[derive(Serialize, utoipa::ToSchema)]
struct AssetListAnswer {
    /// Whether the whole root was looked at; until then the list grows.
    complete: bool,
    /// Ids of runs; `copy_run`, `made_by` and `used_by` are places in it.
    runs: Vec<String>,
    /// The names of a row's members.
    fields: [&'static str; 15],
    /// Assets of the latest runs first. Times are Unix seconds; `copy` is `kept`, `missing` or `none`.
    #[schema(value_type = Vec<Vec<Value>>)]
    rows: Vec<Value>,
    totals: AssetTotals,
    /// Runs whose list of assets cannot be read.
    unreadable: Vec<String>,
    /// Assets of runs that name more than are read.
    left_out: u64,
}

/// What the copies in the archive take, of all runs that are not deleted.
#[derive(Serialize, utoipa::ToSchema)]
struct AssetTotals {
    /// How often a run names an asset.
    references: u64,
    /// How many of these have a copy.
    kept: u64,
    /// What the copies would take if each reference had its own.
    logical_bytes: u64,
    /// What they take, each file counted once.
    stored_bytes: u64,
}

struct OfRun {
    run: Option<String>,
}

impl Shape for OfRun {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            run: fields.optional_text("run"),
        }
    }
}

/// Lists every asset of the root once: datasets, pretrained models, outputs and code of all runs that are not deleted. Assets with the
/// same hash are one asset; without a hash kind, name and source tell them apart. Carries an `ETag`.
#[utoipa::path(get, path = "/api/asset-list", tag = "assets",
    params(("run" = Option<String>, Query, description = "Only the assets that this run names")),
    responses((status = 200, body = AssetListAnswer), (status = 304, description = "Nothing changed"),
        (status = 404, body = crate::ErrorBody)))]
async fn list_assets(
    State(app): State<App>,
    Params(params): Params<OfRun>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    blocking(move || {
        let store = app.store();
        let list = app.assets().list(&store)?;
        let Some(run) = params.run else {
            let state = format!("{} {}", store.root().display(), list.version);
            let make = || answer_bytes(&list, &list.assets.iter().collect::<Vec<_>>());
            let answer = app.list_answers().get("asset list", state, make);
            return Ok::<_, ApiError>(answer.respond(&headers));
        };
        store.find(&run)?;
        let place = list.runs.iter().position(|id| id.as_str() == run);
        let place = place.and_then(|place| u32::try_from(place).ok());
        let of_run = list.assets.iter().filter(|asset| {
            place.is_some_and(|place| asset.own_runs().binary_search(&place).is_ok())
        });
        let body = answer_bytes(&list, &of_run.collect::<Vec<_>>());
        Ok(ListAnswer::new(String::new(), body).respond(&headers))
    })
    .await
}

/// The runs that some assets name, in the order of the list.
struct NamedRuns(Vec<u32>);

impl NamedRuns {
    fn of(assets: &[&Asset]) -> Self {
        let places = assets.iter().flat_map(|asset| {
            let copy = asset.copy_of.as_ref().map(|(run, _)| run);
            asset.made_by.iter().chain(&asset.used_by).chain(copy)
        });
        let mut named: Vec<u32> = places.copied().collect();
        named.sort_unstable();
        named.dedup();
        Self(named)
    }

    fn ids(&self, list: &AssetList) -> Vec<String> {
        let run = |place: &u32| list.runs.get(usize::try_from(*place).ok()?);
        let ids = self.0.iter().map(|place| run(place).map(RunId::to_string));
        ids.map(Option::unwrap_or_default).collect()
    }

    fn place(&self, run: u32) -> usize {
        self.0.binary_search(&run).unwrap_or_else(|at| at)
    }

    fn places(&self, runs: &[u32]) -> Vec<usize> {
        runs.iter().map(|run| self.place(*run)).collect()
    }
}

fn answer_bytes(list: &AssetList, assets: &[&Asset]) -> Vec<u8> {
    let totals = list.totals;
    let named = NamedRuns::of(assets);
    let answer = AssetListAnswer {
        complete: list.complete,
        runs: named.ids(list),
        fields: FIELDS,
        rows: assets
            .iter()
            .map(|asset| row_value(asset, &named))
            .collect(),
        totals: AssetTotals {
            references: totals.references,
            kept: totals.kept,
            logical_bytes: totals.logical_bytes,
            stored_bytes: totals.stored_bytes,
        },
        unreadable: list.unreadable.iter().map(RunId::to_string).collect(),
        left_out: list.left_out,
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// The members of [`FIELDS`], in their order.
fn row_value(asset: &Asset, runs: &NamedRuns) -> Value {
    let members: [Value; FIELDS.len()] = [
        json!(asset.id),
        json!(asset.kind.word()),
        json!(asset.name),
        json!(asset.fingerprint),
        json!(asset.source),
        json!(asset.about),
        json!(asset.bytes),
        json!(asset.files),
        json!(asset.copy.word()),
        json!(asset.copy_of.as_ref().map(|(run, _)| runs.place(*run))),
        json!(asset.copy_of.as_ref().map(|(_, path)| path)),
        json!(runs.places(&asset.made_by)),
        json!(runs.places(&asset.used_by)),
        json!(asset.first_at),
        json!(asset.last_at),
    ];
    Value::Array(members.into())
}
