//! `perenso api`: any path, for what has no command.

use std::io::Write;

use clap::Args;
use http::Method;

use crate::{
    context::Context,
    output::{Code, Failure, Stdout},
};

/// Send a request to any path of the API, for what has no command of its own
///
/// The response is written as it is. A read is repeated if the show is busy, a write never.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso api GET /Warehouse
  perenso api GET /Customer --query sort=customerID:asc")]
pub(crate) struct Api {
    /// The HTTP method
    #[arg(value_name = "METHOD")]
    method: String,
    /// The path, without the address: /Warehouse
    #[arg(value_name = "/PATH")]
    path: String,
    /// A query parameter; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::name_and_value)]
    query: Vec<(String, String)>,
}

impl Api {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        if !self.method.eq_ignore_ascii_case("GET") {
            return Err(Failure::usage(format!("the method `{}` is not supported: expected GET", self.method)));
        }
        if !self.path.starts_with('/') {
            return Err(Failure::usage(format!("the path `{}` must start with `/`: /Customer", self.path)));
        }
        let connection = context.connect().await?;
        let mut request = connection.show.request(Method::GET, self.path);
        for (name, value) in self.query {
            request = request.query(name, value);
        }
        let body = request.send().await?.bytes().await?;
        let mut out = Stdout::new();
        out.write_all(&body)
            .and_then(|()| if body.ends_with(b"\n") { Ok(()) } else { out.write_all(b"\n") })
            .and_then(|()| out.flush())
            .map_err(|error| Failure::stdout(&error))?;
        Ok(Code::Done)
    }
}
