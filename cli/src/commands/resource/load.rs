//! `perenso customers load`.

mod report;

use std::path::PathBuf;

use clap::Args;

use super::ResourceInfo;
use crate::{
    connection::{Connection, Source},
    context::Context,
    loading::{
        Check, Ended, Identity, Input, InputOptions, Journal, Numbers, Results, Sender, ShowData, missing, resume,
        settle,
    },
    output::{Code, Failure, counted},
};

/// Load the rows of a spreadsheet: .csv or .xlsx
///
/// The first line has the headings of the columns, which are the names of the fields. Every row is checked before anything is sent.
/// Rows with mistakes are left out, and written with the reason to a file beside the input, FILE-failed.csv. Correct them in your file
/// and load it again, or correct and load that one. FILE-succeeded.csv has the rows that the show has accepted, and FILE-unknown.csv
/// those whose response was lost and that cannot be looked up.
///
/// A journal beside the input keeps what happens: whatever ends this command, the same command goes on, and sends nothing twice.
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

Headings are found whatever their case, and with or without blanks and dashes.")]
pub(super) struct Load {
    /// The file: .csv or .xlsx
    #[arg(required_unless_present = "fields")]
    file: Option<PathBuf>,
    /// List the fields, and what their cells hold; a file is not needed for it
    #[arg(long)]
    fields: bool,
    /// Check every row, and send nothing. The show is not needed for it
    #[arg(long)]
    dry_run: bool,
    /// Check every row, read the show, and say how many records are new; nothing is sent
    #[arg(long)]
    check_show: bool,
    /// Load a file from its beginning that was loaded before, or that has changed since its load was interrupted
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
        if self.fields {
            return report::fields(context, target);
        }
        let Some(file) = &self.file else { return Err(Failure::usage("a file is expected: .csv or .xlsx")) };
        let input = Input::open(file, self.input.clone(), target)?;
        context.output.note(&format!("note: {}", input.description()));
        let renamed = input.renamed();
        if !renamed.is_empty() {
            context.output.note(&format!("note: {}", renamed.join(", ")));
        }
        let check = Check::run(&input)?;
        for Numbers { column, rows, first: (text, line) } in &check.numbers {
            let of = counted((*rows).into(), "cell");
            context.output.note(&format!(
                "note: `{column}` has numbers in {of}, sent as text such as `{text}` (line {line}); zeros in front need cells of \
                 text"
            ));
        }
        if self.dry_run && !self.check_show {
            check.require_rules(&input)?;
            return report::checked(context, &input, &check, None);
        }
        let connection = context.connect().await?;
        if self.check_show {
            let data = ShowData::read(&connection.show, &input, &check).await?;
            data.require_rules(&input)?;
            return report::checked(context, &input, &check, Some(&data));
        }
        let mut journal = Journal::open(file, connection.label())?;
        context.output.note(&format!("note: loading into {}", connection.source));
        let run = Run { context, connection: &connection, input: &input, check: &check };
        let loaded = run.load(&mut journal, self.again, self.batch_size.map(usize::from)).await;
        if connection.source == Source::Sandbox {
            // The next sandbox is another show.
            journal.remove()?;
        }
        loaded
    }
}

/// A load into a show.
struct Run<'a> {
    context: &'a Context,
    connection: &'a Connection,
    input: &'a Input,
    check: &'a Check,
}

impl Run<'_> {
    /// Loads all rows that are not loaded yet, and reports.
    async fn load(&self, journal: &mut Journal, again: bool, batch_size: Option<usize>) -> Result<Code, Failure> {
        let Self { context, connection: Connection { show, .. }, input, check } = *self;
        // A trial is not to be taken for a load.
        let label = if self.connection.source == Source::Sandbox { "-sandbox" } else { "" };
        let mut results = Results::of(input.path(), label);
        if !self.begin(journal, again, &results).await? {
            results.count(input, check, journal)?;
            context.output.note(
                "note: this file was loaded before with the same content, and nothing was sent now; to load it again, add \
                 `--again`. That load:",
            );
            return report::loaded(context, &results);
        }
        if check.refused > 0 {
            let refused = counted(check.refused.into(), "row");
            context.output.note(&format!("note: {refused} of {} with mistakes, left out", check.rows));
        }
        let sender = Sender {
            show,
            input,
            check,
            batch_size: batch_size.unwrap_or(input.target().batch_size),
            output: context.output,
            interruption: Box::pin(context.interruption()),
        };
        let ended = sender.run(journal).await;
        if context.output.draws_progress() {
            context.output.progress("");
        }
        if let Some(failure) = match ended? {
            Ended::Complete => None,
            Ended::Interrupted => Some(Failure::interrupted()),
            Ended::Failed(failure) => Some(failure),
        } {
            let (ended, open) = journal.counts();
            let open = if open == 0 { String::new() } else { format!(", {open} were on their way") };
            context.output.note(&format!(
                "note: {ended} of {} were sent{open}; the same command goes on there",
                counted((check.rows - check.refused).into(), "row")
            ));
            return Err(failure);
        }
        settle(show, input, journal).await?;
        results.write(input, check, journal)?;
        journal.end(&results)?;
        report::loaded(context, &results)
    }

    /// Begins a load or goes on with one. Returns false if all of it was done before.
    async fn begin(&self, journal: &mut Journal, again: bool, results: &Results) -> Result<bool, Failure> {
        let Self { context, connection, input, check } = *self;
        let identity = Identity {
            call: format!("{:?}", input.target().call),
            show: connection.identity()?,
            settings: input.settings().clone(),
            content: check.content.clone(),
        };
        match journal.identity() {
            Some(before) if !journal.is_complete() && *before == identity => {
                context.output.note("note: going on with a load that was interrupted");
                match resume(&connection.show, input, journal).await? {
                    0 => return Ok(true),
                    rows if !again => return Err(missing(rows, input)),
                    _ => {}
                }
            }
            Some(before) if !journal.is_complete() && (!again || input.target().key.is_none()) => {
                return Err(unfinished(input, journal, before, &identity));
            }
            Some(before) if *before == identity && !again => {
                return match resume(&connection.show, input, journal).await? {
                    0 => Ok(false),
                    rows => Err(missing(rows, input)),
                };
            }
            Some(before)
                if input.target().key.is_none()
                    && before.call == identity.call
                    && before.show == identity.show
                    && !again =>
            {
                return Err(Failure::usage(format!(
                    "a file of this name was loaded before, and its {}s cannot be told from those of this one: correct and load \
                     the file of failed rows, or, if all rows of this one are new, add `--again`",
                    input.target().noun
                )));
            }
            _ => {}
        }
        results.require_replaceable(journal)?;
        if check.has_undecided(input) {
            context.output.note("note: reading the show, to see whether empty cells mean anything");
            ShowData::read(&connection.show, input, check).await?.require_rules(input)?;
        }
        journal.begin(identity)?;
        results.remove()?;
        Ok(true)
    }
}

/// Returns the error of another load of this file that was interrupted.
fn unfinished(input: &Input, journal: &Journal, before: &Identity, now: &Identity) -> Failure {
    let file = input.path().display();
    let change = if before.show != now.show {
        format!("a load of `{file}` into another show was interrupted")
    } else if before.call != now.call {
        format!("a load of `{file}` as another resource was interrupted")
    } else if before.content != now.content {
        format!("`{file}` has changed since a load of it was interrupted")
    } else {
        format!("a load of `{file}` with other columns or rules was interrupted")
    };
    let begin = match input.target().key {
        Some(_) => "to load it from its beginning, add `--again`".to_owned(),
        // Rows that were sent cannot be told from others.
        None => {
            let journal = journal.path().display();
            format!("to give that load up, move `{journal}` away, and look in the show for what was sent")
        }
    };
    Failure::usage(format!("{change}: {begin}"))
}
