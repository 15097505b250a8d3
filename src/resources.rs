//! The resources of a show, each with the method of [`Perenso`](crate::Perenso) that returns it.

mod attendees;
mod booth_products;
mod customers;
mod inferred;
mod order_history;
mod orders;
mod resource;
mod vendors;

pub use self::{
    attendees::Attendees, booth_products::BoothProducts, customers::Customers, order_history::OrderHistory,
    orders::Orders, resource::Resource, vendors::Vendors,
};
