//! The catalog of exports.

pub(super) mod bind;
pub(super) mod cache;
pub(super) mod checked;
pub(super) mod compare;
pub(super) mod descriptor;
pub(super) mod drift;
pub(super) mod export;
pub(super) mod saved;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{bind::Bound, descriptor::Descriptor};
use crate::error::name::{closest_names, sanitize, shown};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_LIST,
    types::ExportDescriptor,
};

/// The exports of a show, in the order of the API.
///
/// The serialised form is the response of `GET /Export`, including fields unknown to the SDK, so a catalog can be saved
/// and read again. `Display` writes a readable list:
///
/// ```
/// let catalog: perenso::exports::Catalog = serde_json::from_str(r#"[
///     {"id": "739da9", "name": "Vendors", "parameters": []},
///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
///         {"name": "Cursor", "dataType": "Integer",
///             "description": "Index of the current set of paged customers"},
///         {"name": "Limit", "dataType": "Integer",
///             "description": "Number of customers to return per export"}]}]"#)?;
/// assert_eq!(catalog.to_string(), "\
/// Vendors (739da9)
///   no parameters
/// Get API Customers (79aag9)
///   Cursor  Integer  Index of the current set of paged customers
///   Limit   Integer  Number of customers to return per export");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalog {
    exports: Vec<Descriptor>,
}

impl Catalog {
    /// Returns the export with this name.
    ///
    /// # Errors
    /// [`ErrorKind::Export`] if no export has this name, with the closest names, or if several have it, with their ids.
    pub fn by_name(&self, name: &str) -> Result<&Descriptor, Error> {
        let mut found = self.iter().filter(|export| export.name() == name);
        match (found.next(), found.next()) {
            (Some(export), None) => Ok(export),
            (Some(_), Some(_)) => {
                let twins = self.iter().filter(|export| export.name() == name);
                let ids: Vec<String> = twins.map(|export| shown(export.id())).collect();
                Err(catalog_error(
                    format!("{} exports have the name {}: run one by its id", ids.len(), shown(name)),
                    ids,
                ))
            }
            (None, _) => Err(not_found("name", name, self.iter().map(Descriptor::name))),
        }
    }

    /// Returns the export with this id.
    ///
    /// # Errors
    /// [`ErrorKind::Export`] if no export or more than one has this id.
    pub fn by_id(&self, id: &str) -> Result<&Descriptor, Error> {
        let mut found = self.iter().filter(|export| export.id() == id);
        match (found.next(), found.next()) {
            (Some(export), None) => Ok(export),
            (Some(_), Some(_)) => {
                let twins = self.iter().filter(|export| export.id() == id);
                let names: Vec<String> = twins.map(|export| shown(export.name())).collect();
                Err(catalog_error(format!("{} exports have the id {}", names.len(), shown(id)), names))
            }
            (None, _) => Err(not_found("id", id, self.iter().map(Descriptor::id))),
        }
    }

    /// Binds a struct to the export with this name.
    ///
    /// Compares the serialised form of the struct, by its schema, with the parameters of the export. The values are
    /// [checked](Bound::check) in every run.
    ///
    /// ```
    /// use perenso::{exports::Catalog, schemars::{self, JsonSchema}};
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// #[serde(rename_all = "PascalCase")]
    /// struct GetApiCustomers {
    ///     cursor: u32,
    ///     limit: u32,
    /// }
    ///
    /// #[derive(Serialize, JsonSchema)]
    /// struct Wrong {
    ///     #[serde(rename = "Cursor")]
    ///     cursor: Option<u32>,
    ///     limit: String,
    /// }
    ///
    /// let catalog: Catalog = serde_json::from_str(r#"[
    ///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///         {"name": "Cursor", "dataType": "Integer"},
    ///         {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let customers = catalog.bind::<GetApiCustomers>("Get API Customers")?;
    /// let request = customers.check(&GetApiCustomers { cursor: 1, limit: 15 })?;
    /// # assert_eq!(request.body().unwrap_or_default()["Limit"], 15);
    ///
    /// let error = catalog.bind::<Wrong>("Get API Customers").unwrap_err();
    /// assert_eq!(error.problems(), [
    ///     "`Cursor`: expected Integer of 64 bits such as `15`, without quotes; \
    ///      found an optional integer: every parameter must be given",
    ///     "`limit`: the export has no such parameter; did you mean `Limit`? \
    ///      Add `#[serde(rename = \"Limit\")]`",
    ///     "`Limit`: the type has no such field; \
    ///      expected Integer of 64 bits such as `15`, without quotes",
    /// ]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// | data type | fields that fit |
    /// |---|---|
    /// | Integer | integers of every width, `NonZero` types too; the check rejects values beyond 64 bits |
    /// | Text | `String`, `&str`, `Cow`, `char`, enums without data, any other type with a string schema |
    /// | DateTime | chrono's `DateTime` in any zone |
    /// | Boolean | `bool` |
    /// | any other | `serde_json::Value`, sent unchanged |
    ///
    /// Newtypes, `rename`, `rename_all`, `transparent` and flattened structs are compared by their serialised form. Every
    /// parameter is required, so `Option` and `skip_serializing_if` are rejected. Maps and enums with data are rejected
    /// because their schemas do not fix the field names. An export without parameters accepts a struct without fields.
    ///
    /// If `serialize_with` changes the kind of a value, declare it by `#[schemars(with = "…")]`.
    ///
    /// # Errors
    /// Fails as [`by_name`](Self::by_name) does, and with [`ErrorKind::Input`], which names all differences.
    pub fn bind<T: Serialize + JsonSchema>(&self, name: &str) -> Result<Bound<T>, Error> {
        self.by_name(name)?.bind()
    }

    /// Iterates over the exports.
    pub fn iter(&self) -> std::slice::Iter<'_, Descriptor> {
        self.exports.iter()
    }

    /// Returns the number of exports.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exports.len()
    }

    /// Returns true if the show has no exports.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exports.is_empty()
    }
}

fn catalog_error(detail: String, problems: Vec<String>) -> Error {
    Error::several(ErrorKind::Export, EXPORT_LIST.id, detail, problems)
}

fn not_found<'a>(field: &str, wanted: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let hint = match closest_names(wanted, names) {
        names if names.is_empty() => "the show has no exports".to_owned(),
        names => format!("there are {names}"),
    };
    catalog_error(format!("no export has the {field} {}; {hint}", shown(wanted)), Vec::new())
}

impl<'a> IntoIterator for &'a Catalog {
    type Item = &'a Descriptor;
    type IntoIter = std::slice::Iter<'a, Descriptor>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<ExportDescriptor>> for Catalog {
    fn from(exports: Vec<ExportDescriptor>) -> Self {
        Self { exports: exports.into_iter().map(Descriptor::from).collect() }
    }
}

impl fmt::Display for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no exports");
        }
        for (place, export) in self.iter().enumerate() {
            let line = if place == 0 { "" } else { "\n" };
            write!(f, "{line}{export}")?;
            if export.parameters().is_empty() {
                write!(f, "\n  no parameters")?;
            }
            let columns: Vec<[String; 3]> = export
                .parameters()
                .iter()
                .map(|parameter| {
                    let description = parameter.description.as_deref().unwrap_or_default();
                    [
                        sanitize(&parameter.name, 80),
                        sanitize(parameter.data_type.as_str(), 80),
                        sanitize(description, 200),
                    ]
                })
                .collect();
            let width =
                |column: usize| columns.iter().map(|columns| columns[column].chars().count()).max().unwrap_or(0);
            let (name_width, type_width) = (width(0), width(1));
            for [name, data_type, description] in &columns {
                let row = format!("\n  {name:name_width$}  {data_type:type_width$}  {description}");
                f.write_str(row.trim_end_matches(' '))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn catalog(json: Value) -> Catalog {
        serde_json::from_value(json).unwrap()
    }

    fn named(exports: &[(&str, &str)]) -> Catalog {
        catalog(exports.iter().map(|(id, name)| json!({"id": id, "name": name, "parameters": []})).collect())
    }

    #[test]
    fn an_unknown_name_lists_the_closest_ones() {
        let catalog = named(&[
            ("1", "Orders"),
            ("2", "Vendors"),
            ("3", "Booths"),
            ("4", "A"),
            ("5", "B"),
            ("6", "C"),
            ("7", "D"),
        ]);
        let error = catalog.by_name("vendor").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Export);
        let text = error.to_string();
        assert!(text.starts_with("export_list: no export has the name `vendor`; there are `Vendors`, "), "{text}");
        assert!(text.ends_with(" and 2 more"), "{text}");
        let error = named(&[]).by_id("739da9").unwrap_err();
        assert_eq!(error.to_string(), "export_list: no export has the id `739da9`; the show has no exports");
    }

    #[test]
    fn exports_with_one_name_are_listed_by_id() {
        let catalog = named(&[("1", "Orders"), ("2", "Vendors"), ("3", "Orders"), ("2", "Booths")]);
        let error = catalog.by_name("Orders").unwrap_err();
        assert_eq!((error.kind(), error.problems()), (ErrorKind::Export, &["`1`".to_owned(), "`3`".to_owned()][..]));
        assert_eq!(catalog.by_id("3").unwrap().name(), "Orders");
        assert_eq!(catalog.by_id("2").unwrap_err().problems(), ["`Vendors`", "`Booths`"]);
    }

    #[test]
    fn a_saved_catalog_keeps_everything() {
        let json = json!([{
            "id": "a", "name": "Totals", "owner": {"team": 7}, "parameters": [
                {"name": "Total", "dataType": "Money", "description": null, "unit": "AUD"},
            ],
        }]);
        let catalog = catalog(json.clone());
        assert_eq!(serde_json::to_value(&catalog).unwrap(), json);
        assert_eq!(catalog.to_string(), "Totals (a)\n  Total  Money");
        assert_eq!((catalog.len(), named(&[]).to_string().as_str()), (1, "no exports"));
    }
}
