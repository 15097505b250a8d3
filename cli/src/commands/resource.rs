//! `perenso customers …`, `perenso orders …`: one piece of code for all resources.

mod changes;
mod delete;
mod get;
mod list;
mod table;
mod write;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};
use perenso::{JsonRecord, Perenso, Resource};
use serde_json::{Map, Value};

pub(crate) use table::{RESOURCES, ResourceInfo};

use crate::{
    context::Context,
    output::{Code, Columns, Failure, Format, RecordWriter, Stdout},
};

/// A command on the records of a resource: its noun in [`RESOURCES`], and what to do.
#[derive(Debug)]
pub(crate) struct ResourceCommand {
    resource: &'static ResourceInfo,
    action: Action,
}

/// What to do with the records of a resource. Not every resource has all of it.
#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    Changes(changes::Changes),
    Get(get::Get),
    Create(write::Create),
    Update(write::Update),
    Delete(delete::Delete),
}

impl ResourceInfo {
    /// Returns the calls on the resource.
    fn of(&self, show: &Perenso) -> Result<Resource<JsonRecord>, Failure> {
        // Any resource whose records are JSON is that of another path.
        Ok(show.warehouses().at(self.path)?)
    }

    fn has(&self, action: &str) -> bool {
        match action {
            "changes" => self.changes,
            "create" | "update" | "delete" => self.writes,
            _ => true,
        }
    }

    /// Returns the subcommand of the resource, with the actions that it has.
    fn command(&self) -> clap::Command {
        let about = format!("List, read and change {}", self.plural);
        let about = if self.writes { about } else { format!("List and read {}", self.plural) };
        let all = Action::augment_subcommands(clap::Command::new(self.name));
        let actions = all.get_subcommands().filter(|action| self.has(action.get_name())).map(|action| {
            // The examples are written for customers.
            let replaced = |text: &clap::builder::StyledStr| text.to_string().replace("customers", self.name);
            let examples = action.get_after_help().map(replaced);
            let action = action.clone();
            match examples {
                Some(examples) => action.after_help(examples),
                None => action,
            }
        });
        let command = clap::Command::new(self.name).about(about).subcommand_required(true).arg_required_else_help(true);
        let command = match self.note {
            Some(note) => command.after_help(note),
            None => command,
        };
        command.subcommands(actions)
    }
}

impl ResourceCommand {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let resource = self.resource;
        match self.action {
            Action::List(action) => action.run(context, resource).await,
            Action::Changes(action) => action.run(context, resource).await,
            Action::Get(action) => action.run(context, resource).await,
            Action::Create(action) => action.run(context, resource).await,
            Action::Update(action) => action.run(context, resource).await,
            Action::Delete(action) => action.run(context, resource).await,
        }
    }
}

impl FromArgMatches for ResourceCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let found = matches.subcommand().and_then(|(name, matches)| {
            let resource = RESOURCES.iter().find(|resource| resource.name == name)?;
            Some((resource, matches))
        });
        let Some((resource, matches)) = found else {
            return Err(clap::Error::raw(clap::error::ErrorKind::InvalidSubcommand, "no such resource\n"));
        };
        Ok(Self { resource, action: Action::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for ResourceCommand {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(RESOURCES.iter().map(ResourceInfo::command))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        RESOURCES.iter().any(|resource| resource.name == name)
    }
}

/// How records are written to stdout.
#[derive(Args, Debug)]
struct RecordOutput {
    /// The format; by default a table on a terminal, and CSV in a file or pipe
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// The fields to write, separated by commas; by default some of them in a table, and all in other formats
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    columns: Option<Vec<String>>,
}

impl RecordOutput {
    /// Writes one record: as a table, a field a line.
    fn one(self, context: &Context, resource: &ResourceInfo, record: Map<String, Value>) -> Result<Code, Failure> {
        let format = Format::choose(self.format, context.output.json);
        match format {
            Format::Table => {
                let first = ["field".to_owned(), "value".to_owned()];
                let columns = Columns { only: Some(first.to_vec()), first: Vec::new() };
                let mut writer = RecordWriter::new(Stdout::new(), format, columns);
                let is_chosen = |name: &String| self.columns.as_ref().is_none_or(|columns| columns.contains(name));
                for (name, value) in record.into_iter().filter(|(name, _)| is_chosen(name)) {
                    let [field, text] = first.clone();
                    writer.write(Map::from_iter([(field, name.into()), (text, value)]))?;
                }
                writer.finish()?;
            }
            // One record is one object, not a list of one.
            Format::Json if self.columns.is_none() => Stdout::json(&record)?,
            _ => {
                let mut writer = self.writer(context, resource);
                writer.write(record)?;
                writer.finish()?;
            }
        }
        Ok(Code::Done)
    }

    /// Returns a writer of several records.
    fn writer(self, context: &Context, resource: &ResourceInfo) -> RecordWriter<Stdout> {
        let format = Format::choose(self.format, context.output.json);
        let first = resource.columns.iter().map(|&name| name.to_owned()).collect();
        RecordWriter::new(Stdout::new(), format, Columns { only: self.columns, first })
    }
}
