//! The file of the ERP: customers by number, in CSV.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use csv::{ReaderBuilder, Trim};
use perenso::{Field, types::CustomerV2};
use serde::Deserialize;

use crate::Failure;

/// A line of the file. Numbers and zip codes are strings, so that `00501` keeps its zeros.
#[derive(Deserialize)]
struct Line {
    number: String,
    name: String,
    street: String,
    zip: String,
    city: String,
    phone: String,
    warehouse: String,
}

/// The content of the file.
#[derive(Debug, Default)]
pub struct Erp {
    /// The customers by their number, which is the `customerID` of the show.
    pub customers: BTreeMap<String, CustomerV2>,
    /// Numbers that the file contains twice with different data. Neither record is sent.
    pub contradictions: BTreeSet<String>,
    /// The errors of lines that cannot be read.
    pub unreadable: Vec<String>,
}

impl Erp {
    /// Reads the file.
    ///
    /// # Errors
    /// If the file does not exist or has another header. A line that cannot be read does not affect the others.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_path(path)?;
        let columns = ["number", "name", "street", "zip", "city", "phone", "warehouse"];
        if reader.headers()? != columns.as_slice() {
            return Err(format!("{}: expected the columns {}", path.display(), columns.join(", ")).into());
        }
        let mut erp = Self::default();
        for line in reader.deserialize::<Line>() {
            match line {
                Ok(line) if line.number.is_empty() => erp.unreadable.push("a line has no number".to_owned()),
                Ok(line) => erp.add(line),
                Err(error) => erp.unreadable.push(error.to_string()),
            }
        }
        Ok(erp)
    }

    /// Returns true if the ERP contains this customer.
    #[must_use]
    pub fn knows(&self, number: &str) -> bool {
        self.customers.contains_key(number) || self.contradictions.contains(number)
    }

    fn add(&mut self, line: Line) {
        let customer = CustomerV2 {
            customer_id: line.number.clone().into(),
            customer_name: line.name.into(),
            street1: line.street.into(),
            zip_code: line.zip.into(),
            city: line.city.into(),
            // Clears a field at the show that is empty in the ERP.
            phone: Field::or_null(Some(line.phone).filter(|phone| !phone.is_empty())),
            warehouse_id: Field::or_null(Some(line.warehouse).filter(|warehouse| !warehouse.is_empty())),
            ..CustomerV2::default()
        };
        if self.contradictions.contains(&line.number) {
            return;
        }
        if let Some(before) = self.customers.get(&line.number)
            && *before != customer
        {
            self.customers.remove(&line.number);
            self.contradictions.insert(line.number);
            return;
        }
        self.customers.insert(line.number, customer);
    }
}
