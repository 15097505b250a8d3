//! T13: a token in hand is served without an allocation.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use perenso_auth::{Client, Credentials, Profile};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test]
async fn t13_a_hit_allocates_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        let body = r#"{"access_token":"tok-0","expires_in":300}"#;
        let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(response.as_bytes()).await.unwrap();
    });
    let client = Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(format!("{url}/token"))
        .api_url(url)
        .build()
        .unwrap();
    assert_eq!(client.token(Duration::ZERO).await.unwrap().expose(), "tok-0");
    serving.await.unwrap();
    // With and without a length that is asked for.
    let hit = |min_validity: Duration| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match pin!(client.token(min_validity)).poll(&mut context) {
            Poll::Ready(token) => assert_eq!(token.unwrap().header().len(), "Bearer tok-0".len()),
            Poll::Pending => panic!("a hit had to wait"),
        }
    };
    let counted = allocation_counter::measure(|| (0..1000).for_each(|n| hit(Duration::from_secs(n % 60))));
    assert_eq!(counted.count_total, 0);
    // The counter counts.
    assert_eq!(allocation_counter::measure(|| drop(Box::new(1))).count_total, 1);
}
