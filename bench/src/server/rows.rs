//! An export of order lines, as many as requested. It repeats the same thousand, and streams them.

use std::{io::Result, sync::LazyLock};

use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The only export: `Rows`, with the parameter `Count` in thousands.
pub(super) const CATALOG: &str =
    r#"[{"id":"rows","name":"Rows","parameters":[{"name":"Count","dataType":"Integer","description":"Thousands"}]}]"#;

/// A thousand rows, each after a comma.
static THOUSAND: LazyLock<String> = LazyLock::new(|| (1..=1000).map(|n| format!(",{}", row(n))).collect());

/// Returns the body length of `thousands` thousand rows, in bytes.
pub(crate) fn length(thousands: usize) -> usize {
    thousands * THOUSAND.len() + 1
}

fn row(n: usize) -> String {
    format!(
        r#"{{"orderID":"SO-{n:06}","line":{},"customerID":"{}","productID":"P-{:05}","description":"Tumbler with lid, 0.{} l, box of 12","quantity":{},"unitPrice":{}.{:02},"deliveryDate":"2025-07-{:02}","confirmed":{},"warehouseID":"WH{}"}}"#,
        n % 40 + 1,
        5000 + n % 700,
        n * 37 % 100_000,
        n % 9 + 1,
        n % 144 + 1,
        n % 90 + 1,
        n % 100,
        n % 28 + 1,
        !n.is_multiple_of(3),
        7000 + n % 600,
    )
}

/// Writes the response to a request with this body.
pub(super) async fn response(stream: &mut TcpStream, body: &str) -> Result<()> {
    let thousands: usize = body.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n[", length(thousands)).as_bytes()).await?;
    for n in 0..thousands {
        stream.write_all(&THOUSAND.as_bytes()[usize::from(n == 0)..]).await?;
    }
    stream.write_all(b"]").await
}
