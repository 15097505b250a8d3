//! `perenso customers delete`.

use clap::Args;

use super::ResourceInfo;
use crate::{
    context::Context,
    output::{Code, Failure},
};

/// Delete one record
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers delete 4ddjf2")]
pub(super) struct Delete {
    /// The `id` of the record, which is the show's and not your own
    id: String,
}

impl Delete {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let connection = context.connect().await?;
        resource
            .of(&connection.show)?
            .delete(self.id.as_str())
            .await
            .map_err(|error| resource.not_found(&self.id, error))?;
        context.output.note(&format!("deleted {} in {}", self.id, resource.plural));
        Ok(Code::Done)
    }
}
