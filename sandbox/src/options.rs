//! The options of a show on a command line.

use std::path::PathBuf;

use crate::{Behavior, Builder, Error, Export};

/// The options of a made-up show, for commands by `clap` that start a sandbox: `#[command(flatten)]`. Feature `args`.
///
/// The binary `perenso-sandbox` and the command `perenso sandbox` have them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use clap::Parser;
/// use perenso_sandbox::{Sandbox, ShowOptions};
///
/// #[derive(Parser)]
/// struct Arguments {
///     #[command(flatten)]
///     show: ShowOptions,
/// }
///
/// let options = Arguments::try_parse_from(["tests", "--customers", "500"])?.show;
/// let builder = Sandbox::builder().behavior(options.behavior()?);
/// let sandbox = options.apply(builder).start().await?;
/// assert_eq!(sandbox.customers().len(), 500);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[non_exhaustive]
pub struct ShowOptions {
    /// The number of customers at the start; default 45
    #[arg(long, value_name = "N")]
    pub customers: Option<usize>,
    /// The number of products at the start, each in two ordering units; default 12
    #[arg(long, value_name = "N")]
    pub products: Option<usize>,
    /// The number of orders at the start; default 20
    #[arg(long, value_name = "N")]
    pub orders: Option<usize>,
    /// Add the exports "Order Lines" and "Order Lines Since" with this many made-up rows
    #[arg(long, value_name = "N")]
    pub rows: Option<u64>,
    /// The seed of the made-up data; default 1
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Read the behavior of the show from this TOML file
    #[arg(long, value_name = "FILE")]
    pub behavior: Option<PathBuf>,
}

impl ShowOptions {
    /// Returns the behavior in the file, or the default one.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, [`Error::Data`] if it does not hold a behavior.
    pub fn behavior(&self) -> Result<Behavior, Error> {
        self.behavior.as_ref().map_or_else(|| Ok(Behavior::default()), Behavior::read)
    }

    /// Sets the options on the last show of `builder`, other than the behavior.
    pub fn apply(&self, mut builder: Builder) -> Builder {
        if let Some(count) = self.customers {
            builder = builder.customers(count);
        }
        if let Some(count) = self.products {
            builder = builder.products(count);
        }
        if let Some(count) = self.orders {
            builder = builder.orders(count);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        match self.rows {
            Some(rows) => builder.exports([Export::order_lines(rows), Export::order_lines_since(rows)]),
            None => builder,
        }
    }
}
