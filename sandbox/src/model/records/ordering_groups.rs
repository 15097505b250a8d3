//! The two shapes of a customer's ordering groups: nested in V2, flat in V1.

use serde_json::{Map, Value};

/// Converts the ordering groups of a customer to the shape of V1: flat, each with an id.
pub(crate) fn flatten_groups(fields: &mut Map<String, Value>, mut next_id: impl FnMut() -> String) {
    let Some(Value::Array(groups)) = fields.get_mut("orderingGroups") else {
        return;
    };
    let flat = std::mem::take(groups).into_iter().flat_map(flatten);
    *groups = flat
        .map(|mut group| {
            if let Value::Object(group) = &mut group {
                group.entry("id").or_insert_with(|| next_id().into());
            }
            group
        })
        .collect();
}

/// Returns one V1 group for each sub-group of a V2 group. A V1 group is returned unchanged.
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
