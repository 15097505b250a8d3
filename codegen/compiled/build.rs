//! Generates a module for each catalog in `catalogs/`, and for catalogs made up of strange texts.
// A build script is this package's test: what does not hold stops it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::{env, fmt::Write as _, fs, path::Path};

use fastrand::Rng;
use perenso_codegen::Builder;
use serde_json::{Value, json};

/// Texts that mean something to Rust, to rustdoc, to a linter or to a terminal.
const STRANGE: &[&str] = &[
    "",
    " ",
    "Limit",
    "limit",
    "LIMIT",
    "Cursor",
    "type",
    "crate",
    "self",
    "Self",
    "super",
    "_",
    "__",
    "r#type",
    "gen",
    "async",
    "union",
    "'static",
    "macro_rules",
    "String",
    "str",
    "Option",
    "Some",
    "None",
    "Vec",
    "Result",
    "Ok",
    "Err",
    "Box",
    "Export",
    "Debug",
    "Clone",
    "PartialEq",
    "Serialize",
    "JsonSchema",
    "Copy",
    "Sized",
    "Send",
    "Drop",
    "i64",
    "bool",
    "std",
    "core",
    "perenso",
    "serde",
    "schemars",
    "chrono",
    "f",
    "deserializer",
    "serializer",
    "ID",
    "NAME",
    "PARAMETERS",
    "fmt",
    "Parameter 2nd",
    "2nd",
    "2024",
    "100%",
    "%",
    "&",
    "a_b",
    "a b",
    "a-b",
    "aB",
    "A B",
    "über",
    "u\u{308}ber",
    "\u{fc}ber",
    "Größe",
    "北京",
    "клиенты",
    "عملاء",
    "ａｂｃ",
    "ſ",
    "K",
    "😀",
    "👩‍👩‍👧",
    "\u{200b}",
    "\u{feff}x",
    "\u{ad}",
    "\u{0}",
    "a\nb",
    "a\r",
    "\r\n",
    "\t",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}abc",
    "\u{2066}",
    "\u{e000}",
    "\u{10ffff}",
    "*/",
    "/*",
    "//",
    "///",
    "//!",
    "\"",
    "\\",
    "\\\"",
    "'",
    "{",
    "}",
    "{}",
    "{name}",
    "#",
    "# Heading",
    "#[doc]",
    "#![deny]",
    "`",
    "``",
    "```",
    "```\nlet x: u8 = \"\";\n```",
    "~~~rust\nx\n~~~",
    "    fn main() { panic!() }",
    "\tfn f(){",
    "> q\nlazy",
    "- a\nb",
    "* a\n\n    code",
    "+ a",
    "1. a\nb",
    "12) a",
    "[link]",
    "[`Limit`]",
    "[a](b)",
    "[a]: b",
    "[^1]",
    "![i](j)",
    "<b>",
    "<script>",
    "</b>",
    "Vec<String>",
    "<!-- x",
    "<http://a.b",
    "http://",
    "https://example.com/a_b?c=[d]",
    "(see https://example.com/x).",
    "xhttp://a.bc\u{202e}/d",
    "http://a`b http://c`d",
    "HTTP://EXAMPLE.COM",
    "a@b.cd",
    "&amp;",
    "&lt",
    "a | b\n--|--\nc | d",
    "===\n---",
    "a\n===",
    "x  \ny",
    "x\\\ny",
    "**b** _i_ ~s~",
    "$x$",
    ":::",
    "a -- b ... \"c\"",
    "Integer",
    "Text",
    "DateTime",
    "Boolean",
    "Money",
    "integer",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=catalogs");
    println!("cargo:rerun-if-env-changed=STRANGE_CATALOGS");
    let out = env::var("OUT_DIR").unwrap();
    let mut modules = Modules::default();
    let mut files: Vec<_> = fs::read_dir("catalogs").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        Builder::new().catalog(&file).file_name(name).compile().unwrap();
        modules.add(name, &fs::read_to_string(Path::new(&out).join(name)).unwrap());
    }
    let guide = fs::read_to_string("catalogs/guide.json").unwrap();
    modules.add("renamed_sdk", &Builder::new().crate_path("::another_name").generate(&guide).unwrap());
    let private = Builder::new().visibility("pub(crate)").generate(&guide).unwrap();
    fs::write(Path::new(&out).join("private"), private).unwrap();
    // A number of its own for each, so that the same ones come out of every build.
    let count: u64 = env::var("STRANGE_CATALOGS").map_or(20, |count| count.parse().unwrap());
    for seed in 0..count {
        let catalog = strange(&mut Rng::with_seed(seed));
        match perenso_codegen::generate(&catalog.to_string()) {
            Ok(code) => modules.add(&format!("strange{seed}"), &code),
            Err(error) => {
                assert!(!error.problems().is_empty(), "{catalog} {error}");
                assert!(error.problems().iter().all(|problem| problem.contains("export ")), "{catalog} {error}");
            }
        }
    }
    fs::write(Path::new(&out).join("modules.rs"), modules.finish()).unwrap();
}

/// Modules, and a call of `check` for every struct in them.
#[derive(Default)]
struct Modules {
    modules: String,
    checks: String,
}

impl Modules {
    fn add(&mut self, name: &str, code: &str) {
        writeln!(self.modules, "/// From one catalog.\npub mod {name} {{\n{code}\n}}").unwrap();
        for item in syn::parse_file(code).unwrap_or_else(|error| panic!("{name}: {error}\n{code}")).items {
            if let syn::Item::Struct(item) = item {
                writeln!(self.checks, "    check::<{name}::{}>();", item.ident).unwrap();
            }
        }
    }

    fn finish(&self) -> String {
        format!(
            "{}\n#[cfg(test)]\n#[allow(clippy::too_many_lines)]\nfn check_all() {{\n{}}}\n",
            self.modules, self.checks
        )
    }
}

fn strange(rng: &mut Rng) -> Value {
    let exports = rng.usize(1..6);
    (0..exports)
        .map(|place| {
            let parameters: Value = (0..rng.usize(0..6))
                .map(|_| json!({"name": text(rng), "dataType": text(rng), "description": text(rng)}))
                .collect();
            // Ids are seldom the same: the refusal of such is tested elsewhere.
            json!({"id": format!("{}{place}", text(rng)), "name": text(rng), "parameters": parameters})
        })
        .collect()
}

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(1..4)).map(|_| STRANGE[rng.usize(..STRANGE.len())]).collect()
}
