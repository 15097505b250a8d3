//! Lossless conversion between the two forms of ordering groups: flat (V1) and nested (V2).

use super::field::Field;
use crate::types::{OrderingGroup, OrderingGroupV2, OrderingSubGroupV2};

/// The error of ordering groups that cannot be converted into the other form without loss.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("ordering group {index}: {reason}")]
#[non_exhaustive]
pub struct OrderingGroupError {
    /// The index of the group in the list, from 0.
    pub index: usize,
    /// The reason.
    pub reason: OrderingGroupReason,
}

/// The reason for which ordering groups cannot be converted.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderingGroupReason {
    /// The group has no key.
    #[error("`orderingGroupID` is missing, so nothing says which group this is")]
    NoKey,
    /// A sub group has no key, but a name or customers.
    #[error("the sub group has no key")]
    NoSubGroupKey,
    /// The list contains the group more than once, separated by other groups or with different names.
    #[error("the list contains the group before, separated by other groups or with another name")]
    Repeated,
    /// The list contains the group both with and without a sub group, which the nested form cannot express.
    #[error("the list contains the group both with and without a sub group")]
    Mixed,
    /// The list of sub groups is empty or `null`, which the flat form cannot distinguish from a missing list.
    #[error("the list of sub groups is empty or null; leave it out")]
    NoSubGroups,
    /// The entry has an `id`, which the nested form does not have. Remove it first if it is not needed.
    #[error("the entry has an `id`, which the nested form does not have")]
    Id,
    /// The group has an undocumented field, whose place in the other form is unknown.
    #[error("field `{0}` is not documented, so its place in the other form is unknown")]
    UnknownField(String),
}

use OrderingGroupReason::{Id, Mixed, NoKey, NoSubGroupKey, NoSubGroups, Repeated, UnknownField};

impl OrderingGroup {
    /// Converts nested groups into flat entries: one per sub group, or one for a group without sub groups.
    ///
    /// # Errors
    /// The flat form cannot express a group.
    ///
    /// # Examples
    /// ```
    /// use perenso::types::{OrderingGroup, OrderingGroupV2, OrderingSubGroupV2};
    ///
    /// let nested = vec![OrderingGroupV2 {
    ///     ordering_group_id: "OG1".into(),
    ///     ordering_sub_groups: [1, 2]
    ///         .map(|n| OrderingSubGroupV2 {
    ///             ordering_group_id: format!("S{n}").into(),
    ///             ..Default::default()
    ///         })
    ///         .into(),
    ///     ..Default::default()
    /// }];
    /// let flat = OrderingGroup::from_nested(nested.clone())?;
    /// assert_eq!(flat.len(), 2);
    /// assert_eq!(flat[1].ordering_sub_group_id.as_deref(), Some("S2"));
    /// assert_eq!(OrderingGroupV2::from_flat(flat)?, nested);
    /// # Ok::<(), perenso::OrderingGroupError>(())
    /// ```
    pub fn from_nested(groups: Vec<OrderingGroupV2>) -> Result<Vec<Self>, OrderingGroupError> {
        let mut keys = Vec::new();
        let mut flat = Vec::new();
        for (index, group) in groups.into_iter().enumerate() {
            flatten(group, &mut keys, &mut flat).map_err(|reason| OrderingGroupError { index, reason })?;
        }
        Ok(flat)
    }
}

impl OrderingGroupV2 {
    /// Converts flat entries into nested groups: consecutive entries of the same group become one group.
    ///
    /// # Errors
    /// The nested form cannot express an entry. Entries that were read have an `id`, which it does not have: clear it first
    /// (`entry.id.take()`).
    pub fn from_flat(entries: Vec<OrderingGroup>) -> Result<Vec<Self>, OrderingGroupError> {
        let mut nested = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            nest(entry, &mut nested).map_err(|reason| OrderingGroupError { index, reason })?;
        }
        Ok(nested)
    }
}

fn flatten(
    group: OrderingGroupV2,
    keys: &mut Vec<String>,
    flat: &mut Vec<OrderingGroup>,
) -> Result<(), OrderingGroupReason> {
    let OrderingGroupV2 { ordering_group_id, ordering_group_name, ordering_sub_groups, extra } = group;
    named_only(&extra)?;
    let key = ordering_group_id.get().ok_or(NoKey)?;
    if keys.contains(key) {
        return Err(Repeated);
    }
    keys.push(key.clone());
    let entry = OrderingGroup { ordering_group_id, ordering_group_name, ..OrderingGroup::default() };
    match ordering_sub_groups {
        Field::Unset => flat.push(entry),
        Field::Value(subs) if !subs.is_empty() => {
            for sub in subs {
                named_only(&sub.extra)?;
                if !sub.ordering_group_id.is_set() {
                    return Err(NoSubGroupKey);
                }
                flat.push(OrderingGroup {
                    ordering_sub_group_id: sub.ordering_group_id,
                    ordering_sub_group_name: sub.ordering_group_name,
                    customers: sub.customers,
                    ..entry.clone()
                });
            }
        }
        Field::Null | Field::Value(_) => return Err(NoSubGroups),
    }
    Ok(())
}

fn nest(entry: OrderingGroup, nested: &mut Vec<OrderingGroupV2>) -> Result<(), OrderingGroupReason> {
    let OrderingGroup {
        id,
        ordering_group_id,
        ordering_group_name,
        ordering_sub_group_id,
        ordering_sub_group_name,
        customers,
        extra,
    } = entry;
    named_only(&extra)?;
    if !id.is_unset() {
        return Err(Id);
    }
    if !ordering_group_id.is_set() {
        return Err(NoKey);
    }
    let sub = OrderingSubGroupV2 {
        ordering_group_id: ordering_sub_group_id,
        ordering_group_name: ordering_sub_group_name,
        customers,
        ..OrderingSubGroupV2::default()
    };
    let bare = sub == OrderingSubGroupV2::default();
    if !bare && !sub.ordering_group_id.is_set() {
        return Err(NoSubGroupKey);
    }
    let before = nested.iter().position(|group| group.ordering_group_id == ordering_group_id);
    let last = nested.len().checked_sub(1);
    match before.and_then(|index| nested.get_mut(index)) {
        None => nested.push(OrderingGroupV2 {
            ordering_group_id,
            ordering_group_name,
            ordering_sub_groups: if bare { Field::Unset } else { vec![sub].into() },
            ..OrderingGroupV2::default()
        }),
        Some(group) if before != last || group.ordering_group_name != ordering_group_name => return Err(Repeated),
        Some(group) => match group.ordering_sub_groups.get_mut() {
            Some(subs) if !bare => subs.push(sub),
            None if bare => return Err(Repeated),
            _ => return Err(Mixed),
        },
    }
    Ok(())
}

fn named_only(extra: &serde_json::Map<String, serde_json::Value>) -> Result<(), OrderingGroupReason> {
    extra.keys().next().map_or(Ok(()), |name| Err(UnknownField(name.clone())))
}

perenso_auth::__readable_debug!(OrderingGroupError, OrderingGroupReason);

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    use super::*;

    fn field<T: std::fmt::Debug + Clone>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Field<T>> {
        prop_oneof![Just(Field::Unset), Just(Field::Null), inner.prop_map(Field::Value)]
    }

    fn customers() -> impl Strategy<Value = Field<Vec<String>>> {
        field(vec("[0-9]{4}", 0..3))
    }

    prop_compose! {
        fn flat()(id in field("[ABC]"), name in field("[xy]"), sub in field("[12]"), sub_name in field("[uv]"),
            customers in customers()) -> OrderingGroup
        {
            OrderingGroup {
                ordering_group_id: id, ordering_group_name: name, ordering_sub_group_id: sub,
                ordering_sub_group_name: sub_name, customers, ..Default::default()
            }
        }
    }

    prop_compose! {
        fn sub()(id in field("[12]"), name in field("[uv]"), customers in customers()) -> OrderingSubGroupV2 {
            OrderingSubGroupV2 { ordering_group_id: id, ordering_group_name: name, customers, ..Default::default() }
        }
    }

    prop_compose! {
        fn nested()(id in field("[ABC]"), name in field("[xy]"), subs in field(vec(sub(), 0..3))) -> OrderingGroupV2 {
            OrderingGroupV2 {
                ordering_group_id: id, ordering_group_name: name, ordering_sub_groups: subs, ..Default::default()
            }
        }
    }

    proptest! {
        #[test]
        fn flat_entries_come_back(entries in vec(flat(), 0..4)) {
            if let Ok(nested) = OrderingGroupV2::from_flat(entries.clone()) {
                prop_assert_eq!(OrderingGroup::from_nested(nested).unwrap(), entries);
            }
        }

        #[test]
        fn nested_groups_come_back(groups in vec(nested(), 0..4)) {
            if let Ok(flat) = OrderingGroup::from_nested(groups.clone()) {
                prop_assert_eq!(OrderingGroupV2::from_flat(flat).unwrap(), groups);
            }
        }
    }

    #[test]
    fn several_sub_groups_are_several_entries() {
        let nested: Vec<OrderingGroupV2> = serde_json::from_value(json!([
            {"orderingGroupID": "A", "orderingGroupName": "x", "orderingSubGroups": [
                {"orderingGroupID": "1", "orderingGroupName": "u", "customers": ["5000", "5001"]},
                {"orderingGroupID": "2", "customers": null},
            ]},
            {"orderingGroupID": "B"},
        ]))
        .unwrap();
        let flat = OrderingGroup::from_nested(nested).unwrap();
        assert_eq!(
            serde_json::to_value(flat).unwrap(),
            json!([
                {"orderingGroupID": "A", "orderingGroupName": "x", "orderingSubGroupID": "1",
                    "orderingSubGroupName": "u", "customers": ["5000", "5001"]},
                {"orderingGroupID": "A", "orderingGroupName": "x", "orderingSubGroupID": "2", "customers": null},
                {"orderingGroupID": "B"},
            ])
        );
    }

    #[test]
    fn an_entry_without_a_nested_form_is_named() {
        for (entries, index, reason) in [
            (json!([{"orderingGroupName": "x"}]), 0, NoKey),
            (json!([{"orderingGroupID": "A"}, {"orderingGroupID": "B", "id": "a1"}]), 1, Id),
            (json!([{"orderingGroupID": "A", "customers": ["5000"]}]), 0, NoSubGroupKey),
            (json!([{"orderingGroupID": "A", "colour": "red"}]), 0, UnknownField("colour".to_string())),
            (json!([{"orderingGroupID": "A"}, {"orderingGroupID": "A", "orderingSubGroupID": "1"}]), 1, Mixed),
            (
                json!([
                    {"orderingGroupID": "A", "orderingSubGroupID": "1"},
                    {"orderingGroupID": "B", "orderingSubGroupID": "1"},
                    {"orderingGroupID": "A", "orderingSubGroupID": "2"},
                ]),
                2,
                Repeated,
            ),
        ] {
            let entries = serde_json::from_value(entries).unwrap();
            assert_eq!(OrderingGroupV2::from_flat(entries), Err(OrderingGroupError { index, reason }));
        }
    }

    #[test]
    fn an_entry_without_a_flat_form_is_named() {
        for (groups, index, reason) in [
            (json!([{"orderingGroupID": "A", "orderingSubGroups": []}]), 0, NoSubGroups),
            (json!([{"orderingGroupID": "A", "customers": ["5000"]}]), 0, UnknownField("customers".to_string())),
            (json!([{"orderingGroupID": "A"}, {"orderingGroupID": "A"}]), 1, Repeated),
            (json!([{"orderingGroupID": "A", "orderingSubGroups": [{"customers": ["5000"]}]}]), 0, NoSubGroupKey),
        ] {
            let groups = serde_json::from_value(groups).unwrap();
            assert_eq!(OrderingGroup::from_nested(groups), Err(OrderingGroupError { index, reason }));
        }
    }
}
