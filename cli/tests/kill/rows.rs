//! A file of rows, and what is to become of each.

use std::{collections::HashMap, fmt::Write as _};

use fastrand::Rng;
use perenso_sandbox::Show;
use serde_json::{Map, Value, json};

/// The resource of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Records with a key, which can be read.
    Customers,
    /// Records without a key, which nobody can read.
    OrderHistory,
}

impl Resource {
    /// The command.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::OrderHistory => "order-history",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Customers => "/v2/customers/bulk",
            Self::OrderHistory => "/OrderHistory",
        }
    }

    pub(crate) fn has_keys(self) -> bool {
        self == Self::Customers
    }

    /// The member by which the row of a record is known.
    fn member(self) -> &'static str {
        match self {
            Self::Customers => "customerID",
            Self::OrderHistory => "bucket",
        }
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            Self::Customers => &["customerID", "customerName", "city", "fax", "priceZone", "salesReps"],
            Self::OrderHistory => {
                &["customerid", "productid", "orderUnit", "orderTypeDescription", "bucket", "mainNumber"]
            }
        }
    }
}

/// What is to become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The show accepts it.
    Accepted,
    /// The command does not send it.
    Mistake,
    /// The show refuses it.
    Refused,
}

/// A row of the file.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
    pub(crate) expected: Expected,
    /// The text by which its record is known.
    pub(crate) mark: String,
    /// The record that is sent.
    pub(crate) record: Map<String, Value>,
}

/// A file of rows.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) resource: Resource,
    pub(crate) rows: Vec<Row>,
    by_mark: HashMap<String, u32>,
}

impl Rows {
    pub(crate) fn new(resource: Resource, count: usize, random: &mut Rng, show: &Show) -> Self {
        let customers: Vec<String> =
            show.customers().iter().filter_map(|record| record["customerID"].as_str().map(str::to_owned)).collect();
        let mut rows: Vec<Row> = (0..count)
            .map(|number| match resource {
                Resource::Customers => customer(number, random, show),
                Resource::OrderHistory => item(number, random, random_of(&customers, number)),
            })
            .collect();
        if resource.has_keys() {
            // Nobody knows which of two rows with the same key is meant.
            let (first, second) = (random.usize(..count / 2), random.usize(count / 2..count));
            rows[second].cells[0] = rows[first].cells[0].clone();
            (rows[first].expected, rows[second].expected) = (Expected::Mistake, Expected::Mistake);
        }
        let mut line = 2;
        for row in &mut rows {
            row.line = line;
            line += 1 + row.cells.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        }
        let by_mark = (0..).zip(&rows).map(|(number, row)| (row.mark.clone(), number)).collect();
        Self { resource, rows, by_mark }
    }

    /// Returns the file as CSV.
    pub(crate) fn to_csv(&self) -> String {
        let mut text = self.resource.header().join(",");
        for row in &self.rows {
            text.push('\n');
            for (index, cell) in row.cells.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                if cell.contains(['\n', ',', '"']) {
                    write!(text, "{comma}\"{}\"", cell.replace('"', "\"\"")).unwrap();
                } else {
                    write!(text, "{comma}{cell}").unwrap();
                }
            }
        }
        text.push('\n');
        text
    }

    /// Returns the row of a record; `None` for one of nobody.
    pub(crate) fn of_record(&self, record: &Value) -> Option<u32> {
        self.by_mark.get(record[self.resource.member()].as_str()?).copied()
    }

    /// Returns the rows of a request body.
    pub(crate) fn of_body(&self, body: &[u8]) -> Vec<Option<u32>> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let records = body.as_array().or_else(|| body["history"].as_array());
        records.map_or_else(|| vec![None], |records| records.iter().map(|record| self.of_record(record)).collect())
    }
}

fn random_of(keys: &[String], number: usize) -> &str {
    &keys[number % keys.len()]
}

fn customer(number: usize, random: &mut Rng, show: &Show) -> Row {
    let key = format!("K{number:05}");
    let zone = 100 + number % 900;
    let mut cells = vec![
        key.clone(),
        format!("Trade Store {number}"),
        format!("City {}", number % 50),
        format!("555-{number:04}"),
        zone.to_string(),
        "USER0001".to_owned(),
    ];
    let mut expected = Expected::Accepted;
    match random.u8(..100) {
        0 => (cells[4], expected) = ("seven".to_owned(), Expected::Mistake),
        1 => (cells[5], expected) = ("NOBODY".to_owned(), Expected::Refused),
        2 => cells[1].push_str(", \"North\"\nand South"),
        3..10 => (cells[2], cells[3]) = (String::new(), String::new()),
        10..13 => cells[5] = String::new(),
        _ => {}
    }
    if random.u8(..100) < 4 {
        let before = json!({"customerID": key, "customerName": "Before", "city": "Fargo", "fax": "555-0100"});
        show.add_customer(before).unwrap();
    }
    let mut record = Map::new();
    for (name, cell) in Resource::Customers.header().iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
        let value = match *name {
            "priceZone" => cell.parse::<i64>().map_or(Value::Null, Value::from),
            "salesReps" => json!([cell]),
            _ => json!(cell),
        };
        record.insert((*name).to_owned(), value);
    }
    Row { line: 0, cells, expected, mark: key, record }
}

fn item(number: usize, random: &mut Rng, customer: &str) -> Row {
    let bucket = format!("B{number:05}");
    let mut cells = vec![
        customer.to_owned(),
        format!("P{}", number % 12),
        "Case".to_owned(),
        String::new(),
        bucket.clone(),
        (number % 90).to_string(),
    ];
    let mut expected = Expected::Accepted;
    match random.u16(..1000) {
        0..10 => (cells[5], expected) = ("many".to_owned(), Expected::Mistake),
        10..12 => (cells[0], expected) = ("NOBODY".to_owned(), Expected::Refused),
        _ => {}
    }
    let mut record = Map::new();
    for (name, cell) in Resource::OrderHistory.header().iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
        let value =
            if *name == "mainNumber" { cell.parse::<i64>().map_or(Value::Null, Value::from) } else { json!(cell) };
        record.insert((*name).to_owned(), value);
    }
    Row { line: 0, cells, expected, mark: bucket, record }
}
