//! Resources by path: the five calls that every resource of the vendor has.

use std::{borrow::Cow, fmt, marker::PhantomData};

use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::customers::gone;
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    lists::List,
    records::{Id, segment},
};

impl Perenso {
    /// Returns the five calls of a resource by its path, for resources that the document does not describe.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use serde_json::{Value, json};
    ///
    /// let warehouses = show.resource::<Value>("/Warehouse")?;
    /// let made = warehouses.create(&json!({"warehouseID": "WH1"})).await?;
    /// println!("{}", made["id"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The path is invalid. It must start with one `/`, must not end with `/`, and must not contain a query, whitespace, `.` or
    /// `..`.
    #[doc(alias(
        "Warehouses",
        "Delivery Groups",
        "Delivery Ranges",
        "Delivery Drops",
        "Sales Reps",
        "Sales Rep Managers",
        "Ordering Groups"
    ))]
    pub fn resource<T: Serialize + DeserializeOwned>(&self, path: &str) -> Result<Resource<T>, Error> {
        Resource::new(self, path)
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
/// use serde_json::{Value, json};
///
/// let warehouses = show.resource::<Value>("/Warehouse")?;
/// let made = warehouses.create(&json!({"warehouseID": "WH7"})).await?;
/// let id = made["id"].as_str().ok_or("the response has no id")?;
/// warehouses.update(id, &json!({"description": "The new one"})).await?;
/// assert_eq!(warehouses.get(id).await?["warehouseID"], "WH7");
/// warehouses.delete(id).await?;
/// # Ok(()) }
/// ```
pub struct Resource<T> {
    show: Perenso,
    path: String,
    record: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Resource<T> {
    pub(crate) fn new(show: &Perenso, path: &str) -> Result<Self, Error> {
        let names = path.strip_prefix('/').map(|names| names.split('/').all(is_name));
        if names != Some(true) {
            let detail = "the path of a resource is made of `/` and names, none of them empty, `.` or `..`, and holds \
                          neither query nor blank: `/Warehouse`";
            return Err(Error::own(ErrorKind::Input, "resource", detail));
        }
        Ok(Self { show: show.clone(), path: path.to_owned(), record: PhantomData })
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
    /// Returns a list of all records. This type does not know their ids, so only whole pages that repeat are detected.
    pub fn list(&self) -> List<T> {
        List::at(&self.show, "resource_list", Cow::Owned(self.path.clone()), |_| None)
    }
}

impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Self { show: self.show.clone(), path: self.path.clone(), record: PhantomData }
    }
}

impl<T> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("path", &self.path).finish_non_exhaustive()
    }
}
