//! The generator: from a file to the generated code, with everything that cannot be generated left out and reported.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    Document, Effect, Error, Facade, Normalized, NumberType, Options, Overlay, Problem, Report, Unmet,
    document::filter::Filter,
    error::Fault,
    generate::{self, prepare, settings::Settings, summary},
    model::{
        Model,
        order::{self, Order},
        reach,
    },
    normalize::{self, normalize},
    rewrite,
};

/// A generator of a client and a mock from one OpenAPI document.
///
/// ```no_run
/// // build.rs
/// use perenso_openapi::{Error, Generator};
///
/// fn main() -> Result<(), Error> {
///     Generator::new("openapi/vendor.json").only_tags(["Order"]).write_to_out_dir()?;
///     Ok(())
/// }
/// ```
///
/// The program includes the client in a module of its own, and the mock, if it is used, in a module inside:
///
/// ```ignore
/// pub mod vendor {
///     include!(concat!(env!("OUT_DIR"), "/client.rs"));
///
///     #[cfg(test)]
///     pub mod mock {
///         include!(concat!(env!("OUT_DIR"), "/mock.rs"));
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    document: PathBuf,
    overlays: Vec<PathBuf>,
    facade: Option<Facade>,
    file_prefix: String,
    runtime_path: String,
    client_path: String,
    options: Options,
    filter: Filter,
    is_plain: bool,
    is_strict: bool,
    has_mock: bool,
}

/// The generated code, ready to be included, and the account of what that took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The client: builders of calls, and records.
    pub client: String,
    /// The expectations of a mock server. Empty [without a mock](Generator::without_mock).
    pub mock: String,
    /// The document that the code was generated from: plain OpenAPI 3.0.3.
    pub document: Value,
    /// The changes, and the parts that were lost or left out.
    pub report: Report,
    /// The requirements of hand-written methods that the document does not meet: see [`Generator::facade`].
    pub unmet: Vec<Unmet>,
    /// The operations, what `Debug` shows, and the report, as Markdown.
    pub summary: String,
}

impl Generator {
    /// Creates a generator that reads the document from a file. A relative path starts at the folder of the package.
    pub fn new(document: impl Into<PathBuf>) -> Self {
        Self {
            document: document.into(),
            overlays: Vec::new(),
            facade: None,
            file_prefix: String::new(),
            runtime_path: "perenso::runtime".to_string(),
            client_path: "super::super".to_string(),
            options: Options::default(),
            filter: Filter::default(),
            is_plain: false,
            is_strict: false,
            has_mock: true,
        }
    }

    /// Applies an [`Overlay`] from a file to the document, after earlier ones. It holds what the vendor's document does not say:
    /// `x-idempotency`, `x-personal`, names, corrections.
    #[must_use]
    pub fn overlay(mut self, overlay: impl Into<PathBuf>) -> Self {
        self.overlays.push(overlay.into());
        self
    }

    /// Makes the document fit hand-written methods as far as its content allows. [`Generated::unmet`] names the methods that do not
    /// fit all the same, which may be errors of the build.
    #[must_use]
    pub fn facade(mut self, facade: Facade) -> Self {
        self.facade = Some(facade);
        self
    }

    /// Generates only the operations with one of these tags. Schemas that no operation uses are dropped.
    #[must_use]
    pub fn only_tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.filter.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Generates only the operations whose path begins with one of these. With [`only_tags`](Self::only_tags), an operation
    /// needs to fit either. Schemas that no operation uses are dropped.
    #[must_use]
    pub fn only_paths<T: Into<String>>(mut self, paths: impl IntoIterator<Item = T>) -> Self {
        self.filter.paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Sets the type of numbers that may have a fraction. The default is a decimal number, exact up to 15 digits.
    #[must_use]
    pub fn numbers(mut self, numbers: NumberType) -> Self {
        self.options.numbers = numbers;
        self
    }

    /// Takes the document as it is: plain OpenAPI 3.0 as [`normalize`](crate::normalize) writes it. What it leaves out or loses in
    /// another document is then an error.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.is_plain = true;
        self
    }

    /// Fails if an operation has to be left out. By default it is reported.
    #[must_use]
    pub fn strict(mut self, is_strict: bool) -> Self {
        self.is_strict = is_strict;
        self
    }

    /// Generates no mock: the build script is done sooner, and writes no `mock.rs`.
    #[must_use]
    pub fn without_mock(mut self) -> Self {
        self.has_mock = false;
        self
    }

    /// Sets the beginning of the names of the files, for a build script with several documents: `billing_` makes
    /// `billing_client.rs`, `billing_mock.rs` and `billing_report.md`.
    #[must_use]
    pub fn file_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.file_prefix = prefix.into();
        self
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

    /// Generates the code and writes `client.rs`, `mock.rs` and `report.md` to `OUT_DIR`. Tells Cargo to run the build script
    /// again when the document changes, and to warn in one line if anything was left out or lost.
    ///
    /// # Errors
    /// The document cannot be read, or no client can be generated from it, or `OUT_DIR` cannot be written.
    #[allow(clippy::print_stdout)]
    pub fn write_to_out_dir(&self) -> Result<Generated, Error> {
        for file in [&self.document].into_iter().chain(&self.overlays) {
            println!("cargo::rerun-if-changed={}", file.display());
        }
        let generated = self.write().map_err(|faults| self.error(faults))?;
        let report = &generated.report;
        if report.left_out().next().is_some() || report.lost().next().is_some() {
            let at =
                Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join(format!("{}report.md", self.file_prefix));
            println!("cargo::warning={}: {report}: see {}", self.document.display(), at.display());
        }
        Ok(generated)
    }

    /// Generates the code from the text of a JSON document. Overlays are not applied.
    ///
    /// # Errors
    /// No client can be generated from the document.
    pub fn generate(&self, document: &str) -> Result<Generated, Error> {
        let order = order::written(document);
        let document = Document::from_json(document).map_err(|error| self.error(global(error)))?;
        self.run(&document, order).map_err(|faults| self.error(faults))
    }

    /// Generates the code from a document. Overlays are not applied.
    ///
    /// # Errors
    /// No client can be generated from the document.
    pub fn generate_from(&self, document: &Document) -> Result<Generated, Error> {
        self.run(document, Order::new()).map_err(|faults| self.error(faults))
    }

    fn error(&self, faults: Vec<Fault>) -> Error {
        Error::new(&self.document, faults)
    }

    /// Generates the code from the document with its overlays, and writes nothing.
    ///
    /// # Errors
    /// A file cannot be read, or no client can be generated from the document.
    pub fn generate_from_files(&self) -> Result<Generated, Error> {
        self.read_and_run().map_err(|faults| self.error(faults))
    }

    fn read_and_run(&self) -> Result<Generated, Vec<Fault>> {
        let mut document = Document::read(&self.document).map_err(global)?;
        for path in &self.overlays {
            let overlaid = Overlay::read(path).and_then(|overlay| overlay.apply(&document));
            document = overlaid.map_err(|error| {
                let at = |problem: &String| Fault::new(path.display(), problem);
                error.problems.iter().map(at).collect::<Vec<_>>()
            })?;
        }
        let order = fs::read_to_string(&self.document).map(|text| order::written(&text)).unwrap_or_default();
        self.run(&document, order)
    }

    fn write(&self) -> Result<Generated, Vec<Fault>> {
        let generated = self.read_and_run()?;
        let folder =
            env::var_os("OUT_DIR").ok_or_else(|| global("`OUT_DIR` is not set: call this from a build script"))?;
        let files = [("client.rs", &generated.client), ("mock.rs", &generated.mock), ("report.md", &generated.summary)];
        for (name, text) in files {
            let name = format!("{}{name}", self.file_prefix);
            if text.is_empty() {
                // An old mock would not fit the new client.
                let _ = fs::remove_file(Path::new(&folder).join(&name));
                continue;
            }
            fs::write(Path::new(&folder).join(&name), text)
                .map_err(|error| global(format_args!("`{name}` cannot be written: {error}")))?;
        }
        Ok(generated)
    }

    fn run(&self, document: &Document, order: Order) -> Result<Generated, Vec<Fault>> {
        let settings = Settings::new(&self.runtime_path, &self.client_path).map_err(|fault| vec![fault])?;
        let chosen = self.filter.apply(document)?;
        let document = chosen.as_ref().unwrap_or(document);
        let pinned = self.facade.as_ref().map(|facade| facade.apply(document)).transpose().map_err(global)?;
        let document = pinned.as_ref().unwrap_or(document);
        let Normalized { mut root, mut report } =
            if self.is_plain { normalize::plain(document) } else { normalize(document, &self.options) };
        let mut unmet = self.facade.as_ref().map(|facade| facade.fit(&mut root, &mut report)).unwrap_or_default();
        if chosen.is_some() {
            reach::keep_used(&mut root);
        }
        let mut model = Model::new(root, order)?;
        let client = attempt(&mut model, &settings, client, &mut report, Effect::LeftOut)?;
        if self.is_strict && report.left_out().next().is_some() {
            return Err(report.left_out().map(|problem| Fault::new(&problem.pointer, &problem.message)).collect());
        }
        if model.operations().is_empty() {
            let why = report.left_out().map(|problem| Fault::new(&problem.pointer, &problem.message));
            let none = Fault::new("/paths", "no operation can be generated");
            return Err(std::iter::once(none).chain(why).collect());
        }
        let mock = match self.has_mock {
            true => attempt(&mut model.clone(), &settings, mock, &mut report, Effect::Lost)?,
            false => String::new(),
        };
        let left_out = self.facade.as_ref().map(|facade| facade.left_out(&model.root, &unmet));
        unmet.extend(left_out.into_iter().flatten());
        let summary = summary::of(&model, &report);
        Ok(Generated { client, mock, document: model.root, report, unmet, summary })
    }
}

type Step = fn(&Model, &Settings) -> Result<String, Vec<Fault>>;

/// Runs a step until it succeeds, without the operations at which it fails.
fn attempt(
    model: &mut Model,
    settings: &Settings,
    step: Step,
    report: &mut Report,
    effect: Effect,
) -> Result<String, Vec<Fault>> {
    loop {
        let faults = match step(model, settings) {
            Ok(code) => return Ok(code),
            Err(faults) => faults,
        };
        let gone = model.leave_out(&faults);
        if gone.is_empty() {
            return Err(faults);
        }
        report.problems.extend(gone.into_iter().map(|Fault { place, what }| {
            let message = match effect {
                Effect::LeftOut => format!("the operation is left out: {what}"),
                _ => format!("the mock has no expectation of the operation: {what}"),
            };
            Problem { step: "code", effect, pointer: place, message }
        }));
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

/// Returns a fault of the whole document.
fn global(what: impl fmt::Display) -> Vec<Fault> {
    vec![Fault::new("/", what)]
}
