//! What may be in the show under a key, by what was said of the writes.

use std::collections::BTreeSet;

/// The states in which a customer may be: absent, or with a mark. One state, unless an answer was lost.
#[derive(Debug, Clone)]
pub struct States(BTreeSet<Option<String>>);

impl States {
    pub fn absent() -> Self {
        Self([None].into())
    }

    /// A write was acknowledged.
    pub fn is(&mut self, mark: Option<String>) {
        self.0 = [mark].into();
    }

    /// A write may have happened.
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
