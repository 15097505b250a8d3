//! `perenso api`: any path, for what has no command.

mod filter;

use std::{io::Write, path::PathBuf};

use clap::Args;
use futures_util::TryStreamExt;
use http::{HeaderValue, Method};
use perenso::Perenso;

use self::filter::Filter;
use crate::{
    commands::read_input,
    context::Context,
    output::{Code, Failure, Stdout},
};

/// Send a request to any path of the API, for what has no command of its own
///
/// The response is written as it is. If the show is busy or a response is lost, GET, PUT and DELETE are repeated, and POST is not.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso api GET /Warehouse
  perenso api GET /Customer --paginate -q 'map(.city) | unique'
  perenso api PUT /Customer/4ddjf2 --body change.json")]
pub(crate) struct Api {
    /// The HTTP method
    #[arg(value_name = "METHOD", value_parser = method)]
    method: Method,
    /// The path, without the address: /Warehouse
    #[arg(value_name = "/PATH", value_parser = path)]
    path: String,
    /// A query parameter; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::name_and_value)]
    query: Vec<(String, String)>,
    /// Send this file as the body, or standard input with `-`
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The media type of the body
    #[arg(long, value_name = "TYPE", default_value = "application/json", requires = "body")]
    content_type: HeaderValue,
    /// Read all pages of a list, as one array
    #[arg(long, conflicts_with = "body")]
    paginate: bool,
    /// Write only what this filter of jq makes of the response
    #[arg(short = 'q', long = "filter", value_name = "FILTER")]
    filter: Option<String>,
}

fn method(text: &str) -> Result<Method, &'static str> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let text = text.to_ascii_uppercase();
    known.into_iter().find(|method| *method == *text).ok_or("expected GET, POST, PUT, PATCH or DELETE")
}

fn path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("expected a path that starts with `/`: /Customer") }
}

impl Api {
    pub(crate) async fn run(mut self, context: &Context) -> Result<Code, Failure> {
        if self.paginate && self.method != Method::GET {
            return Err(Failure::usage("`--paginate` reads a list: the method is GET then"));
        }
        // Before anything is sent.
        let filter = self.filter.take();
        filter.as_deref().map(Filter::parse).transpose()?;
        let body = self.body.as_deref().map(read_input).transpose()?;

        let connection = context.connect().await?;
        let response = match self.paginate {
            true => self.all_pages(&connection.show).await?,
            false => self.one_response(&connection.show, body).await?,
        };
        write(response, filter).await?;
        Ok(Code::Done)
    }

    async fn one_response(self, show: &Perenso, body: Option<Vec<u8>>) -> Result<Vec<u8>, Failure> {
        let mut request = show.request(self.method, self.path);
        for (name, value) in self.query {
            request = request.query(name, value);
        }
        if let Some(body) = body {
            request = request.body(self.content_type, body);
        }
        Ok(request.send().await?.bytes().await?.to_vec())
    }

    async fn all_pages(self, show: &Perenso) -> Result<Vec<u8>, Failure> {
        let mut list = show.warehouses().at(&self.path)?.list();
        for (name, value) in self.query {
            list = list.filter(name, value);
        }
        let records: Vec<_> = list.stream().try_collect().await?;
        serde_json::to_vec(&records).map_err(|error| Failure::failed(format!("the list cannot be written: {error}")))
    }
}

/// Writes a response. A filter runs on a thread of its own, since it may never end, and Ctrl-C has to end it.
async fn write(response: Vec<u8>, filter: Option<String>) -> Result<(), Failure> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut out = Stdout::new();
        let written = match filter {
            None => {
                let end: &[u8] = if response.is_empty() || response.ends_with(b"\n") { b"" } else { b"\n" };
                out.write_all(&response).and_then(|()| out.write_all(end)).map_err(|error| Failure::stdout(&error))
            }
            Some(filter) => Filter::parse(&filter).and_then(|filter| filter.run(&response, &mut out)),
        };
        let flushed = out.flush().map_err(|error| Failure::stdout(&error));
        // The receiver is gone after Ctrl-C.
        let _ = sender.send(written.and(flushed));
    });
    receiver.await.unwrap_or_else(|_| Err(Failure::failed("the filter has stopped working")))
}
