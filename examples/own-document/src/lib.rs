//! A typed client of a system that the SDK does not know: tokens, retries and rate budget of `perenso-auth`, and calls that are
//! generated from the system's own document.

use std::time::Duration;

use perenso::auth::{BuildError, Client, ClientAuth, Credentials, Grant, Profile, Rate};

/// The generated client of the harbour.
pub mod harbour {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));

    /// The expectations of a mock server.
    #[cfg(test)]
    pub mod mock {
        include!(concat!(env!("OUT_DIR"), "/mock.rs"));
    }
}

/// The normalised document, which the sandbox takes.
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// Connects to a harbour.
///
/// # Errors
/// An address or a credential is invalid.
pub fn connect(api_url: &str, token_url: &str, client_id: &str, secret: &str) -> Result<harbour::Client, BuildError> {
    let profile = Profile::new("harbour")
        .api_url(api_url)
        .token_url(token_url)
        .grants([Grant::ClientCredentials])
        .client_auth(ClientAuth::Body)
        // The sandbox asks for the scope of Perenso.
        .scope(Grant::ClientCredentials, "100214")
        .default_lifetime(Duration::from_secs(300))
        .rate(Rate::per_minute(300));
    let client = Client::builder(profile).credentials(Credentials::new(client_id, secret)).build()?;
    Ok(harbour::Client::new(&client))
}

#[cfg(test)]
mod tests {
    use perenso::{mock::MockShow, runtime::httpmock::MockServer};

    use super::harbour::{mock::MockServerExt as _, prelude::*, types::Berth};

    #[tokio::test]
    async fn a_mock_stands_for_the_harbour() -> Result<(), Box<dyn std::error::Error>> {
        let server = MockServer::start_async().await;
        let harbour = super::harbour::Client::new(server.show()?.auth_client());
        let berths: Vec<Berth> = vec![Berth::builder().berth_id(7).ship("Ada").try_into()?];
        let mock = server.berth_list(|when, then| {
            when.free(true);
            then.ok(&berths);
        });
        let free = harbour.berth_list().free(true).send().await?;
        assert_eq!(free[0].berth_id, 7);
        mock.assert();
        Ok(())
    }

    /// The document shows an empty object, which is often the sample of a response without a body.
    #[tokio::test]
    async fn a_berth_is_freed_whatever_the_response_holds() -> Result<(), Box<dyn std::error::Error>> {
        let server = MockServer::start_async().await;
        let harbour = super::harbour::Client::new(server.show()?.auth_client());
        for (status, body) in [(204, ""), (200, ""), (200, "{}"), (200, r#"{"freed": true}"#)] {
            let mut mock = server.berth_free(|when, then| {
                when.berth_id(7);
                then.into_inner().status(status).body(body);
            });
            let freed = harbour.berth_free().berth_id(7).send().await?;
            assert_eq!(freed.contains_key("freed"), body.contains("freed"), "{status} {body}");
            mock.delete();
        }
        Ok(())
    }
}
