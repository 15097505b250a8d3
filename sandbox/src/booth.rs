//! Booths: which products are associated with which of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State as Context};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use crate::answer::{Refusal, unprocessable, wrong_method};
use crate::body;
use crate::list::parameter;
use crate::problem::Problem;
use crate::show::Show;
use crate::state::{State, Tables};

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/BoothProduct", post(associate).put(associate_many).fallback(wrong_method))
        .with_state(show.clone())
}

/// The keys of the products of each booth, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct BoothProducts(Arc<BTreeMap<String, Vec<String>>>);

impl BoothProducts {
    fn of(&self, booth: &str) -> &[String] {
        self.0.get(booth).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, booth: String, products: Vec<String>) {
        let known = Arc::make_mut(&mut self.0).entry(booth).or_default();
        for product in products {
            if !known.contains(&product) {
                known.push(product);
            }
        }
    }

    fn clear(&mut self, booth: &str) {
        Arc::make_mut(&mut self.0).remove(booth);
    }
}

impl Show {
    /// The keys of the products that are associated with a booth, in the order in which they came: none at the start.
    #[must_use]
    pub fn booth_products(&self, booth: &str) -> Vec<String> {
        self.state().tables.booth_products.of(booth).to_vec()
    }
}

async fn associate(Context(show): Context<Arc<Show>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let tables = &mut show.state().tables;
    let booth = booth(query.as_deref(), tables)?;
    let product = required(query.as_deref(), "productID")?;
    check(std::slice::from_ref(&product), tables, |_| "productID".to_owned())?;
    tables.booth_products.add(booth, vec![product.clone()]);
    Ok(shown(&[product], tables))
}

async fn associate_many(
    Context(show): Context<Arc<Show>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let keys = body::array(&headers, &body)?;
    let State { tables, behavior, .. } = &mut *show.state();
    let booth = booth(query.as_deref(), tables)?;
    let products: Vec<String> = keys.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if products.len() < keys.len() {
        return Err(unprocessable(vec![Problem::new("body", "expected an array of strings")]));
    }
    check(&products, tables, |index| format!("[{index}]"))?;
    if behavior.booth_put_replaces {
        tables.booth_products.clear(&booth);
    }
    tables.booth_products.add(booth, products.clone());
    Ok(shown(&products, tables))
}

fn required(query: Option<&str>, name: &str) -> Result<String, Refusal> {
    parameter(query, name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::parameter(name, "it is missing"))
}

/// The booth that a call is about.
fn booth(query: Option<&str>, tables: &Tables) -> Result<String, Refusal> {
    let key = required(query, "boothID")?;
    if tables.booths.has_key(&key) {
        return Ok(key);
    }
    let message = format!("boothID: there is no booth {key:?}");
    Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", message).naming(["boothID".to_owned()]))
}

/// Refuses products that do not exist: all or none are associated.
fn check(products: &[String], tables: &Tables, place: impl Fn(usize) -> String) -> Result<(), Refusal> {
    let unknown = products.iter().enumerate().filter(|(_, key)| !tables.products.has_key(key));
    let problems: Vec<Problem> =
        unknown.map(|(index, key)| Problem::new(&place(index), format!("there is no product {key:?}"))).collect();
    if problems.is_empty() { Ok(()) } else { Err(unprocessable(problems)) }
}

/// The products in each of their ordering units.
fn shown(products: &[String], tables: &Tables) -> Response {
    let table = &tables.products;
    let places = products.iter().flat_map(|key| table.with_key(key)).map(|row| row.place()).collect();
    table.answer(places, None)
}
