//! `perenso export list`.

use clap::Args;
use serde_json::{Map, Value};

use crate::{
    context::Context,
    output::{Code, Columns, Failure, Format, RecordWriter, Stdout, counted},
};

/// List the exports of the show
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso export list
  perenso export list --format csv")]
pub(super) struct List {
    /// The format; by default a table on a terminal, and CSV for another program
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let format = Format::choose(self.format, context.output.json, None)?;
        let connection = context.connect().await?;
        let catalog = connection.show.exports().catalog().await?;
        let columns = ["name", "id", "parameters"].map(str::to_owned).to_vec();
        let mut writer = RecordWriter::new(Stdout::new(), format, Columns { only: Some(columns), first: Vec::new() });
        for export in catalog.iter() {
            let names: Vec<&str> = export.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
            let parameters = match format {
                Format::Table | Format::Csv => Value::from(names.join(", ")),
                Format::Json | Format::Jsonl => names.into(),
            };
            let fields = [("name", export.name().into()), ("id", export.id().into()), ("parameters", parameters)];
            writer.write(Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value))))?;
        }
        let (count, _) = writer.finish()?;
        context.output.note(&counted(count, "export"));
        Ok(Code::Done)
    }
}
