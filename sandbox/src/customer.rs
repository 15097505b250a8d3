//! Customers: the check of a record, and the two shapes of ordering groups.

use serde_json::{Map, Value};

use crate::behavior::Behavior;
use crate::document::DOCUMENT;
use crate::problem::Problem;
use crate::reference::{self, Reference, missing};
use crate::state::Tables;
use crate::table::Table;

/// How V1 and V2 write a customer.
pub(crate) const V1: &str = "Customer";
pub(crate) const V2: &str = "CustomerV2";

/// Finds what is wrong with a customer by the schema of this name. Ordering groups that are missing are no matter where they
/// are created.
pub(crate) fn problems(
    schema: &str,
    fields: &Map<String, Value>,
    creates_groups: bool,
    tables: &Tables,
    behavior: &Behavior,
) -> Vec<Problem> {
    let problems = DOCUMENT.problems(schema, fields, behavior.strict);
    if !problems.is_empty() || !behavior.check_references {
        return problems;
    }
    let missing = missing(fields, reference::CUSTOMER, tables).into_iter();
    missing
        .filter(|missing| !creates_groups || missing.reference != Reference::OrderingGroup)
        .map(Problem::from)
        .collect()
}

/// Creates the ordering groups that a customer names and that are missing.
pub(crate) fn create_groups(fields: &Map<String, Value>, tables: &mut Tables) {
    let named = [("orderingGroups", Reference::OrderingGroup)];
    for missing in missing(fields, &named, tables) {
        tables.references.add(missing.reference, missing.key);
    }
}

/// Brings ordering groups into the shape in which V1 shows them: flat, each with an id.
pub(crate) fn settle(fields: &mut Map<String, Value>, table: &mut Table) {
    let Some(Value::Array(groups)) = fields.get_mut("orderingGroups") else {
        return;
    };
    let flat = std::mem::take(groups).into_iter().flat_map(flatten);
    *groups = flat
        .map(|mut group| {
            if let Value::Object(group) = &mut group {
                group.entry("id").or_insert_with(|| table.fresh_id().into());
            }
            group
        })
        .collect();
}

/// One V2 group becomes one V1 group for each of its sub-groups; a V1 group stays as it is.
fn flatten(group: Value) -> Vec<Value> {
    let Value::Object(mut group) = group else {
        return vec![group];
    };
    let sub_groups = match group.remove("orderingSubGroups") {
        Some(Value::Array(sub_groups)) if !sub_groups.is_empty() => sub_groups,
        _ => return vec![Value::Object(group)],
    };
    let flat = sub_groups.into_iter().map(|sub_group| {
        let mut flat = group.clone();
        if let Value::Object(sub_group) = sub_group {
            flat.extend(sub_group.into_iter().map(|(name, value)| match name.as_str() {
                "orderingGroupID" => ("orderingSubGroupID".to_owned(), value),
                "orderingGroupName" => ("orderingSubGroupName".to_owned(), value),
                _ => (name, value),
            }));
        }
        Value::Object(flat)
    });
    flat.collect()
}
