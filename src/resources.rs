//! The resources of a show, each with the method of [`Perenso`](crate::Perenso) that returns it.

mod attendees;
mod booth_products;
mod customers;
mod orders;
mod resource;
mod vendors;

pub use self::{
    attendees::Attendees, booth_products::BoothProducts, customers::Customers, orders::Orders, resource::Resource,
    vendors::Vendors,
};
