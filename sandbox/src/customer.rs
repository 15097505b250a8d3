//! Customers: their fields, the check of a record, and the two shapes of ordering groups.

use serde_json::{Map, Value};

use crate::behavior::Behavior;
use crate::field::{Field, Problem, Shape, check};
use crate::show::Tables;
use crate::table::Table;

const fn text(name: &'static str) -> Field {
    Field { name, shape: Shape::Text }
}

/// The fields of V1 and V2 customers; ordering groups may come in either shape.
pub(crate) const FIELDS: &[Field] = &[
    text("customerID"),
    text("customerName"),
    text("email"),
    text("phone"),
    text("fax"),
    Field { name: "priceZone", shape: Shape::Integer },
    Field { name: "test", shape: Shape::Boolean },
    Field { name: "placeholder", shape: Shape::Boolean },
    text("street1"),
    text("street2"),
    text("city"),
    text("state"),
    text("zipCode"),
    text("allowanceGroup"),
    text("deliveryGroup"),
    text("warehouseID"),
    text("customerClassID"),
    Field { name: "orderPermissionKey", shape: Shape::Integer },
    text("primarySalesRep"),
    Field { name: "salesReps", shape: Shape::Texts },
    Field { name: "orderingGroups", shape: Shape::Objects(ORDERING_GROUP) },
    text("extra1"),
    text("extra2"),
    text("extra3"),
    text("extra4"),
    text("extra5"),
    text("modifiedDate"),
];

const ORDERING_GROUP: &[Field] = &[
    text("orderingGroupID"),
    text("orderingGroupName"),
    text("orderingSubGroupID"),
    text("orderingSubGroupName"),
    Field { name: "customers", shape: Shape::Texts },
    Field { name: "orderingSubGroups", shape: Shape::Objects(ORDERING_SUB_GROUP) },
];

const ORDERING_SUB_GROUP: &[Field] =
    &[text("orderingGroupID"), text("orderingGroupName"), Field { name: "customers", shape: Shape::Texts }];

/// Finds what is wrong with a customer.
pub(crate) fn problems(fields: &Map<String, Value>, tables: &Tables, behavior: &Behavior) -> Vec<Problem> {
    let mut problems = check(FIELDS, fields);
    if behavior.check_references
        && let Some(Value::String(wanted)) = fields.get("warehouseID")
        && tables.warehouses.with_key(wanted).next().is_none()
    {
        let message = format!("there is no warehouse {wanted:?}");
        problems.push(Problem::new("warehouseID", message));
    }
    problems
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
