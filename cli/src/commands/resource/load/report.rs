//! Reports of a load and of a check.

use serde_json::json;

use crate::{
    context::Context,
    loading::{Check, Input, LoadTarget, Results, ShowData},
    output::{Code, Failure, Stdout, counted},
    sheet::shown,
};

/// Lists the fields, and what their cells hold.
pub(super) fn fields(context: &Context, target: &LoadTarget) -> Result<Code, Failure> {
    if context.output.json {
        let fields = target.fields.iter().map(|field| json!({ "name": field.name, "expects": field.kind.expected() }));
        Stdout::json(&fields.collect::<Vec<_>>())?;
    } else {
        for field in target.fields {
            Stdout::line(&format!("{:<20}  {}", field.name, field.kind.expected()))?;
        }
    }
    Ok(Code::Done)
}

/// Reports a check.
pub(super) fn checked(
    context: &Context,
    input: &Input,
    check: &Check,
    data: Option<&ShowData>,
) -> Result<Code, Failure> {
    let target: &LoadTarget = input.target();
    let fine = check.rows - check.refused;
    if context.output.json {
        let problems = check.examples.iter().map(|(line, reason)| json!({ "line": line, "reason": reason }));
        Stdout::json(&json!({
            "rows": check.rows,
            "would_be_sent": fine,
            "first": check.first.as_ref().map(|(_, record)| record),
            "refused": check.refused,
            "problems": problems.collect::<Vec<_>>(),
            "in_the_show": data.map(|data| data.found),
            "not_in_the_show": data.map(|data| data.absent),
        }))?;
    } else {
        for (line, reason) in &check.examples {
            Stdout::line(&format!("line {line}: {reason}"))?;
        }
        let listed = u32::try_from(check.examples.len()).unwrap_or(u32::MAX);
        if check.refused > listed {
            Stdout::line(&format!("and {}", counted(u64::from(check.refused - listed), "more row")))?;
        }
        if let Some((_, first)) = &check.first {
            let fields = target.fields.iter().filter_map(|field| Some((field.name, first.get(field.name)?)));
            let fields = fields.map(|(name, value)| format!("{name} {}", shown(&value.to_string())));
            Stdout::line(&format!("the first row to send: {}", fields.collect::<Vec<_>>().join(", ")))?;
        }
        let rows = counted(check.rows.into(), "row");
        Stdout::line(&format!("{fine} of {rows} to send, {} refused", check.refused))?;
        if let Some(data) = data {
            let of = counted((data.found + data.absent).into(), target.noun);
            Stdout::line(&format!("{} of {of} in the show, {} new", data.found, data.absent))?;
        }
    }
    Ok(if check.refused == 0 { Code::Done } else { Code::Partly })
}

/// Reports a load that has ended.
pub(super) fn loaded(context: &Context, results: &Results) -> Result<Code, Failure> {
    if context.output.json {
        Stdout::json(&results.to_json())?;
    } else {
        for (name, rows, path) in results.summary().filter(|(_, rows, _)| *rows > 0) {
            context.output.note(&format!("{} {name}: {}", counted(rows, "row"), path.display()));
        }
    }
    Ok(match (results.failed(), results.unknown()) {
        (_, 1..) => Code::Unknown,
        (1.., _) => Code::Partly,
        _ => Code::Done,
    })
}
