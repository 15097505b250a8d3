//! The rival that is a crate: `middle`, which keeps a token fresh in a background task. It uses an older reqwest.

use middle::{BasicClientCredentialAuthorizer, HttpClient};

/// Returns a client whose token a background task of the current runtime renews.
pub(crate) async fn client(url: &str) -> HttpClient<BasicClientCredentialAuthorizer> {
    let endpoint = format!("{url}/token").parse().unwrap();
    let authorizer =
        BasicClientCredentialAuthorizer::basic_builder("show-1", "s3cr3t", endpoint).build().await.unwrap();
    HttpClient::new(authorizer).set_client(reqwest_of_middle::Client::builder().no_proxy().build().unwrap())
}
