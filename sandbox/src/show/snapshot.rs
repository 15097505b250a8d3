//! Snapshots of a show.

use super::Show;
use super::behavior::Behavior;
use super::state::State;
use crate::model::exports::Export;
use crate::model::tables::Tables;

/// A copy of the records, references, behavior and exports of a show, made by [`Show::snapshot`].
///
/// Snapshots are cheap: a snapshot and its show share the records that are the same in both. There may be several, and each
/// may be restored any number of times.
#[derive(Clone)]
pub struct Snapshot {
    tables: Tables,
    behavior: Behavior,
    exports: Vec<Export>,
}

impl Show {
    /// Takes a snapshot for a later [`restore`](Show::restore). It contains records, references, products of booths,
    /// behavior and exports. It does not contain tokens, journal, faults, rate limit and clock.
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

    /// Restores a [`snapshot`](Show::snapshot), and leaves everything else unchanged: tokens that were issued since stay
    /// valid. The snapshot may be one of another show.
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
