//! `perenso customers changes`.

use std::path::PathBuf;

use clap::Args;
use perenso::{Error, Perenso, Watermark};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{RecordOutput, ResourceInfo};
use crate::{
    context::Context,
    files::replace_file,
    output::{Code, Failure},
};

/// Write what changed since the last time
///
/// The watermark file remembers how far the last run has read. It is replaced when all records are written, so a run that fails
/// is simply run again. Deletions are not reported.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers changes --since 2025-01-31 --watermark customers.watermark    The first time
  perenso customers changes --watermark customers.watermark                       Every time after it")]
pub(super) struct Changes {
    /// Where to begin if there is no watermark file yet: a date or a time, by the clock of the show
    #[arg(long, value_name = "DATE", required_unless_present = "watermark")]
    since: Option<String>,
    /// The file that remembers how far was read
    #[arg(long, value_name = "FILE")]
    watermark: Option<PathBuf>,
    #[command(flatten)]
    output: RecordOutput,
}

impl Changes {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let since = self.start()?;
        let mut writer = self.output.writer(context, resource)?;
        let connection = context.connect().await?;
        let (records, watermark) = read(&connection.show, resource, since).await?;
        for record in records {
            writer.write(record)?;
        }
        let count = writer.finish().await?;
        if let Some(path) = &self.watermark {
            let text = serde_json::to_vec(&watermark)
                .map_err(|error| Failure::failed(format!("the watermark cannot be written: {error}")))?;
            replace_file(path, &text)?;
        }
        let until = watermark.modified_date().as_str();
        context.output.note(&format!("{count} changed {}, up to {until}", resource.plural));
        Ok(Code::Done)
    }

    /// Returns the watermark of the file, or the first one.
    fn start(&self) -> Result<Watermark, Failure> {
        if let Some(path) = &self.watermark {
            match std::fs::read(path) {
                Ok(text) => {
                    return serde_json::from_slice(&text).map_err(|_| {
                        Failure::usage(format!(
                            "`{}` is no watermark file: name another, or remove it and say `--since`",
                            path.display()
                        ))
                    });
                }
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::file("read", path, &error));
                }
                Err(_) => {}
            }
        }
        match &self.since {
            Some(since) => Ok(Watermark::from(since.as_str())),
            None => Err(Failure::usage("there is no watermark file yet: add `--since` with a date to begin at")),
        }
    }
}

/// Reads the changes of a resource.
async fn read(
    show: &Perenso,
    resource: &ResourceInfo,
    since: Watermark,
) -> Result<(Vec<Map<String, Value>>, Watermark), Failure> {
    Ok(match resource.name {
        "attendees" => fields(show.attendees().changes(since).send().await)?,
        "orders" => fields(show.orders().changes(since).send().await)?,
        _ => fields(show.customers().changes(since).send().await)?,
    })
}

type Changed<T> = Result<perenso::ChangedRecords<T>, Error>;

fn fields<T: Serialize>(changed: Changed<T>) -> Result<(Vec<Map<String, Value>>, Watermark), Failure> {
    let changed = changed?;
    let mut records = Vec::with_capacity(changed.records.len());
    for record in &changed.records {
        match serde_json::to_value(record) {
            Ok(Value::Object(record)) => records.push(record),
            _ => return Err(Failure::failed("a record cannot be written as JSON")),
        }
    }
    Ok((records, changed.watermark))
}
