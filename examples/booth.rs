//! Puts products at a booth: `cargo run --example booth BOOTHID PRODUCTID…`.
//!
//! Without arguments it takes a booth and products of the sandbox. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it
//! talk to a real show, where it **writes**.
#![allow(clippy::print_stdout)]

use perenso::types::Product;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, sandbox) = environment::show().await?;
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if sandbox.is_some() && arguments.is_empty() {
        arguments = ["BOOTH0001", "PROD0001", "PROD0002"].map(str::to_owned).into();
    }
    let [booth, first, rest @ ..] = arguments.as_slice() else { return Err("give a booth and a product".into()) };

    // Neither call is idempotent, so neither is retried when its response is lost.
    print(&show.booth_products().associate(booth, first).await?);
    print(&show.booth_products().associate_many(booth, rest).await?);
    Ok(())
}

/// Prints the products of a response, which lists a product once for each of its ordering units.
fn print(products: &[Product]) {
    println!("Now at the booth:");
    for product in products {
        let (id, unit) = (product.product_id.as_deref(), product.order_unit.as_deref());
        println!("  {:12} {}", id.unwrap_or("-"), unit.unwrap_or("-"));
    }
}
