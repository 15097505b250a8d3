//! `perenso customers …`, `perenso orders …`: one piece of code for all resources.

mod changes;
mod delete;
mod get;
mod list;
mod load;
mod output;
mod table;
mod write;

use clap::{ArgMatches, FromArgMatches, Subcommand};
use perenso::{JsonRecord, Perenso, Resource};

use self::{
    output::RecordOutput,
    table::{RESOURCES, ResourceInfo},
};
use crate::{
    context::Context,
    output::{Code, Failure},
};

/// A command on the records of a resource: an entry of [`RESOURCES`], and an action.
#[derive(Debug)]
pub(crate) struct ResourceCommand {
    resource: &'static ResourceInfo,
    action: Action,
}

/// An action on the records of a resource. Not every resource has all of them.
#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    Changes(changes::Changes),
    Get(get::Get),
    Create(write::Create),
    Update(write::Update),
    Delete(delete::Delete),
    Load(load::Load),
}

/// Returns the names of all resources.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RESOURCES.iter().map(|resource| resource.name)
}

impl ResourceInfo {
    /// Returns the calls on the resource.
    fn of(&self, show: &Perenso) -> Result<Resource<JsonRecord>, Failure> {
        Ok(show.records(self.path)?)
    }

    /// Explains the error of a call with an id. People take their own number for the id of the show.
    fn not_found(&self, id: &str, error: perenso::Error) -> Failure {
        if !error.is_not_found() {
            return error.into();
        }
        let list = match self.load.and_then(|load| load.key) {
            Some(key) => format!("perenso {} list --where {key}={id} --columns id,{key}", self.name),
            None => format!("perenso {} list", self.name),
        };
        Failure::from(error).explained(format!(
            "none of the {} has the id `{id}`. The id is the show's and not your own number; it is in the list: `{list}`",
            self.plural
        ))
    }

    fn has(&self, action: &str) -> bool {
        match action {
            "changes" => self.changes,
            "create" | "update" | "delete" => self.writes,
            "load" => self.load.is_some(),
            _ => self.reads,
        }
    }

    /// Returns the subcommand of the resource, with the actions that it has.
    fn command(&self) -> clap::Command {
        let actions = match (self.reads, self.writes, self.load) {
            (false, _, _) => "Load",
            (_, true, Some(_)) => "List, read, change and load",
            (_, false, Some(_)) => "List, read and load",
            (_, true, None) => "List, read and change",
            (_, false, None) => "List and read",
        };
        let about = format!("{actions} {}", self.plural);
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
            Action::Load(action) => action.run(context, resource).await,
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
