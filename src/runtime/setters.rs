//! Setters of generated builders. A value that is refused is reported when the record is built or the call is sent.

use std::fmt::Display;

use crate::error::Error;

/// Sets a field of a builder. Keeps the problem of the first value that is refused.
#[doc(hidden)]
pub fn set<T, V: TryInto<T, Error: Display>>(slot: &mut T, given: V, name: &str, problem: &mut Option<String>) {
    match value(name, given) {
        Ok(value) => *slot = value,
        Err(refusal) => drop(problem.get_or_insert(refusal)),
    }
}

/// Sets a required field of a builder. Keeps the problem of the first value that is refused.
#[doc(hidden)]
pub fn set_required<T, V: TryInto<T, Error: Display>>(
    slot: &mut Option<T>,
    given: V,
    name: &str,
    problem: &mut Option<String>,
) {
    match value(name, given) {
        Ok(value) => *slot = Some(value),
        Err(refusal) => drop(problem.get_or_insert(refusal)),
    }
}

/// Converts an optional parameter of a call.
///
/// # Errors
/// The name of the parameter, and why the value is refused.
#[doc(hidden)]
pub fn optional<T, V: TryInto<T, Error: Display>>(name: &str, given: V) -> Result<Option<T>, String> {
    value(name, given).map(Some)
}

/// Converts a parameter of a call.
///
/// # Errors
/// The name of the parameter, and why the value is refused.
#[doc(hidden)]
pub fn value<T, V: TryInto<T, Error: Display>>(name: &str, given: V) -> Result<T, String> {
    given.try_into().map_err(|error| format!("{name}: {error}"))
}

/// Converts the body of a call to its builder.
///
/// # Errors
/// The name of the parameter, and why the value is refused.
#[doc(hidden)]
pub fn body<T, B: From<T>, V: TryInto<T, Error: Display>>(name: &str, given: V) -> Result<B, String> {
    value(name, given).map(B::from)
}

/// Returns a value of a call.
///
/// # Errors
/// The value was refused by its setter, or is missing.
#[doc(hidden)]
pub fn accepted<T>(operation: &'static str, value: Result<T, String>) -> Result<T, Error> {
    value.map_err(|detail| Error::invalid_request(operation, detail))
}
