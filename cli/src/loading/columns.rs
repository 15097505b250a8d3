//! The columns of a sheet as fields, and the meaning of their empty cells.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    field::Field,
    mapping::Mapping,
    results::RESULT_COLUMNS,
    target::{LoadTarget, is_same},
};
use crate::{output::Failure, sheet::shown};

/// The name of all columns without a rule of their own.
pub(super) const ALL: &str = "*";

/// The meaning of an empty cell.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EmptyRule {
    /// The field of the show stays as it is.
    Keep,
    /// The field of the show is cleared.
    Clear,
    /// The row is not loaded.
    Refuse,
}

/// Parses `--empty`: a rule, or a column and its rule.
pub(super) fn parse_rule(text: &str) -> Result<(String, EmptyRule), &'static str> {
    let (name, rule) = text.rsplit_once('=').unwrap_or((ALL, text));
    match EmptyRule::from_str(rule, false) {
        Ok(rule) => Ok((name.to_owned(), rule)),
        Err(_) => Err("expected `keep`, `clear` or `refuse`, or a column before it: `city=clear`"),
    }
}

/// Parses `--column`: a column and its field.
pub(super) fn parse_column(text: &str) -> Result<(String, String), &'static str> {
    match text.rsplit_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => Ok((column.to_owned(), field.to_owned())),
        _ => Err("expected a column and its field: `Store no.=customerID`"),
    }
}

/// A column that is loaded.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The index in a row.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) field: &'static Field,
    /// `None` if nothing is said of empty cells.
    pub(super) empty: Option<EmptyRule>,
}

/// Finds the field of each column.
pub(super) fn bind(
    names: &[String],
    target: &LoadTarget,
    mapping: &Mapping,
    ignore: &[String],
    ignores_unknown: bool,
    empty: &[(String, EmptyRule)],
) -> Result<Vec<Column>, Failure> {
    let mut fields = BTreeMap::new();
    for (column, field) in &mapping.columns {
        fields.insert(find(column, names)?, field);
        if target.field(field).is_none() {
            let (field, all) = (shown(field), target.names());
            return Err(Failure::usage(format!("the mapping names a field `{field}`, and there are only: {all}")));
        }
    }
    let ignored = ignore.iter().chain(&mapping.ignore).map(|column| find(column, names));
    let ignored: Vec<usize> = ignored.collect::<Result<_, _>>()?;
    let mut columns: Vec<Column> = Vec::new();
    let mut unknown = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() || ignored.contains(&index) || RESULT_COLUMNS.contains(&name.as_str()) {
            continue;
        }
        let field = fields.get(&index).map_or(name.as_str(), |field| field.as_str());
        let Some(field) = target.field(field) else {
            unknown.push(shown(name));
            continue;
        };
        if let Some(other) = columns.iter().find(|column| column.field == field) {
            let (other, name) = (shown(&other.name), shown(name));
            return Err(Failure::usage(format!(
                "the columns `{other}` and `{name}` are both the field `{}`: leave one out by `--ignore`",
                field.name
            )));
        }
        columns.push(Column { index, name: name.clone(), field, empty: None });
    }
    if columns.is_empty() {
        return Err(Failure::usage(format!(
            "no column of the header is a field; there are: {}. Is there another line above the header?",
            target.names()
        )));
    }
    if !unknown.is_empty() && !ignores_unknown {
        let first = &unknown[0];
        let listed: Vec<_> = unknown.iter().map(|name| format!("`{name}`")).collect();
        return Err(Failure::usage(format!(
            "{} {} no field. Say which field a column is, `--column \"{first}=FIELD\"`, or leave it out, `--ignore \"{first}\"`, or \
             leave out all such columns, `--ignore-unknown`. The fields are: {}",
            listed.join(", "),
            if unknown.len() == 1 { "is" } else { "are" },
            target.names()
        )));
    }
    let key = target.key.filter(|_| target.needs_key);
    if let Some(key) = key.filter(|key| !columns.iter().any(|column| column.field.name == *key)) {
        return Err(Failure::usage(format!("no column is the field `{key}`, by which records are found")));
    }
    let rules = mapping.empty.iter().map(|(name, rule)| (name, *rule));
    apply(&mut columns, target, rules.chain(empty.iter().map(|(name, rule)| (name, *rule))))?;
    Ok(columns)
}

/// Applies the rules for empty cells. A later one wins, and one for a column wins over that for all.
fn apply<'a>(
    columns: &mut [Column],
    target: &LoadTarget,
    rules: impl Iterator<Item = (&'a String, EmptyRule)> + Clone,
) -> Result<(), Failure> {
    for (_, rule) in rules.clone().filter(|(name, _)| *name == ALL) {
        columns.iter_mut().for_each(|column| column.empty = Some(rule));
    }
    for (name, rule) in rules.filter(|(name, _)| *name != ALL) {
        let field = target.field(name);
        let found = columns.iter_mut().find(|column| is_same(&column.name, name) || Some(column.field) == field);
        let Some(column) = found else {
            return Err(Failure::usage(format!(
                "`--empty` names `{}`, which is no column that is loaded",
                shown(name)
            )));
        };
        column.empty = Some(rule);
    }
    for column in columns.iter_mut().filter(|column| Some(column.field.name) == target.key) {
        // A key cannot be cleared; what a row without one means says the resource.
        column.empty = Some(if target.needs_key { EmptyRule::Refuse } else { EmptyRule::Keep });
    }
    Ok(())
}

/// Returns the index of a column with this name, in any writing.
fn find(column: &str, names: &[String]) -> Result<usize, Failure> {
    let exact = names.iter().position(|name| name == column);
    if let Some(index) = exact.or_else(|| names.iter().position(|name| is_same(name, column))) {
        return Ok(index);
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{}`", shown(name))).collect();
    Err(Failure::usage(format!(
        "there is no column `{}`; the header, which is the first line, has: {}",
        shown(column),
        names.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loading::target::CUSTOMERS;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_name_and_by_mapping() {
        let text = "ignore = [\"Notes\"]\n[columns]\nNo = \"customerID\"\nTown = \"city\"\n[empty]\nTown = \"refuse\"";
        let mapping: Mapping = toml::from_str(text).unwrap();
        let header = names(&["No", "Customer Name", "Town", "Notes", "", "perenso_line"]);
        let rules = vec![(ALL.to_owned(), EmptyRule::Keep)];
        let columns = bind(&header, &CUSTOMERS, &mapping, &[], false, &rules).unwrap();
        let found: Vec<_> = columns.iter().map(|column| (column.index, column.field.name, column.empty)).collect();
        assert_eq!(
            found,
            [
                (0, "customerID", Some(EmptyRule::Refuse)),
                (1, "customerName", Some(EmptyRule::Keep)),
                (2, "city", Some(EmptyRule::Refuse)),
            ]
        );
    }
}
