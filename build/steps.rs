//! The steps from the vendored document to the client and the mock.

pub(crate) mod document;
pub(crate) mod fault;
pub(crate) mod generate;
pub(crate) mod prepare;
pub(crate) mod rewrite;
pub(crate) mod schema;

use fault::Fault;

/// The generated files, ready to be included.
pub(crate) struct Generated {
    pub(crate) client: String,
    pub(crate) mock: String,
}

/// Runs all steps.
pub(crate) fn run(text: &str) -> Result<Generated, Fault> {
    let document = document::read(text)?;
    let client = generate::client(&prepare::for_client(&document)?)?;
    let mock = generate::mock(&prepare::for_mock(&document)?)?;
    Ok(Generated {
        client: prettyplease::unparse(&rewrite::client(client, &document)?),
        mock: prettyplease::unparse(&rewrite::mock(mock, &document)?),
    })
}
