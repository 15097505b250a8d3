//! Shows a whole record to those who ask.

use std::fmt;

use serde::Serialize;

/// Prints a whole record as JSON, personal data included, where the record's own `Debug` shows its keys only.
///
/// ```
/// use perenso::{Reveal, types::Customer};
///
/// let customer = Customer { customer_id: "5000".into(), city: "Exampleville".into(), ..Customer::default() };
/// assert_eq!(format!("{customer:?}"), r#"Customer { customer_id: "5000", .. }"#);
/// assert_eq!(Reveal(&customer).to_string(), r#"{"customerID":"5000","city":"Exampleville"}"#);
/// ```
#[derive(Clone, Copy)]
pub struct Reveal<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> fmt::Display for Reveal<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() { serde_json::to_string_pretty(self.0) } else { serde_json::to_string(self.0) };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

impl<T: Serialize + ?Sized> fmt::Debug for Reveal<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
