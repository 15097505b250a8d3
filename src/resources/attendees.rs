//! Attendees: list and read.

use crate::{
    client::Perenso,
    error::Error,
    generated::{operations, prelude::*},
    lists::{Changes, List, Watermark},
    records::Id,
    types::*,
};

impl Perenso {
    /// Returns the calls on attendees: list and read.
    pub fn attendees(&self) -> Attendees<'_> {
        Attendees::new(self)
    }
}

/// The attendees of a show.
#[derive(Clone, Copy, Debug)]
pub struct Attendees<'a> {
    show: &'a Perenso,
}

impl<'a> Attendees<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    #[cfg_attr(partial_facade, cfg(facade = "attendees().list()"))]
    /// Returns a list of all attendees, which can be restricted to those modified after a timestamp.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// use futures_util::TryStreamExt;
    ///
    /// let changed = show.attendees().list().modified_after("2025-01-31");
    /// let attendees: Vec<_> = changed.stream().try_collect().await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias("Get a list of attendees", "GET /attendee", "/attendee"))]
    pub fn list(&self) -> List<Attendee> {
        List::new(self.show, &operations::ATTENDEE_LIST, |attendee: &Attendee| attendee.id.as_deref())
    }

    #[cfg_attr(partial_facade, cfg(facade = "attendees().changes()"))]
    /// Reads everything that changed since a watermark: a date, a timestamp, or the watermark of the previous read.
    ///
    /// See [`Changes`] for the guarantees.
    #[doc(alias("modifiedAfter"))]
    pub fn changes(&self, since: impl Into<Watermark>) -> Changes<Attendee> {
        Changes::new(self.list(), since.into(), |attendee: &Attendee| attendee.modified_date.get().cloned())
    }

    #[cfg_attr(partial_facade, cfg(facade = "attendees().get()"))]
    /// Returns the attendee with this `id`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none. An invalid id fails before anything is sent.
    #[doc(alias("Get a single attendee", "GET /attendee/{id}", "/attendee/{id}"))]
    pub async fn get(&self, id: impl TryInto<Id, Error: std::fmt::Display>) -> Result<Attendee, Error> {
        Ok(self.show.api().attendee_get().id(id).send().await?.into_inner())
    }
}
