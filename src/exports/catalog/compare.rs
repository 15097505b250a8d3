//! Comparison of two catalogs: pairs their exports and lists changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value as Json};

use super::{
    Catalog,
    checked::runnable_id,
    descriptor::Descriptor,
    drift::{Change, ChangeKind, Drift},
};
use crate::{records::Id, types::ExportParameter};

/// Lists the changes from one catalog to another.
pub(crate) fn compare(saved: &Catalog, live: &Catalog) -> Drift {
    let (saved, live): (Vec<_>, Vec<_>) = (saved.iter().collect(), live.iter().collect());
    let runs = RunnableKeys::of(&saved);
    let mut partners = Pairs::of(saved.len(), live.len());
    partners.pair(&saved, &live, |export| Some((export.id(), export.name())));
    // Unique ids and names identify an export better than shared ones, so they are matched first.
    partners.pair(&saved, &live, |export| runs.by_id.get(export.id()));
    partners.pair(&saved, &live, |export| runs.by_name.get(export.name()));
    partners.pair(&saved, &live, |export| Some(export.id()));
    partners.pair(&saved, &live, |export| Some(export.name()));
    let names = live.iter().map(|export| export.name()).collect();
    let mut found = ChangeCollector { runs, names, changes: Vec::new() };
    for (export, partner) in saved.iter().zip(&partners.of_saved) {
        match partner {
            Some(place) => found.compare(export, live[*place]),
            None => found.push(export, ChangeKind::ExportGone, found.runs.has(export)),
        }
    }
    for export in partners.unpaired().map(|place| live[place]) {
        found.push(export, ChangeKind::ExportNew, found.runs.is_taken(export.name(), export.id()));
    }
    Drift::of(found.changes)
}

/// Pairs of saved and live items.
struct Pairs {
    /// For each saved item, the index of its live partner.
    of_saved: Vec<Option<usize>>,
    live: usize,
}

impl Pairs {
    fn of(saved: usize, live: usize) -> Self {
        Self { of_saved: vec![None; saved], live }
    }

    /// Pairs unpaired items that have the same key. Items that share a key are paired in order.
    fn pair<'a, T, K: Ord>(&mut self, saved: &'a [T], live: &'a [T], key: impl Fn(&'a T) -> Option<K>) {
        let mut free: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
        for place in self.unpaired() {
            if let Some(key) = key(&live[place]) {
                free.entry(key).or_default().push_back(place);
            }
        }
        for (one, partner) in saved.iter().zip(&mut self.of_saved).filter(|(_, partner)| partner.is_none()) {
            *partner = key(one).and_then(|key| free.get_mut(&key)?.pop_front());
        }
    }

    /// Returns the indexes of live items without a partner.
    fn unpaired(&self) -> impl Iterator<Item = usize> + use<> {
        let taken: BTreeSet<usize> = self.of_saved.iter().flatten().copied().collect();
        (0..self.live).filter(move |place| !taken.contains(place))
    }

    fn are_in_order(&self) -> bool {
        self.of_saved.iter().flatten().is_sorted()
    }
}

/// Names and ids that identify exactly one runnable export of the saved catalog.
struct RunnableKeys<'a> {
    by_name: BTreeSet<&'a str>,
    by_id: BTreeSet<&'a str>,
}

impl<'a> RunnableKeys<'a> {
    fn of(saved: &[&'a Descriptor]) -> Self {
        let unique = |key: fn(&'a Descriptor) -> &'a str| {
            let mut times: BTreeMap<&str, usize> = BTreeMap::new();
            saved.iter().for_each(|export| *times.entry(key(export)).or_default() += 1);
            saved
                .iter()
                .filter(|export| runnable_id(export).is_ok())
                .map(|export| key(export))
                .filter(|key| times[key] == 1)
                .collect()
        };
        Self { by_name: unique(Descriptor::name), by_id: unique(Descriptor::id) }
    }

    fn has(&self, export: &Descriptor) -> bool {
        self.by_name.contains(export.name()) || self.by_id.contains(export.id())
    }

    fn is_taken(&self, name: &str, id: &str) -> bool {
        self.by_name.contains(name) || self.by_id.contains(id)
    }
}

/// Collects the changes.
struct ChangeCollector<'a> {
    runs: RunnableKeys<'a>,
    /// Export names of the live catalog.
    names: BTreeSet<&'a str>,
    changes: Vec<Change>,
}

impl ChangeCollector<'_> {
    fn push(&mut self, export: &Descriptor, kind: ChangeKind, breaks: bool) {
        self.changes.push(Change { id: export.id().to_owned(), name: export.name().to_owned(), kind, breaks });
    }

    fn compare(&mut self, saved: &Descriptor, live: &Descriptor) {
        let (by_name, by_id) = (self.runs.by_name.contains(saved.name()), self.runs.by_id.contains(saved.id()));
        if saved.name() != live.name() {
            // A generated struct is rejected if another export has taken its name.
            let is_ambiguous = by_id && self.names.contains(saved.name());
            let breaks = by_name || is_ambiguous || self.runs.by_name.contains(live.name());
            self.push(saved, ChangeKind::ExportRenamed { to: live.name().to_owned() }, breaks);
        }
        if saved.id() != live.id() {
            let breaks = by_id || self.runs.by_id.contains(live.id()) || (by_name && Id::new(live.id()).is_err());
            self.push(saved, ChangeKind::IdChanged { to: live.id().to_owned() }, breaks);
        }
        self.compare_fields(saved, None, saved.extra(), live.extra());
        self.compare_parameters(saved, live.parameters(), by_name || by_id);
    }

    fn compare_parameters(&mut self, export: &Descriptor, live: &[ExportParameter], runs: bool) {
        let saved = export.parameters();
        let mut partners = Pairs::of(saved.len(), live.len());
        partners.pair(saved, live, |parameter| Some((&parameter.name, parameter.data_type.as_str())));
        partners.pair(saved, live, |parameter| Some(&parameter.name));
        for (old, partner) in saved.iter().zip(&partners.of_saved) {
            let parameter = old.name.clone();
            let Some(new) = partner.map(|place| &live[place]) else {
                let data_type = old.data_type.to_string();
                self.push(export, ChangeKind::ParameterGone { parameter, data_type }, runs);
                continue;
            };
            if old.data_type != new.data_type {
                let (expected, found) = (old.data_type.to_string(), new.data_type.to_string());
                self.push(export, ChangeKind::ParameterRetyped { parameter, expected, found }, runs);
            }
            let (from, to) = (old.description.as_deref(), new.description.as_deref());
            if from != to {
                let (from, to) = (from.map(str::to_owned), to.map(str::to_owned));
                self.push(export, ChangeKind::DescriptionChanged { parameter: old.name.clone(), from, to }, false);
            }
            self.compare_fields(export, Some(&old.name), &old.extra, &new.extra);
        }
        for new in partners.unpaired().map(|place| &live[place]) {
            let (parameter, data_type) = (new.name.clone(), new.data_type.to_string());
            self.push(export, ChangeKind::ParameterNew { parameter, data_type }, runs);
        }
        if !partners.are_in_order() {
            self.push(export, ChangeKind::ParametersReordered, false);
        }
    }

    fn compare_fields(
        &mut self,
        export: &Descriptor,
        parameter: Option<&String>,
        saved: &Map<String, Json>,
        live: &Map<String, Json>,
    ) {
        let names: BTreeSet<&String> = saved.keys().chain(live.keys()).collect();
        for field in names.into_iter().filter(|field| saved.get(*field) != live.get(*field)) {
            let (from, to) = (saved.get(field).cloned(), live.get(field).cloned());
            let kind = ChangeKind::FieldChanged { parameter: parameter.cloned(), field: field.clone(), from, to };
            self.push(export, kind, false);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        exports::{ParameterValue, catalog::export::ExportDeclaration},
        types::ExportDataType as Type,
    };

    fn catalog(json: &Json) -> Catalog {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn between(saved: &Json, live: &Json) -> Drift {
        compare(&catalog(saved), &catalog(live))
    }

    fn parameter(name: &str, data_type: &str) -> Json {
        json!({"name": name, "dataType": data_type})
    }

    fn export(id: &str, name: &str, parameters: &[Json]) -> Json {
        json!({"id": id, "name": name, "parameters": parameters})
    }

    #[test]
    fn every_change_is_listed_and_breaking_ones_are_marked() {
        let saved = json!([
            export("1", "Vendors", &[]),
            {"id": "2", "name": "Customers", "owner": "a", "parameters": [
                {"name": "Cursor", "dataType": "Integer", "description": "Page", "unit": "pages"},
                {"name": "Limit", "dataType": "Integer"},
                {"name": "Since", "dataType": "DateTime", "description": null},
            ]},
            export("3", "Booths", &[]),
            export("4", "Orders", &[]),
        ]);
        let live = json!([
            export("5", "Stock", &[]),
            export("4", "All orders", &[]),
            export("6", "Booths", &[]),
            {"id": "2", "name": "Customers", "parameters": [
                {"name": "Since", "dataType": "DateTime"},
                {"name": "Zone", "dataType": "Text"},
                {"name": "Cursor", "dataType": "Text", "description": "Rows", "unit": "rows", "new": 1},
            ]},
        ]);
        let drift = between(&saved, &live);
        assert_eq!(
            drift.to_string(),
            "\
breaks  Vendors (1): gone
        Customers (2): field `owner` gone
breaks  Customers (2): parameter `Cursor`: expected Integer, found Text
        Customers (2): parameter `Cursor`: description changed
        Customers (2): parameter `Cursor`: field `new` new
        Customers (2): parameter `Cursor`: field `unit` changed
breaks  Customers (2): parameter `Limit`: gone, was Integer
breaks  Customers (2): parameter `Zone`: new, Text
        Customers (2): order of the parameters changed
breaks  Booths (3): id changed to `6`
breaks  Orders (4): renamed to `All orders`
        Stock (5): new"
        );
        assert!(drift.breaks() && !drift.is_empty());
        assert_eq!(
            serde_json::to_value(&drift.changes()[2..4]).unwrap(),
            json!([
                {"id": "2", "name": "Customers", "change": "parameter_retyped", "parameter": "Cursor",
                    "expected": "Integer", "found": "Text", "breaks": true},
                {"id": "2", "name": "Customers", "change": "description_changed", "parameter": "Cursor",
                    "from": "Page", "to": "Rows", "breaks": false},
            ])
        );
        assert_eq!(serde_json::to_value(&drift).unwrap().as_array().map(Vec::len), Some(12));
    }

    #[test]
    fn the_same_exports_in_another_order_are_no_drift() {
        let (one, other) = (export("1", "Vendors", &[]), export("2", "Booths", &[parameter("A", "Text")]));
        let drift = between(&json!([one, other]), &json!([other, one]));
        assert_eq!((drift.is_empty(), drift.breaks(), drift.to_string().as_str()), (true, false, "no changes"));
    }

    #[test]
    fn exports_with_shared_names_are_paired_as_far_as_possible() {
        let (a, b) = (export("1", "Zones", &[]), export("2", "Zones", &[]));
        // A second export with the name: runs by name are rejected from now on.
        assert_eq!(
            between(&json!([a]), &json!([a, b])).to_string(),
            "breaks  Zones (2): new, with the id or the name of another export"
        );
        // A shared name could not be run; a unique id could.
        let renamed = export("2", "Areas", &[]);
        assert_eq!(between(&json!([a, b]), &json!([b, a])).to_string(), "no changes");
        assert_eq!(between(&json!([b, b]), &json!([b])).to_string(), "        Zones (2): gone");
        assert_eq!(between(&json!([a, b]), &json!([a])).to_string(), "breaks  Zones (2): gone");
        // A generated struct would find its old name on the other export.
        assert_eq!(between(&json!([a, b]), &json!([a, renamed])).to_string(), "breaks  Zones (2): renamed to `Areas`");
        // A new id that is not valid in a path.
        let (by_name, other) = (export("1", "Areas", &[]), export("1", "Booths", &[]));
        let nowhere = export("..", "Areas", &[]);
        assert_eq!(
            between(&json!([by_name, other]), &json!([nowhere, other])).to_string(),
            "breaks  Areas (1): id changed to `..`"
        );
        // An export with a duplicate parameter could not be run.
        let twice = export("1", "Zones", &[parameter("A", "Text"), parameter("A", "Integer")]);
        let once = export("1", "Zones", &[parameter("A", "Integer")]);
        assert_eq!(
            between(&json!([twice]), &json!([once])).to_string(),
            "        Zones (1): parameter `A`: gone, was Text"
        );
        assert_eq!(between(&json!([once]), &json!([twice])).to_string(), "breaks  Zones (1): parameter `A`: new, Text");
    }

    #[test]
    fn unique_names_and_ids_are_paired_first() {
        let all = |pairs: &[(&str, &str)]| Json::from_iter(pairs.iter().map(|(id, name)| export(id, name, &[])));
        // Id and name together.
        let grid = [("1", "A"), ("2", "A"), ("1", "B"), ("2", "B")];
        let turned = [grid[3], grid[2], grid[1], grid[0]];
        assert_eq!(between(&all(&grid), &all(&turned)).to_string(), "no changes");
        // An id before a name.
        assert_eq!(
            between(&all(&[("1", "A")]), &all(&[("2", "A"), ("1", "B")])).to_string(),
            "breaks  A (1): renamed to `B`\nbreaks  A (2): new, with the id or the name of another export"
        );
        // A unique name before a shared id.
        let shared = [("1", "B"), ("2", "B"), ("2", "C")];
        assert_eq!(
            between(&all(&shared), &all(&[("1", "B"), ("2", "B"), ("2", "A"), ("3", "C")])).to_string(),
            "        C (2): id changed to `3`\n        A (2): new"
        );
        // A name that two exports share now.
        assert_eq!(
            between(&all(&[("1", "Z"), ("2", "Z"), ("3", "B")]), &all(&[("1", "Y"), ("2", "B"), ("3", "B")]))
                .to_string(),
            "        Z (1): renamed to `Y`\nbreaks  Z (2): renamed to `B`"
        );
    }

    #[test]
    fn names_of_the_server_stay_on_one_line() {
        let drift = between(&json!([]), &json!([export("1\n2", "a\u{1b}[2Jb", &[])]));
        assert_eq!(drift.to_string(), "        a\u{FFFD}[2Jb (1\u{FFFD}2): new");
    }

    /// Catalogs with frequent collisions of names and ids.
    fn tangled() -> impl Strategy<Value = Json> {
        let one_of = |names: &'static [&'static str]| prop::sample::select(names);
        let field = prop_oneof![3 => Just(None), 1 => (0..2i32).prop_map(Some)];
        let data_types = one_of(&["Integer", "Text", "Boolean", "DateTime", "Money", "Cash"]);
        let parameters =
            (one_of(&["P", "Q", "R"]), data_types, field).prop_map(|(name, data_type, field)| match field {
                None => parameter(name, data_type),
                Some(field) => {
                    json!({"name": name, "dataType": data_type, "description": field.to_string(), "unit": field})
                }
            });
        let export = (one_of(&["1", "2", "3", ""]), one_of(&["A", "B", "C"]), prop::collection::vec(parameters, 0..4))
            .prop_map(|(id, name, parameters)| export(id, name, &parameters));
        prop::collection::vec(export, 0..5).prop_map(Json::from)
    }

    /// Values that fit the data types of an export and no others.
    fn values(export: &Descriptor) -> Vec<(String, ParameterValue)> {
        let value = |data_type: &Type| match data_type {
            Type::Integer => ParameterValue::from(1),
            Type::Text => "text".into(),
            Type::Boolean => true.into(),
            Type::DateTime => chrono::DateTime::UNIX_EPOCH.into(),
            Type::Other(_) => ParameterValue::raw(json!([1])),
        };
        export.parameters().iter().map(|parameter| (parameter.name.clone(), value(&parameter.data_type))).collect()
    }

    /// The declaration that a generated struct would have.
    fn declared(export: &Descriptor) -> ExportDeclaration {
        let leak = |text: &str| &*text.to_owned().leak();
        let parameters = export.parameters().iter();
        let parameters = parameters.map(|parameter| (leak(&parameter.name), leak(parameter.data_type.as_str())));
        ExportDeclaration {
            id: leak(export.id()),
            name: leak(export.name()),
            parameters: parameters.collect::<Vec<_>>().leak(),
        }
    }

    /// Returns true if a run that was possible is now rejected or reaches another export.
    fn is_broken(saved: &Catalog, live: &Catalog) -> bool {
        let still_fits = |export: &Descriptor, found: Option<&Descriptor>| {
            // A raw value fits every unknown data type, so the declared parameters are compared too.
            found.is_some_and(|found| {
                found.check(values(export)).is_ok() && declared(export).differences(found).is_empty()
            })
        };
        // This id belonged to an export with another name.
        let is_another = |id: &str, name: &str| {
            saved.by_id(id).is_ok_and(|owner| owner.name() != name && owner.check(values(owner)).is_ok())
        };
        saved.iter().filter(|export| export.check(values(export)).is_ok()).any(|export| {
            let (id, name) = (export.id(), export.name());
            let by_name = saved.by_name(name).is_ok_and(|_| {
                let found = live.by_name(name).ok();
                !still_fits(export, found) || found.is_some_and(|found| is_another(found.id(), name))
            });
            let by_id = saved.by_id(id).is_ok() && !still_fits(export, live.by_id(id).ok());
            // A struct also finds its export by name.
            let by_struct = saved.by_id(id).is_ok() && !still_fits(export, declared(export).find(live).ok());
            by_name || by_id || by_struct
        })
    }

    /// Catalogs with unique names and ids.
    fn tidy() -> impl Strategy<Value = Json> {
        let parameters =
            prop::collection::btree_map("[A-E]", prop::sample::select(vec!["Integer", "Text", "Money"]), 0..5)
                .prop_map(|parameters| {
                    parameters.iter().map(|(name, data_type)| parameter(name, data_type)).collect::<Vec<_>>()
                });
        prop::collection::vec(parameters, 1..5).prop_map(|exports| {
            exports
                .iter()
                .enumerate()
                .map(|(place, parameters)| export(&format!("i{place}"), &format!("N{place}"), parameters))
                .collect()
        })
    }

    /// Makes one change and returns the expected difference.
    fn edit(catalog: &mut Json, what: usize, place: usize) -> Option<(ChangeKind, bool)> {
        let exports = catalog.as_array_mut().unwrap();
        let place = place % exports.len();
        match what {
            0 => {
                exports.insert(place, export("new", "New", &[parameter("A", "Text")]));
                return Some((ChangeKind::ExportNew, false));
            }
            1 => {
                exports.remove(place);
                return Some((ChangeKind::ExportGone, true));
            }
            2 => {
                exports[place]["name"] = "Other".into();
                return Some((ChangeKind::ExportRenamed { to: "Other".to_owned() }, true));
            }
            3 => {
                exports[place]["id"] = "other".into();
                return Some((ChangeKind::IdChanged { to: "other".to_owned() }, true));
            }
            4 => {
                exports[place]["owner"] = 1.into();
                let (field, to) = ("owner".to_owned(), Some(1.into()));
                return Some((ChangeKind::FieldChanged { parameter: None, field, from: None, to }, false));
            }
            5 => {
                exports.rotate_left(place);
                return None;
            }
            _ => {}
        }
        let parameters = exports[place]["parameters"].as_array_mut().unwrap();
        if what == 6 {
            parameters.insert(parameters.len() / 2, parameter("Z", "Boolean"));
            return Some((
                ChangeKind::ParameterNew { parameter: "Z".to_owned(), data_type: "Boolean".to_owned() },
                true,
            ));
        }
        let at = parameters.len() / 2;
        let first = parameters.get_mut(at)?;
        let text = |field: &str| first[field].as_str().unwrap().to_owned();
        let (parameter, data_type) = (text("name"), text("dataType"));
        Some(match what {
            7 => {
                first["dataType"] = "Cash".into();
                (ChangeKind::ParameterRetyped { parameter, expected: data_type, found: "Cash".to_owned() }, true)
            }
            8 => {
                first["description"] = "New".into();
                (ChangeKind::DescriptionChanged { parameter, from: None, to: Some("New".to_owned()) }, false)
            }
            9 => {
                first["unit"] = json!([1]);
                let parameter = Some(parameter);
                (
                    ChangeKind::FieldChanged { parameter, field: "unit".to_owned(), from: None, to: Some(json!([1])) },
                    false,
                )
            }
            10 if parameters.len() > 1 => {
                parameters.rotate_left(1);
                (ChangeKind::ParametersReordered, false)
            }
            10 => return None,
            _ => {
                parameters.remove(at);
                (ChangeKind::ParameterGone { parameter, data_type }, true)
            }
        })
    }

    proptest! {
        #[test]
        fn a_catalog_does_not_drift_from_itself(json in tangled()) {
            prop_assert!(between(&json, &json).is_empty());
        }

        #[test]
        fn a_change_breaks_if_and_only_if_a_possible_run_is_rejected(saved in tangled(), live in tangled(), takes in 0usize..4) {
            // Keep most of the saved catalog in many cases.
            let mut live = live;
            for (place, export) in saved.as_array().unwrap().iter().enumerate().take(takes) {
                let live = live.as_array_mut().unwrap();
                live.insert(place.min(live.len()), export.clone());
            }
            let drift = between(&saved, &live);
            let is_broken = is_broken(&catalog(&saved), &catalog(&live));
            prop_assert_eq!(drift.breaks(), is_broken, "{}\n{}\n{}", saved, live, drift);
        }

        #[test]
        fn one_edit_is_one_change(saved in tidy(), what in 0usize..12, place in 0usize..4) {
            let mut live = saved.clone();
            let expected = edit(&mut live, what, place);
            let found = between(&saved, &live);
            let found: Vec<_> = found.changes().iter().map(|change| (change.kind.clone(), change.breaks)).collect();
            prop_assert_eq!(found, Vec::from_iter(expected), "{}", live);
        }
    }
}
