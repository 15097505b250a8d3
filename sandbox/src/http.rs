//! The HTTP interface of a sandbox: server, routers, and one file per resource.

pub(crate) mod api_error;
pub(crate) mod body;
pub(crate) mod documented;
pub(crate) mod exchange;
mod middleware;
mod resources;
pub(crate) mod retry_after;
mod router;
pub(crate) mod server;
pub(crate) mod shows;
mod system;
pub(crate) mod token;

pub(crate) use middleware::bearer;
