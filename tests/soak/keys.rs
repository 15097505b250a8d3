//! The possible states of a customer in the show, by the results of the writes.

use std::collections::BTreeSet;

/// The possible states of a customer: absent, or with a mark. There is one state, unless a response was lost.
#[derive(Debug, Clone)]
pub struct States(BTreeSet<Option<String>>);

impl States {
    pub fn absent() -> Self {
        Self([None].into())
    }

    /// Records an acknowledged write.
    pub fn is(&mut self, mark: Option<String>) {
        self.0 = [mark].into();
    }

    /// Records a write that may have happened.
    pub fn may_be(&mut self, mark: Option<String>) {
        self.0.insert(mark);
    }

    pub fn allow(&self, mark: Option<&str>) -> bool {
        self.0.contains(&mark.map(str::to_owned))
    }

    pub fn is_certainly_absent(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}
