//! Resources by path: the five calls that every resource of the vendor has.

use std::{borrow::Cow, fmt};

use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::customers::gone;
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    lists::List,
    records::{Id, JsonRecord, segment},
};

impl Perenso {
    /// Returns the five calls of a resource by its path, for resources without a method of their own. The vendor names sales rep
    /// hierarchies, customer classes and pricing, but shows no path from which theirs could be inferred.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use serde_json::{Value, json};
    ///
    /// // The path of your show, from the vendor.
    /// let classes = show.resource::<Value>("/CustomerClass")?;
    /// let made = classes.create(&json!({"description": "Independent"})).await?;
    /// println!("{}", made["id"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The path is invalid. It must start with one `/`, must not end with `/`, and must not contain a query, whitespace, `.` or
    /// `..`.
    #[doc(alias("Sales Rep Hierarchies", "Customer Class", "pricing"))]
    pub fn resource<T: Serialize + DeserializeOwned>(&self, path: &str) -> Result<Resource<T>, Error> {
        Resource::new(self, path)
    }

    /// Returns the calls on a resource by its path, with records as JSON. In contrast to those of [`resource`](Self::resource),
    /// the ids of the records are known, so a list detects a record that repeats.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// let classes = show.records("/CustomerClass")?.list().send().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`resource`](Self::resource) does.
    pub fn records(&self, path: &str) -> Result<Resource<JsonRecord>, Error> {
        Resource::of_records(self, "").at(path)
    }
}

/// Returns true if this segment is a plain name: not empty, no dot segment, no delimiter.
fn is_name(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    let is_foreign = |c: char| c.is_control() || c.is_whitespace() || "?#\\".contains(c);
    !["", ".", ".."].contains(&plain.as_str()) && !plain.contains(is_foreign)
}

/// A resource by its path: list, create, update, get, delete.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use perenso::JsonRecord;
///
/// let warehouses = show.warehouses();
/// let record = JsonRecord::new().with("warehouseID", "WH7");
/// let made = warehouses.create(&record).await?;
/// let id = made.id().ok_or("the response has no id")?;
/// warehouses.update(id, &made.clone().with("description", "The new one")).await?;
/// let read = warehouses.get(id).await?;
/// assert_eq!(read.field::<String>("warehouseID")?, "WH7".into());
/// warehouses.delete(id).await?;
/// # Ok(()) }
/// ```
pub struct Resource<T> {
    show: Perenso,
    path: String,
    key: fn(&T) -> Option<&str>,
}

impl Resource<JsonRecord> {
    /// A resource with a known path.
    pub(crate) fn of_records(show: &Perenso, path: &'static str) -> Self {
        Self { show: show.clone(), path: path.to_owned(), key: JsonRecord::id }
    }

    /// Reads and writes records of your own type.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Warehouse {
    ///     id: String,
    /// }
    /// let warehouses: Vec<Warehouse> = show.warehouses().typed().list().send().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn typed<T: Serialize + DeserializeOwned>(self) -> Resource<T> {
        Resource { show: self.show, path: self.path, key: |_| None }
    }
}

impl<T: Serialize + DeserializeOwned> Resource<T> {
    pub(crate) fn new(show: &Perenso, path: &str) -> Result<Self, Error> {
        Self { show: show.clone(), path: String::new(), key: |_| None }.at(path)
    }

    /// Sets another path, in place of an inferred one.
    ///
    /// # Errors
    /// Fails as [`Perenso::resource`] does.
    pub fn at(mut self, path: &str) -> Result<Self, Error> {
        let names = path.strip_prefix('/').map(|names| names.split('/').all(is_name));
        if names != Some(true) {
            let detail = "the path of a resource is made of `/` and names, none of them empty, `.` or `..`, and holds \
                          neither query nor blank: `/Warehouse`";
            return Err(Error::own(ErrorKind::Input, "resource", detail));
        }
        path.clone_into(&mut self.path);
        Ok(self)
    }

    fn one(&self, id: &Id) -> Cow<'static, str> {
        Cow::Owned(format!("{}/{}", self.path, segment(id.as_str())))
    }

    /// Returns the record with this id.
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none. An invalid id fails before anything is sent.
    pub async fn get(&self, id: impl TryInto<Id, Error: Into<Error>>) -> Result<T, Error> {
        let id = id.try_into().map_err(Into::into)?;
        Ok(self.show.request(Method::GET, self.one(&id)).operation(self.name("get")).send_json().await?)
    }

    /// Creates a record. Never retried after it may have been processed.
    ///
    /// # Errors
    /// The call fails, or its response cannot be read.
    pub async fn create(&self, record: &(impl Serialize + ?Sized)) -> Result<T, Error> {
        let request = self.show.request(Method::POST, self.path.clone()).operation(self.name("create"));
        Ok(request.json(record).send_json().await?)
    }

    /// Updates a record.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub async fn update(
        &self,
        id: impl TryInto<Id, Error: Into<Error>>,
        record: &(impl Serialize + ?Sized),
    ) -> Result<T, Error> {
        let id = id.try_into().map_err(Into::into)?;
        let request = self.show.request(Method::PUT, self.one(&id)).operation(self.name("update"));
        Ok(request.json(record).send_json().await?)
    }

    /// Deletes a record. A 404 after an attempt whose response was lost counts as success.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub async fn delete(&self, id: impl TryInto<Id, Error: Into<Error>>) -> Result<(), Error> {
        let id = id.try_into().map_err(Into::into)?;
        let request = self.show.request(Method::DELETE, self.one(&id)).operation(self.name("delete"));
        let deleted = async { request.send().await?.acknowledge().await };
        gone(deleted.await.map(drop).map_err(Error::from))
    }

    /// Returns the name of the operation: verb and path, without the id, which is data.
    fn name(&self, verb: &str) -> String {
        format!("{verb} {}", self.path)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Resource<T> {
    /// Returns a list of all records. The ids of your own types are not known, so only whole pages that repeat are detected.
    pub fn list(&self) -> List<T> {
        List::at(&self.show, "resource_list", Cow::Owned(self.path.clone()), self.key)
    }
}

impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Self { show: self.show.clone(), path: self.path.clone(), key: self.key }
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("path", &self.path).finish_non_exhaustive()
    }
}
