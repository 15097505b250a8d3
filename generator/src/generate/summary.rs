//! The account of a generated client as Markdown.

use std::fmt::Write as _;

use super::prepare::{WITH_BODY, has_optional_body};
use crate::{
    Report,
    model::{Model, schema},
};

/// Returns the operations with their idempotency, the fields that `Debug` shows, and the report.
pub(crate) fn of(model: &Model, report: &Report) -> String {
    let mut text = String::from(
        "# Generated client\n\n## Operations\n\nA `safe` or `idempotent` call is retried after a failure, a `not-repeatable` \
         one only if it certainly was not processed.\n\n| operation | request | idempotency |\n|---|---|---|\n",
    );
    for operation in model.operations() {
        let (id, class) = (operation.id, operation.idempotency());
        let request = format!("{} {}", operation.method.to_uppercase(), operation.path);
        // Writing to a string cannot fail.
        let request = request.replace('|', "\\|");
        let _ = writeln!(text, "| `{id}` | `{request}` | {class} |");
        if has_optional_body(operation.node) {
            let _ = writeln!(text, "| `{id}{WITH_BODY}` | `{request}` with a body | {class} |");
        }
    }
    text.push_str("\n## Fields that `Debug` shows\n\nAll others are hidden.\n\n| record | fields |\n|---|---|\n");
    for record in schema::records(model) {
        let shown: Vec<_> = record.fields.iter().filter(|field| record.shows(&field.wire)).collect();
        let names: Vec<_> = shown.iter().map(|field| format!("`{}`", field.wire)).collect();
        let names = match names.len() {
            0 => "none".to_string(),
            all if all == record.fields.len() => "all".to_string(),
            _ => names.join(", "),
        };
        let _ = writeln!(text, "| `{}` | {} |", record.name, names.replace('|', "\\|"));
    }
    let _ = write!(text, "\n{}", report.to_markdown());
    text
}
