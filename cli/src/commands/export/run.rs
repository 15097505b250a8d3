//! `perenso export run`.

use std::{fs::File, io, pin::pin};

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use perenso::{
    ErrorKind,
    exports::{Paging, RawRow, RowFormat, Run as ExportRun},
};
use serde_json::{Value, json};

use super::{
    progress,
    spool::Spool,
    target::{FileFormat, Target},
};
use crate::{
    context::Context,
    output::{Code, Failure, Stdout, counted},
};

/// The number of rows between two saved cursors.
const SAVED_ROWS: u64 = 1000;

/// Run an export, and write its rows into a file or to standard output
///
/// A file is there as a whole, or not at all: if the export fails, a file of the same name stays as it was. Standard output is
/// written when all rows are there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso export run Vendors -o vendors.xlsx
  perenso export run \"Get API Customers\" --pages -o customers.xlsx
  perenso export run \"Get API Customers\" --param Cursor=1 --param Limit=15 -o customers.csv
  perenso export run Vendors --format jsonl | head -n 3
  perenso export run Vendors --rows member:data -o vendors.parquet")]
pub(super) struct Run {
    /// The name of the export, or its id: see `perenso export list`
    name: String,
    /// The value of a parameter; see `perenso export describe`
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = crate::commands::name_and_value)]
    parameters: Vec<(String, String)>,
    /// Read all pages, and set the parameters `Cursor` and `Limit` if they have no value
    #[arg(long)]
    pages: bool,
    /// The unit that `Cursor` counts in
    #[arg(long, value_name = "WHAT", value_parser = ["page", "offset"], default_value = "page", requires = "pages")]
    count: String,
    /// The name of the parameter that chooses the page
    #[arg(long, value_name = "NAME", default_value = "Cursor", requires = "pages")]
    cursor_param: String,
    /// The name of the parameter with the number of rows of a page
    #[arg(long, value_name = "NAME", default_value = "Limit", requires = "pages")]
    limit_param: String,
    /// The syntax of rows, if the show itself does not say so: json, jsonl, csv, `csv:;` with another delimiter, or member:NAME for a
    /// list in an object
    #[arg(long, value_name = "SYNTAX", value_parser = row_format)]
    rows: Option<RowFormat>,
    /// Keep what was read in hidden files beside the file, and go on there if an earlier run was interrupted
    #[arg(long, requires = "pages")]
    resume: bool,
    #[command(flatten)]
    target: Target,
}

impl Run {
    pub(super) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let format = self.target.format(context.output.json)?;
        if self.resume && self.target.path().is_none() {
            return Err(Failure::usage("`--resume` needs a file to go on with: add `-o FILE`"));
        }
        let connection = context.connect().await?;
        let exports = connection.show.exports();
        let catalog = exports.catalog().await?;
        let export = super::find(&catalog, &self.name)?;
        let names: Vec<&str> = export.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        let is_given = |name: &str| self.parameters.iter().any(|(given, _)| given == name);
        let lacks_pages = !self.pages
            && names.contains(&self.cursor_param.as_str())
            && [&self.cursor_param, &self.limit_param].iter().any(|name| !is_given(name));
        let run = self.parameters.iter().fold(exports.run_id(export.id()), |run, (name, text)| run.text(name, text));
        let run = match &self.rows {
            Some(format) => run.format(format.clone()),
            None => run,
        };
        if let (true, Some(path)) = (self.resume, self.target.path()) {
            let spool = self.spool(context, run, Spool::open(path, self.identity(export.id()))?).await?;
            let done = self.write(context, format, spool.rows()?.boxed()).await?;
            spool.remove()?;
            return Ok(done);
        }
        let rows = match self.stream(run).await {
            Err(error) if lacks_pages && error.kind() == ErrorKind::Input => {
                context.output.note("note: with `--pages` all pages are read, and nothing needs to be said of them");
                return Err(error.into());
            }
            rows => rows?,
        };
        self.write(context, format, rows).await
    }

    /// Returns the rows of the export.
    async fn stream(
        &self,
        run: ExportRun,
    ) -> Result<BoxStream<'static, Result<RawRow, perenso::Error>>, perenso::Error> {
        if !self.pages {
            return Ok(run.rows::<RawRow>().await?.boxed());
        }
        Ok(run.all_rows::<RawRow>(self.paging()).await?.boxed())
    }

    fn paging(&self) -> Paging {
        let paging = if self.count == "offset" { Paging::by_offset() } else { Paging::by_page() };
        paging.cursor_parameter(&self.cursor_param).limit_parameter(&self.limit_param)
    }

    /// Returns what tells this run from others.
    fn identity(&self, export: &str) -> Value {
        json!([export, self.parameters, self.count, self.cursor_param, self.limit_param])
    }

    /// Reads the rows that the spool does not have yet. Whatever ends this early, the spool has all rows that came.
    async fn spool(&self, context: &Context, run: ExportRun, mut spool: Spool) -> Result<Spool, Failure> {
        let paging = match spool.cursor() {
            Some(cursor) => {
                context.output.note(&format!(
                    "note: going on behind {}; if rows have moved on the show meanwhile, one may come twice or be missing",
                    counted(spool.count(), "row")
                ));
                self.paging().start(cursor)
            }
            None => self.paging(),
        };
        let mut pages = run.pages::<RawRow>(paging).await?;
        let mut stop = pin!(context.interruption());
        let ended = loop {
            let row = tokio::select! {
                row = pages.try_next() => row,
                () = &mut stop => break Err(Failure::interrupted()),
            };
            match row {
                Ok(Some(row)) => spool.push(&row)?,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            if spool.count().is_multiple_of(SAVED_ROWS) {
                spool.save(pages.cursor())?;
            }
        };
        spool.save(pages.cursor())?;
        match ended {
            Ok(()) => Ok(spool),
            Err(failure) => {
                context
                    .output
                    .note(&format!("note: {} are kept; the same command goes on there", counted(spool.count(), "row")));
                Err(failure)
            }
        }
    }

    async fn write(
        &self,
        context: &Context,
        format: FileFormat,
        rows: BoxStream<'static, Result<RawRow, perenso::Error>>,
    ) -> Result<Code, Failure> {
        let Some(path) = self.target.path() else {
            let failed =
                |error: io::Error| Failure::failed(format!("the rows cannot be kept in a temporary file: {error}"));
            let directory = tempfile::tempdir().map_err(failed)?;
            let path = directory.path().join("rows");
            let file = self.target.file(format, path.clone());
            let written = progress::draw(file, context.output).write(rows).await?;
            let mut rows = File::open(path).map_err(failed)?;
            let mut out = Stdout::new();
            io::copy(&mut rows, &mut out)
                .and_then(|_| io::Write::flush(&mut out))
                .map_err(|error| Failure::stdout(&error))?;
            context.output.note(&counted(written.rows, "row"));
            return Ok(Code::Done);
        };
        let file = self.target.file(format, path.clone());
        let written = progress::draw(file, context.output).write(rows).await?;
        if context.output.json {
            let columns = written.schema.as_ref().map(|schema| schema.columns());
            Stdout::json(&json!({ "file": path, "rows": written.rows, "bytes": written.bytes, "columns": columns }))?;
        } else {
            context.output.note(&format!("{} in {}", counted(written.rows, "row"), path.display()));
        }
        Ok(Code::Done)
    }
}

/// Parses the syntax of rows.
fn row_format(text: &str) -> Result<RowFormat, &'static str> {
    match text {
        "json" => return Ok(RowFormat::json_array()),
        "jsonl" => return Ok(RowFormat::json_lines()),
        "csv" => return Ok(RowFormat::csv()),
        _ => {}
    }
    if let Some(delimiter) = text.strip_prefix("csv:") {
        return match delimiter.as_bytes() {
            b"tab" => Ok(RowFormat::csv().delimiter(b'\t')),
            [delimiter] if delimiter.is_ascii_punctuation() => Ok(RowFormat::csv().delimiter(*delimiter)),
            _ => Err("expected a delimiter behind `csv:`, such as `csv:;` or `csv:tab`"),
        };
    }
    let member = text.strip_prefix("member:").filter(|path| path.split('.').all(|name| !name.is_empty()));
    let Some((first, rest)) = member.map(|path| path.split_once('.').unwrap_or((path, ""))) else {
        return Err("expected json, jsonl, csv, csv: and a delimiter, or member: and the name of the list");
    };
    let rest = rest.split('.').filter(|name| !name.is_empty());
    Ok(rest.fold(RowFormat::json_member(first), RowFormat::member))
}
