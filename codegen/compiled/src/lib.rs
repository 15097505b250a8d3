//! Code of strange catalogs, compiled and documented without a warning.
//!
//! # A changed parameter breaks the build
//!
//! Code that compiles with the catalog of the vendor's guide
//!
//! ```
//! # use perenso_codegen_compiled::guide as exports;
//! let run = exports::GetApiCustomers { cursor: 1, limit: 15 };
//! ```
//!
//! does not with one in which `Limit` is text,
//!
//! ```compile_fail,E0308
//! # use perenso_codegen_compiled::retyped as exports;
//! let run = exports::GetApiCustomers { cursor: 1, limit: 15 };
//! ```
//!
//! has another name,
//!
//! ```compile_fail,E0560
//! # use perenso_codegen_compiled::renamed as exports;
//! let run = exports::GetApiCustomers { cursor: 1, limit: 15 };
//! ```
//!
//! is one of three,
//!
//! ```compile_fail,E0063
//! # use perenso_codegen_compiled::grown as exports;
//! let run = exports::GetApiCustomers { cursor: 1, limit: 15 };
//! ```
//!
//! or went with its export.
//!
//! ```compile_fail,E0422
//! # use perenso_codegen_compiled::gone as exports;
//! let run = exports::GetApiCustomers { cursor: 1, limit: 15 };
//! ```
// A forbidden lint can be allowed nowhere, not by generated code either. (Clippy's other groups judge the vendor's prose.)
#![forbid(
    clippy::all,
    dead_code,
    future_incompatible,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    trivial_casts,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_qualifications
)]
#![deny(warnings, clippy::pedantic, clippy::nursery, rustdoc::all)]

extern crate perenso as another_name;

/// As most users have it: in a private module, and most of it unused.
mod private {
    include!(concat!(env!("OUT_DIR"), "/private"));
}

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

#[cfg(test)]
fn check<E: perenso::exports::Export + another_name::exports::__codegen::schemars::JsonSchema>() {
    use perenso::exports::__codegen::schemars::schema_for;

    let schema = schema_for!(E).to_value();
    let mut named: Vec<&str> = E::PARAMETERS.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    let fields = schema["properties"].as_object();
    assert_eq!(fields.into_iter().flatten().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), named, "{}", E::ID);
}

#[cfg(test)]
mod tests {
    use perenso::exports::{
        __codegen::{
            chrono::DateTime,
            serde_json::{Value, json, to_value},
        },
        Export as _, SavedCatalog,
    };

    use super::{check_all, guide, names, private, renamed_sdk, retyped};

    fn all_kinds() -> names::AllKinds {
        names::AllKinds {
            integer: -1,
            text: "s3cr3t".to_owned(),
            date_time: DateTime::UNIX_EPOCH,
            boolean: true,
            money: json!({"amount": "1.50"}),
        }
    }

    fn values() -> Value {
        json!({
            "Integer": -1, "Text": "s3cr3t", "DateTime": "1970-01-01T00:00:00Z", "Boolean": true,
            "Money": {"amount": "1.50"},
        })
    }

    #[test]
    fn every_struct_has_the_fields_of_its_export_under_their_exact_names() {
        check_all();
    }

    #[test]
    fn fields_have_the_types_of_their_parameters_and_no_debug() {
        let run = all_kinds();
        assert_eq!(to_value(&run).unwrap(), values());
        assert_eq!(format!("{run:?}"), "AllKinds { .. }");
        assert_eq!(run.clone(), run);
    }

    #[test]
    fn the_guide_comes_out_as_anybody_would_write_it() {
        let run = guide::GetApiCustomers { cursor: 1, limit: 15 };
        assert_eq!(to_value(run).unwrap(), json!({"Cursor": 1, "Limit": 15}));
        assert_eq!(to_value(guide::Vendors {}).unwrap(), json!({}));
        assert_eq!((guide::GetApiCustomers::ID, guide::GetApiCustomers::NAME), ("79aag9", "Get API Customers"));
        assert_eq!(guide::GetApiCustomers::PARAMETERS, [("Cursor", "Integer"), ("Limit", "Integer")]);
        let _ = (private::Vendors {}, renamed_sdk::Vendors {});
    }

    #[test]
    fn a_generated_struct_can_be_bound_too() {
        let catalog = SavedCatalog::from_json(include_str!("../catalogs/guide.json")).unwrap();
        let bound = catalog.catalog().bind::<guide::GetApiCustomers>("Get API Customers").unwrap();
        bound.check(&guide::GetApiCustomers { cursor: 1, limit: 15 }).unwrap();
        catalog.catalog().bind::<guide::Vendors>("Vendors").unwrap().check(&guide::Vendors {}).unwrap();
        catalog.catalog().bind::<retyped::GetApiCustomers>("Get API Customers").unwrap_err();
        let catalog = SavedCatalog::from_json(include_str!("../catalogs/names.json")).unwrap();
        let bound = catalog.catalog().bind::<names::AllKinds>("All kinds").unwrap();
        let request = bound.check(&all_kinds()).unwrap();
        assert_eq!(to_value(request.body()).unwrap(), values());
    }

    #[test]
    fn equal_names_have_a_suffix() {
        // An export's is its id.
        let _ = (names::ZonesSame1 {}, names::ZonesSame2 {}, names::Export {}, names::ExportGrinning {});
        // A parameter's is a hash of its own name.
        let _ = |case: names::Case| case.uber_cb4f9a01;
    }
}
