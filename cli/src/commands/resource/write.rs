//! `perenso customers create` and `update`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::{RecordOutput, ResourceInfo};
use crate::{
    commands::read_input,
    context::Context,
    output::{Code, Failure},
};

/// Create one record
///
/// A create is never repeated. If its response is lost, the exit code is 8: look for the record before you send it again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers create customerID=5041 \"customerName=Example Stores\"
  perenso customers create --file record.json")]
pub(super) struct Create {
    #[command(flatten)]
    record: RecordInput,
    #[command(flatten)]
    output: RecordOutput,
}

/// Change fields of one record
///
/// Only the fields that are named are sent.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers update 4ddjf2 city=Fargo fax:=null
  perenso customers update 4ddjf2 --file record.json")]
pub(super) struct Update {
    /// The `id` of the record, which is the show's and not your own
    id: String,
    #[command(flatten)]
    record: RecordInput,
    #[command(flatten)]
    output: RecordOutput,
}

/// The fields of a record.
#[derive(Args, Debug)]
struct RecordInput {
    /// A field as text, or with `:=` as JSON: `active:=true`, `fax:=null` to clear it
    #[arg(value_name = "FIELD=VALUE", required_unless_present = "file", value_parser = field)]
    fields: Vec<(String, Value)>,
    /// Read a JSON object from this file, or from standard input with `-`
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

fn field(text: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("expected a field and a value with `=` between them".to_owned());
    };
    let (name, value) = match name.strip_suffix(':') {
        // The message of the parser would quote the value.
        Some(name) => (name, serde_json::from_str(value).map_err(|_| "expected JSON behind `:=`".to_owned())?),
        None => (name, Value::String(value.to_owned())),
    };
    if name.is_empty() { Err("expected a field before `=`".to_owned()) } else { Ok((name.to_owned(), value)) }
}

impl RecordInput {
    fn read(self) -> Result<Map<String, Value>, Failure> {
        let mut record: Map<String, Value> = match &self.file {
            None => Map::new(),
            Some(path) => serde_json::from_slice(&read_input(path)?).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                Failure::usage(format!("`{}` is no JSON object (line {line}, column {column})", path.display()))
            })?,
        };
        record.extend(self.fields);
        Ok(record)
    }
}

impl Create {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let record = self.record.read()?;
        let connection = context.connect().await?;
        let created = resource.of(&connection.show)?.create(&record).await?;
        self.output.write_one(context, resource, created.into_fields()).await
    }
}

impl Update {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let record = self.record.read()?;
        let connection = context.connect().await?;
        let updated = resource.of(&connection.show)?.update(self.id.as_str(), &record).await;
        let updated = updated.map_err(|error| resource.not_found(&self.id, error))?;
        self.output.write_one(context, resource, updated.into_fields()).await
    }
}
