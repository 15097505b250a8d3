//! `perenso customers load`.

use std::path::PathBuf;

use clap::Args;
use perenso::Perenso;
use serde_json::json;

use super::ResourceInfo;
use crate::{
    connection::{Connection, Source},
    context::Context,
    loading::{Check, Ended, Identity, Input, InputOptions, Journal, LoadTarget, Results, Sender, ShowData, settle},
    output::{Code, Failure, Stdout, counted},
};

/// Load the rows of a spreadsheet: .csv or .xlsx
///
/// The first line has the names of the columns, which are those of the fields. Every row is checked before anything is sent. Rows
/// with mistakes are left out, and written with the reason to a file beside the input: FILE-failed.csv. Correct them there, and load
/// that file. FILE-succeeded.csv has the rows that the show has accepted, and FILE-unknown.csv those whose response was lost and
/// that cannot be looked up.
///
/// What happens is kept in a journal beside the input: whatever ends this command, the same command goes on, and sends nothing
/// twice.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers load customers.xlsx --dry-run --empty keep
  perenso customers load customers.xlsx --empty keep --empty fax=clear
  perenso customers load customers.csv --map mapping.toml

A mapping file, where the columns have other names than the fields:
  ignore = [\"Remarks\"]
  date-format = \"%m/%d/%Y\"

  [columns]
  \"Cust. no.\" = \"customerID\"
  \"Town\" = \"city\"

  [empty]
  \"Town\" = \"clear\"
  \"*\" = \"keep\"

`--dry-run --json` lists the fields.")]
pub(super) struct Load {
    /// The file: .csv or .xlsx
    file: PathBuf,
    /// Check every row, and send nothing. The show is not needed for it
    #[arg(long)]
    dry_run: bool,
    /// Check every row, read the show, and say how many records are new; nothing is sent
    #[arg(long)]
    check_show: bool,
    /// Load a file that was loaded before
    #[arg(long)]
    again: bool,
    /// The number of rows of a request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch_size: Option<u16>,
    #[command(flatten)]
    input: InputOptions,
}

impl Load {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let Some(target) = resource.load else { return Err(Failure::failed("this resource cannot be loaded")) };
        let input = Input::open(&self.file, self.input.clone(), target)?;
        context.output.note(&format!("note: {}", input.description()));
        let renamed = input.renamed();
        if !renamed.is_empty() {
            context.output.note(&format!("note: {}", renamed.join(", ")));
        }
        let check = Check::run(&input)?;
        if !check.numbers_as_text.is_empty() {
            context.output.note(&format!(
                "note: Excel holds numbers in {}: if some begin with 0, format the column as text and enter them again",
                check.numbers_as_text.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ));
        }
        if self.dry_run && !self.check_show {
            check.require_rules(&input)?;
            return report_check(context, &input, &check, None);
        }
        let connection = context.connect().await?;
        if self.check_show {
            let data = ShowData::read(&connection.show, &input, &check).await?;
            data.require_rules(&input)?;
            return report_check(context, &input, &check, Some(&data));
        }
        let mut journal = Journal::open(&self.file)?;
        let loaded = self.load(context, &connection, &input, &check, &mut journal).await;
        if connection.source == Source::Sandbox {
            // The next sandbox is another show.
            journal.remove()?;
        }
        loaded
    }

    async fn load(
        &self,
        context: &Context,
        connection: &Connection,
        input: &Input,
        check: &Check,
        journal: &mut Journal,
    ) -> Result<Code, Failure> {
        let show = &connection.show;
        let mut results = Results::of(&self.file);
        let identity = Identity {
            call: format!("{:?}", input.target().call),
            show: connection.identity()?,
            settings: input.settings().clone(),
            content: input.digest()?,
        };
        match journal.identity() {
            Some(before) if journal.is_complete() && *before == identity && !self.again => {
                results.count(input, check, journal)?;
                context
                    .output
                    .note("note: this file was loaded before, with the same content; to load it again, add `--again`");
                return report(context, &results);
            }
            Some(before) if journal.is_complete() => {
                let is_same = before.call == identity.call && before.show == identity.show;
                if is_same && input.target().key.is_none() && !self.again {
                    return Err(Failure::usage(format!(
                        "a file of this name was loaded before, and its {}s cannot be told from those of this one: correct and \
                         load the file of failed rows, or, if all rows of this one are new, add `--again`",
                        input.target().noun
                    )));
                }
                self.begin(context, show, input, check, journal, &results, identity).await?;
            }
            Some(before) if *before == identity => {
                context.output.note("note: going on with a load that was interrupted");
            }
            Some(before) => return Err(unfinished(input, journal, before, &identity)),
            None => self.begin(context, show, input, check, journal, &results, identity).await?,
        }
        settle(show, input, journal).await?;
        let sender = Sender {
            show,
            input,
            check,
            batch_size: self.batch_size.map_or(input.target().batch_size, usize::from),
            output: context.output,
            interruption: Box::pin(context.interruption()),
        };
        let ended = sender.run(journal).await;
        if context.output.draws_progress() {
            context.output.progress("");
        }
        let goes_on = "note: the same command goes on there";
        match ended? {
            Ended::Complete => {}
            Ended::Interrupted => {
                context.output.note(goes_on);
                return Err(Failure::interrupted());
            }
            Ended::Failed(failure) => {
                context.output.note(goes_on);
                return Err(failure);
            }
        }
        settle(show, input, journal).await?;
        results.write(input, check, journal)?;
        journal.end()?;
        report(context, &results)
    }

    /// Begins a new load.
    #[allow(clippy::too_many_arguments, reason = "all of them are of one load")]
    async fn begin(
        &self,
        context: &Context,
        show: &Perenso,
        input: &Input,
        check: &Check,
        journal: &mut Journal,
        results: &Results,
        identity: Identity,
    ) -> Result<(), Failure> {
        results.require_no_unknown()?;
        if check.has_undecided(input) {
            context.output.note("note: reading the show, to see whether empty cells mean anything");
            ShowData::read(show, input, check).await?.require_rules(input)?;
        }
        journal.begin(identity)
    }
}

/// Returns the error of another load of this file that was interrupted.
fn unfinished(input: &Input, journal: &Journal, before: &Identity, now: &Identity) -> Failure {
    let change = if before.show != now.show {
        "of another show"
    } else if before.call != now.call {
        "of another resource"
    } else if before.content != now.content {
        "of this file, which has changed since"
    } else {
        "of this file, with other columns or rules"
    };
    Failure::usage(format!(
        "a load {change}, was interrupted: run that command to its end first. If it is to be given up, move `{}` away, and look in \
         the show for rows of `{}`",
        journal.path().display(),
        input.path().display()
    ))
}

/// Reports a check.
fn report_check(context: &Context, input: &Input, check: &Check, data: Option<&ShowData>) -> Result<Code, Failure> {
    let target: &LoadTarget = input.target();
    let fine = check.rows - check.refused;
    if context.output.json {
        let fields = target.fields.iter().map(|field| json!({ "name": field.name, "expects": field.kind.expected() }));
        let problems = check.examples.iter().map(|(line, reason)| json!({ "line": line, "reason": reason }));
        Stdout::json(&json!({
            "rows": check.rows,
            "would_be_sent": fine,
            "refused": check.refused,
            "problems": problems.collect::<Vec<_>>(),
            "in_the_show": data.map(|data| data.found),
            "not_in_the_show": data.map(|data| data.absent),
            "fields": fields.collect::<Vec<_>>(),
        }))?;
    } else {
        for (line, reason) in &check.examples {
            Stdout::line(&format!("line {line}: {reason}"))?;
        }
        let shown = u32::try_from(check.examples.len()).unwrap_or(u32::MAX);
        if check.refused > shown {
            Stdout::line(&format!("and {}", counted(u64::from(check.refused - shown), "more row")))?;
        }
        Stdout::line(&format!(
            "{} of {} would be sent, {} {} refused",
            fine,
            counted(check.rows.into(), "row"),
            check.refused,
            if check.refused == 1 { "is" } else { "are" }
        ))?;
        if let Some(data) = data {
            Stdout::line(&format!(
                "{} in the show, {} not there",
                counted(data.found.into(), target.noun),
                counted(data.absent.into(), target.noun)
            ))?;
        }
    }
    Ok(if check.refused == 0 { Code::Done } else { Code::Partly })
}

/// Reports a load that has ended.
fn report(context: &Context, results: &Results) -> Result<Code, Failure> {
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
