//! `perenso export describe`.

use clap::Args;
use perenso::exports::Descriptor;
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    output::{Code, Columns, Failure, Format, RecordWriter, Stdout},
};

/// Show the parameters of an export, and how to run it
///
/// The catalog of a show does not say which columns an export has: `perenso export run` writes all that occur.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso export describe \"Get API Customers\"
  perenso export describe \"Get API Customers\" --json")]
pub(super) struct Describe {
    /// The name of the export, or its id
    name: String,
    /// The format; by default a table on a terminal, and CSV for another program
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

impl Describe {
    pub(super) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let format = Format::choose(self.format, context.output.json, None)?;
        let connection = context.connect().await?;
        let catalog = connection.show.exports().catalog().await?;
        let export = super::find(&catalog, &self.name)?;
        let parameters = export.parameters().iter().map(|parameter| {
            // No parameter is optional, and none has a default.
            Map::from_iter(
                [
                    ("name", parameter.name.as_str().into()),
                    ("type", parameter.data_type.as_str().into()),
                    ("required", true.into()),
                    ("default", Value::Null),
                    ("expected", parameter.data_type.accepts().into()),
                    ("description", parameter.description.as_deref().into()),
                ]
                .map(|(name, value): (&str, Value)| (name.to_owned(), value)),
            )
        });
        if format == Format::Json {
            let parameters: Vec<_> = parameters.collect();
            Stdout::json(&json!({ "id": export.id(), "name": export.name(), "parameters": parameters }))?;
        } else {
            let columns = ["name", "type", "required", "default", "expected", "description"];
            let only = columns.iter().map(|&name| name.to_owned()).collect();
            let columns = Columns { only: Some(only), first: Vec::new() };
            let mut writer = RecordWriter::new(Stdout::new(), format, columns);
            for parameter in parameters {
                writer.write(parameter)?;
            }
            writer.finish()?;
        }
        context.output.note(&format!("to run it: {}", example(export)));
        Ok(Code::Done)
    }
}

/// Returns a command line that runs the export.
fn example(export: &Descriptor) -> String {
    let name = export.name();
    let is_plain = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    let named = if name.chars().all(is_plain) { format!("\"{name}\"") } else { export.id().to_owned() };
    let names: Vec<&str> = export.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    let is_paged = ["Cursor", "Limit"].iter().all(|name| names.contains(name));
    let values = names.iter().filter(|name| !is_paged || !["Cursor", "Limit"].contains(name));
    let values: String = values.map(|name| format!(" --param \"{name}=…\"")).collect();
    let pages = if is_paged { " --pages" } else { "" };
    format!("perenso export run {named}{values}{pages} -o rows.xlsx")
}
