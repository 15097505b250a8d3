//! A wrapper that displays a whole record.

use std::fmt;

use serde::Serialize;

/// Displays a whole record as JSON, including personal data. `Debug` of a record shows its keys only.
///
/// ```
/// use perenso::{Reveal, types::Customer};
///
/// let (customer_id, city) = ("5000".into(), "Exampleville".into());
/// let customer = Customer { customer_id, city, ..Customer::default() };
/// assert_eq!(format!("{customer:?}"), r#"Customer { customer_id: "5000", .. }"#);
/// let json = r#"{"customerID":"5000","city":"Exampleville"}"#;
/// assert_eq!(Reveal(&customer).to_string(), json);
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
