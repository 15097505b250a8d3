//! Generates a typed client over [`perenso-auth`](https://docs.rs/perenso-auth), and a typed mock of its server, from an OpenAPI
//! document, in a build script:
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), perenso_openapi::Error> {
//!     perenso_openapi::Generator::new("openapi/vendor.json").write_to_out_dir()?;
//!     Ok(())
//! }
//! ```
//!
//! The build script writes `client.rs` and `mock.rs` into `OUT_DIR`, for `include!`.

#![deny(missing_docs)]

mod compare;
mod document;
mod error;
mod generate;
mod model;
mod normalize;
mod overlay;
mod prepare;
mod report;
mod rewrite;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

pub use compare::{Comparison, Difference, DocumentChange, compare};
pub use document::{Document, DocumentError, Version};
pub use error::Error;
use error::Fault;
use model::Model;
pub use normalize::{Normalized, NumberType, Options, normalize};
pub use overlay::{Overlay, OverlayError};
pub use report::{Effect, Problem, Report};
use settings::Settings;

/// A generator of a client and a mock from one OpenAPI document.
#[derive(Clone, Debug)]
pub struct Generator {
    document: PathBuf,
    runtime_path: String,
    client_path: String,
}

/// The generated code, ready to be included.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The client: builders of calls, and records.
    pub client: String,
    /// The expectations of a mock server.
    pub mock: String,
}

impl Generator {
    /// Creates a generator that reads the document from a file. A relative path starts at the folder of the package.
    pub fn new(document: impl Into<PathBuf>) -> Self {
        Self {
            document: document.into(),
            runtime_path: "perenso::runtime".to_string(),
            client_path: "super::super".to_string(),
        }
    }

    /// Sets the path of the runtime that the generated code uses. The default is `perenso::runtime`.
    #[must_use]
    pub fn runtime_path(mut self, path: impl Into<String>) -> Self {
        self.runtime_path = path.into();
        self
    }

    /// Sets the path of the module that includes the client, as the module `operations` of the mock names it. The default,
    /// `super::super`, fits a mock that is included in a module inside that of the client.
    #[must_use]
    pub fn client_path(mut self, path: impl Into<String>) -> Self {
        self.client_path = path.into();
        self
    }

    /// Generates the code and writes it to `client.rs` and `mock.rs` in `OUT_DIR`. Tells Cargo to run the build script again
    /// when the document changes.
    ///
    /// # Errors
    /// The document cannot be read, or no client can be generated from it, or `OUT_DIR` cannot be written.
    #[allow(clippy::print_stdout)]
    pub fn write_to_out_dir(&self) -> Result<Generated, Error> {
        println!("cargo::rerun-if-changed={}", self.document.display());
        self.write().map_err(|faults| Error::new(&self.document, faults))
    }

    /// Generates the code from the text of a document, without files.
    ///
    /// # Errors
    /// No client can be generated from the document.
    pub fn generate(&self, document: &str) -> Result<Generated, Error> {
        self.run(document).map_err(|faults| Error::new(&self.document, faults))
    }

    fn write(&self) -> Result<Generated, Vec<Fault>> {
        let fault = |what: std::fmt::Arguments<'_>| vec![Fault::new("/", what)];
        let text = fs::read_to_string(&self.document)
            .map_err(|error| fault(format_args!("the document cannot be read: {error}")))?;
        let generated = self.run(&text)?;
        let folder = env::var_os("OUT_DIR")
            .ok_or_else(|| fault(format_args!("`OUT_DIR` is not set: call this from a build script")))?;
        for (name, code) in [("client.rs", &generated.client), ("mock.rs", &generated.mock)] {
            fs::write(Path::new(&folder).join(name), code)
                .map_err(|error| fault(format_args!("`{name}` cannot be written: {error}")))?;
        }
        Ok(generated)
    }

    fn run(&self, text: &str) -> Result<Generated, Vec<Fault>> {
        let settings = Settings::new(&self.runtime_path, &self.client_path).map_err(|fault| vec![fault])?;
        let model = model::read(text)?;
        Ok(Generated { client: client(&model, &settings)?, mock: mock(&model, &settings)? })
    }
}

fn client(model: &Model, settings: &Settings) -> Result<String, Vec<Fault>> {
    let file = generate::client(&prepare::for_client(model), model, settings)?;
    let file = rewrite::client(file, model, settings).map_err(|fault| vec![fault])?;
    Ok(prettyplease::unparse(&file))
}

fn mock(model: &Model, settings: &Settings) -> Result<String, Vec<Fault>> {
    let file = generate::mock(&prepare::for_mock(model), model, settings)?;
    let file = rewrite::mock(file, model, settings).map_err(|fault| vec![fault])?;
    Ok(prettyplease::unparse(&file))
}
