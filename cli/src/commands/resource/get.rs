//! `perenso customers get`.

use clap::Args;

use super::{RecordOutput, ResourceInfo};
use crate::{
    context::Context,
    output::{Code, Failure},
};

/// Write one record
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers get 4ddjf2
  perenso customers get 4ddjf2 --json")]
pub(super) struct Get {
    /// The `id` of the record, which is the show's and not your own
    id: String,
    #[command(flatten)]
    output: RecordOutput,
}

impl Get {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let connection = context.connect().await?;
        let record = resource
            .of(&connection.show)?
            .get(self.id.as_str())
            .await
            .map_err(|error| resource.not_found(&self.id, error))?;
        self.output.write_one(context, resource, record.into_fields()).await
    }
}
