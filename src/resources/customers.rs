//! Customers: list, create, read, update, delete, and in bulk.

use crate::{
    bulk::{BulkUpsert, Record},
    client::Perenso,
    error::Error,
    generated::{ClientCustomerExt, operations, types},
    lists::{Changes, List, Watermark},
    records::Id,
    types::{Customer, CustomerV2},
};

impl Perenso {
    /// Customers: list, create, read, update, delete, and in bulk.
    pub fn customers(&self) -> Customers<'_> {
        Customers::new(self)
    }
}

/// The customers of a show.
///
/// The guide to [lists and bulk](crate::guide::lists_and_bulk) goes through all of it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let customers = show.customers();
/// for customer in customers.list().page(1).await?.items {
///     println!("{customer:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Customers<'a> {
    show: &'a Perenso,
}

impl<'a> Customers<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    /// All customers, or those that were changed after a time.
    #[doc(alias("Get a list of customers", "GET /Customer", "/Customer"))]
    pub fn list(&self) -> List<Customer> {
        List::new(self.show, &operations::CUSTOMER_LIST, |customer: &Customer| customer.id.as_deref())
    }

    /// Reads everything that changed since a watermark: a date, a timestamp, or what the read before returned.
    ///
    /// See [`Changes`] for what is promised.
    #[doc(alias("modifiedAfter"))]
    pub fn changes(&self, since: impl Into<Watermark>) -> Changes<Customer> {
        Changes::new(self.list(), since.into(), |customer: &Customer| customer.modified_date.get().cloned())
    }

    /// One customer, by the record's `id` (not by `customerID`).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// # let sandbox_id = show.customers().list().page(1).await?.items[0].id.as_deref().unwrap_or_default().to_owned();
    /// # let id = sandbox_id.as_str();
    /// let customer = show.customers().get(id).await?;
    /// assert_eq!(customer.id.as_deref(), Some(id));
    ///
    /// // Nothing is sent for an id that would lead elsewhere.
    /// assert!(show.customers().get("..").await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; an id that is empty, `.`, `..` or holds control characters is refused
    /// before anything is sent.
    #[doc(alias("Get a single customer", "GET /Customer/{id}", "/Customer/{id}"))]
    pub async fn get(&self, id: impl TryInto<Id, Error: std::fmt::Display>) -> Result<Customer, Error> {
        Ok(self.show.api().customer_get().id(id).send().await?.into_inner())
    }

    /// Creates a customer. Never sent twice: when the answer is lost, the error says that it
    /// [may have happened](Error::may_have_written). [`upsert`](Self::upsert) writes by `customerID`, and can be repeated.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::Customer;
    ///
    /// let customer = Customer { customer_id: "5041".into(), customer_name: "Example Stores".into(), ..Customer::default() };
    /// match show.customers().create(&customer).await {
    ///     Ok(made) => println!("its id is {:?}", made.id),
    ///     Err(error) if error.may_have_written() => eprintln!("look before you repeat it: {error}"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Whatever keeps the call from an answer that can be read.
    #[doc(alias("Create a new customer", "POST /Customer", "/Customer"))]
    pub async fn create(&self, customer: &Customer) -> Result<Customer, Error> {
        Ok(self.show.api().customer_create().body(customer.clone()).send().await?.into_inner())
    }

    /// Creates a customer and the ordering groups that it names and that are not there yet.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    #[doc(alias("createMissingOrderingGroups"))]
    pub async fn create_with_ordering_groups(&self, customer: &Customer) -> Result<Customer, Error> {
        let request = self.show.api().customer_create().body(customer.clone()).create_missing_ordering_groups(true);
        Ok(request.send().await?.into_inner())
    }

    /// Updates a customer. A field of the record is left alone ([`Field::Unset`](crate::Field::Unset)), set, or cleared
    /// ([`Field::Null`](crate::Field::Null)); whether the server leaves alone what is not sent is not documented.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::{Field, types::Customer};
    ///
    /// # let made = show.customers().create(&Customer { customer_id: "5041".into(), ..Customer::default() }).await?;
    /// # let id = made.id.as_deref().unwrap_or_default();
    /// let change = Customer { city: "Fargo".into(), fax: Field::Null, ..Customer::default() };
    /// let customer = show.customers().update(id, &change).await?;
    /// assert_eq!(customer.city.as_deref(), Some("Fargo"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[doc(alias("Update a customer", "PUT /Customer/{id}", "/Customer/{id}"))]
    pub async fn update(
        &self,
        id: impl TryInto<Id, Error: std::fmt::Display>,
        customer: &Customer,
    ) -> Result<Customer, Error> {
        Ok(self.show.api().customer_update().id(id).body(customer.clone()).send().await?.into_inner())
    }

    /// Deletes a customer. When an attempt's answer was lost and the next one finds nothing, it is deleted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// # let made = show.customers().create(&perenso::types::Customer::default()).await?;
    /// # let id = made.id.as_deref().unwrap_or_default();
    /// show.customers().delete(id).await?;
    /// assert!(show.customers().get(id).await.is_err_and(|error| error.is_not_found()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[doc(alias("Delete a single customer", "DELETE /Customer/{id}", "/Customer/{id}"))]
    pub async fn delete(&self, id: impl TryInto<Id, Error: std::fmt::Display>) -> Result<(), Error> {
        gone(self.show.api().customer_delete().id(id).send().await.map(drop))
    }

    /// Creates or updates customers by their `customerID`, in batches, and accounts for every one of them. The API does not
    /// say which records were created and which updated.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso, from_erp: Vec<perenso::types::CustomerV2>) -> Result<(), perenso::Error> {
    /// let report = show.customers().upsert(from_erp).send().await?;
    /// for reason in report.reasons() {
    ///     println!("{} x {}", reason.count, reason.text);
    /// }
    /// let next_time = report.into_retry();
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk create and update customers", "POST /v2/customers/bulk", "/v2/customers/bulk"))]
    pub fn upsert(&self, customers: impl IntoIterator<Item = CustomerV2>) -> BulkUpsert<CustomerV2> {
        BulkUpsert::new(self.show, customers)
    }
}

/// What was asked for is so, even if an earlier attempt did it whose answer was lost.
pub(crate) fn gone(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.is_not_found() && error.may_have_written() => Ok(()),
        result => result,
    }
}

impl Record for CustomerV2 {
    const OPERATION: &'static str = "customer_bulk_upsert";
    const KEY: &'static str = "customerID";
    const KEY_IS_REQUIRED: bool = true;

    fn key(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    fn key_of_success(success: &types::BulkSuccess) -> Option<&str> {
        success.customer_id.as_deref()
    }

    fn key_of_failure(failure: &types::BulkFailure) -> Option<&str> {
        failure.customer_id.as_deref()
    }

    async fn send(show: Perenso, batch: Vec<Self>, _: bool) -> Result<types::BulkAnswer, Error> {
        Ok(show.api().customer_bulk_upsert().body(batch).send().await?.into_inner())
    }
}
