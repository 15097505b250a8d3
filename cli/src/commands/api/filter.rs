//! Filters in the language of jq.

use std::io::Write;

use jaq_core::{
    Compiler, Ctx, Vars, data,
    load::{Arena, Error, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read};

use crate::output::Failure;

type Compiled = jaq_core::Filter<data::JustLut<Val>>;

/// A filter that is ready to run.
pub(super) struct Filter {
    compiled: Compiled,
}

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let wrong = |problem: String| Failure::usage(format!("`{text}` is no filter of jq: {problem}"));
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: text, path: () })
            .map_err(|errors| wrong(errors.first().map(|(_, error)| expected(error)).unwrap_or_default()))?;
        let compiled = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let unknown = errors.first().and_then(|(_, unknown)| unknown.first());
            wrong(unknown.map(|(name, kind)| format!("there is no {} `{name}`", kind.as_str())).unwrap_or_default())
        })?;
        Ok(Self { compiled })
    }

    /// Writes what the filter makes of a JSON document: strings as they are, everything else as JSON, one on each line.
    pub(super) fn run(&self, json: &[u8], out: &mut impl Write) -> Result<(), Failure> {
        let input = read::parse_single(json)
            .map_err(|_| Failure::failed("the response is no JSON, so no filter can be applied to it"))?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.compiled.lut, Vars::new([]));
        for value in self.compiled.id.run((context, input)).map(unwrap_valr) {
            // The message would quote values of the response.
            let value =
                value.map_err(|_| Failure::failed("the filter does not fit the response: try it without a part"))?;
            let written = match &value {
                Val::TStr(text) => out.write_all(text).and_then(|()| out.write_all(b"\n")),
                value => writeln!(out, "{value}"),
            };
            written.map_err(|error| Failure::stdout(&error))?;
        }
        Ok(())
    }
}

fn expected(error: &Error<&str>) -> String {
    let end = |text: &str| if text.is_empty() { "the end".to_owned() } else { format!("`{text}`") };
    match error {
        Error::Io(_) => "it loads a file".to_owned(),
        Error::Lex(errors) => errors
            .first()
            .map(|(expected, found)| format!("expected {}, found {}", expected.as_str(), end(found)))
            .unwrap_or_default(),
        Error::Parse(errors) => errors
            .first()
            .map(|(expected, found)| format!("expected {}, found {}", expected.as_str(), end(found)))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_raw_and_numbers_keep_their_digits() {
        let run = |filter: &str, json: &str| {
            let mut out = Vec::new();
            Filter::parse(filter).unwrap().run(json.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        assert_eq!(run(".[] | .a", r#"[{"a":"0940"},{"a":12.50},{"a":null}]"#).unwrap(), "0940\n12.50\nnull\n");
        assert_eq!(run("map(.a) | length", r#"[{"a":1}]"#).unwrap(), "1\n");
        let matching = r#".[] | select(.a | test("^x")) | [.a, 1]"#;
        assert_eq!(run(matching, r#"[{"a":"xy"},{"a":"yx"}]"#).unwrap(), "[\"xy\",1]\n");
        let error = run(".a.b", r#"{"a":"Zebulon"}"#).unwrap_err();
        assert!(!error.to_string().contains("Zebulon"), "{error}");
    }

    #[test]
    fn a_wrong_filter_says_what_is_wrong() {
        let problem = |filter| Filter::parse(filter).err().unwrap().to_string();
        assert!(problem(".[").contains("found the end"), "{}", problem(".["));
        assert!(problem("frist(.[])").contains("there is no filter `frist`"), "{}", problem("frist(.[])"));
        assert!(problem("$x").contains("there is no variable `$x`"), "{}", problem("$x"));
    }
}
