//! The target of the rows of an export, and its format.

use std::{ffi::OsStr, path::PathBuf};

use clap::{Args, ValueEnum};
use perenso::exports::files::{SchemaChanges, ToFile};

use crate::output::Failure;

/// The format of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line, as the show wrote it
    Jsonl,
    /// Parquet, for databases and data tools
    Parquet,
    /// An Excel workbook: text stays text, numbers and times are typed
    Xlsx,
}

/// The file of the rows, its format and its schema.
#[derive(Args, Debug)]
pub(super) struct Target {
    /// Write into this file, in the format of its ending: .csv, .jsonl, .parquet or .xlsx; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// The format, in place of that of the ending; on standard output CSV or JSON lines
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Keep the names and types of the columns in this file, and fail if they change
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Accept changed columns, and save them in the file of `--schema`
    #[arg(long, requires = "schema")]
    accept_changes: bool,
}

impl Target {
    /// Returns the path of the file; `None` for stdout.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        (self.output.as_os_str() != "-").then_some(&self.output)
    }

    /// Returns the format that was asked for, or that of the ending.
    pub(super) fn format(&self, json: bool) -> Result<FileFormat, Failure> {
        let Some(path) = self.path() else {
            return match self.format {
                Some(FileFormat::Parquet | FileFormat::Xlsx) => Err(Failure::usage(
                    "standard output takes CSV or JSON lines: name a file for another format, such as `-o rows.xlsx`",
                )),
                Some(format) => Ok(format),
                None if json => Ok(FileFormat::Jsonl),
                None => Ok(FileFormat::Csv),
            };
        };
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        match (self.format, ending.as_str()) {
            (Some(format), _) => Ok(format),
            (None, "csv") => Ok(FileFormat::Csv),
            (None, "jsonl" | "ndjson") => Ok(FileFormat::Jsonl),
            (None, "parquet") => Ok(FileFormat::Parquet),
            (None, "xlsx") => Ok(FileFormat::Xlsx),
            (None, _) => Err(Failure::usage(format!(
                "the ending of `{}` names no format: expected .csv, .jsonl, .parquet or .xlsx, or add `--format`",
                path.display()
            ))),
        }
    }

    /// Returns the writer of a file.
    pub(super) fn file(&self, format: FileFormat, path: PathBuf) -> ToFile {
        let file = match format {
            FileFormat::Csv => ToFile::csv(path),
            FileFormat::Jsonl => ToFile::json_lines(path),
            FileFormat::Parquet => ToFile::parquet(path),
            FileFormat::Xlsx => ToFile::xlsx(path),
        };
        let file = match &self.schema {
            Some(schema) => file.schema_file(schema),
            None => file,
        };
        file.changes(if self.accept_changes { SchemaChanges::Accept } else { SchemaChanges::Refuse })
    }
}
