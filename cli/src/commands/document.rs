//! `perenso document`: the vendor's OpenAPI document.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use perenso_openapi::{Difference, Document as OpenApi, DocumentChange, Facade, Unmet, compare};
use serde_json::{Value, json};

use crate::{
    context::Context,
    output::{Code, Failure, Stdout},
};

/// The document that this command was built with.
const OURS: &str = include_str!("../../openapi/perenso.json");
/// The parts of a document that the methods of the SDK need.
const FACADE: &str = include_str!("../../openapi/facade.json");

/// Compare documents of the API (OpenAPI)
#[derive(Args, Debug)]
pub(crate) struct Document {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Compare(Compare),
}

/// Show what differs between two documents of the API
///
/// Reads OpenAPI 3.0 and 3.1 and Swagger 2.0, as JSON or YAML. Without `--with`, compares with the document that this command was
/// built with, which names what is known of the API, and says which commands would no longer work. The exit code is 9 if something
/// differs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso document compare vendor.json
  perenso document compare new.yaml --with old.yaml --breaking")]
struct Compare {
    /// The new document
    new: PathBuf,
    /// The old document
    #[arg(long, value_name = "OLD")]
    with: Option<PathBuf>,
    /// Show only what breaks programs that were written against the old document
    #[arg(long)]
    breaking: bool,
}

impl Document {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        match self.action {
            Action::Compare(action) => action.run(context),
        }
    }
}

impl Compare {
    fn run(self, context: &Context) -> Result<Code, Failure> {
        let read = |path: &PathBuf| {
            OpenApi::read(path).map_err(|error| Failure::usage(format!("`{}` cannot be used: {error}", path.display())))
        };
        let new = read(&self.new)?;
        let (old, unmet) = match &self.with {
            Some(path) => (read(path)?, Vec::new()),
            None => ours(&new)?,
        };
        let mut comparison = compare(&old, &new);
        if self.breaking {
            comparison.differences.retain(|difference| difference.breaks);
        }
        if context.output.json {
            let differences: Vec<Value> = comparison.differences.iter().map(to_json).collect();
            let unmet: Vec<String> = unmet.iter().map(Unmet::to_string).collect();
            Stdout::json(&json!({ "methods": unmet, "differences": differences }))?;
        } else {
            if !unmet.is_empty() {
                let lines: String = unmet.iter().map(|unmet| format!("- {unmet}\n")).collect();
                Stdout::line(&format!("## Methods of the SDK that do not fit\n\n{lines}"))?;
            }
            Stdout::line(comparison.to_string().trim_end())?;
        }
        let is_equal = comparison.differences.is_empty() && unmet.is_empty();
        Ok(if is_equal { Code::Done } else { Code::Different })
    }
}

/// Returns the own document, whose differences name methods, and the methods that do not fit the new one.
fn ours(new: &OpenApi) -> Result<(OpenApi, Vec<Unmet>), Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::failed(format!("the built-in document is broken: {error}"));
    let ours = OpenApi::from_json(OURS).map_err(|error| broken(&error))?;
    let facade = Facade::from_json(FACADE).map_err(|error| broken(&error))?;
    Ok((facade.apply(&ours).map_err(|error| broken(&error))?, facade.check(new)))
}

fn to_json(difference: &Difference) -> Value {
    let mut value = json!({
        "operation": difference.operation,
        "part": difference.part,
        "breaks": difference.breaks,
        "method": difference.method,
        "text": difference.to_string(),
    });
    let change = match &difference.change {
        DocumentChange::Added => "added",
        DocumentChange::Removed => "removed",
        DocumentChange::Required => "required",
        DocumentChange::Optional => "optional",
        DocumentChange::Nullable => "nullable",
        DocumentChange::NotNull => "not_null",
        DocumentChange::Values { .. } => "values",
        DocumentChange::Type { .. } => "type",
        DocumentChange::Path { .. } => "path",
        _ => "other",
    };
    value["change"] = change.into();
    value
}
