//! A snapshot: what a show was like at one moment.

use super::Show;
use super::behavior::Behavior;
use super::state::State;
use crate::model::exports::Export;
use crate::model::tables::Tables;

/// The records, references, behavior and exports of a show at one moment, by [`Show::snapshot`].
///
/// It costs next to nothing: a snapshot and its show share what is the same in both. Several may be kept, and each may be
/// brought back as often as wanted.
#[derive(Clone)]
pub struct Snapshot {
    tables: Tables,
    behavior: Behavior,
    exports: Vec<Export>,
}

impl Show {
    /// Keeps the present for a later [`restore`](Show::restore): records, what was added by
    /// [`add_reference`](Show::add_reference), products of booths, behavior and exports. Tokens, journal, faults, budget and
    /// clock are not part of it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), perenso_sandbox::Error> {
    /// use perenso_sandbox::Sandbox;
    /// use serde_json::json;
    ///
    /// let sandbox = Sandbox::start().await?;
    /// let before = (sandbox.snapshot(), sandbox.customers());
    /// sandbox.add_customer(json!({ "customerID": "5041" }))?;
    /// sandbox.set_behavior(|behavior| behavior.page_cap = Some(3));
    /// sandbox.restore(&before.0);
    /// assert_eq!(sandbox.customers(), before.1);
    /// assert_eq!(sandbox.behavior().page_cap, None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let State { tables, behavior, exports, .. } = &*self.state();
        Snapshot { tables: tables.clone(), behavior: behavior.clone(), exports: exports.clone() }
    }

    /// Brings back what [`snapshot`](Show::snapshot) kept, and leaves everything else as it is: tokens that were handed out
    /// since go on working. The snapshot may be of another show, whose records this one has then.
    pub fn restore(&self, snapshot: &Snapshot) {
        let Snapshot { tables, behavior, exports } = snapshot.clone();
        let mut state = self.state();
        state.tables = tables;
        state.behavior = behavior;
        state.exports = exports;
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("customers", &self.tables.customers.len()).finish_non_exhaustive()
    }
}
