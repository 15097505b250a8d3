//! The generated client against a sandbox with the same document: tokens that renew, and calls that are repeated or not.

use std::error::Error;

use own_document::harbour::{Client, prelude::*, types::Reservation};
use perenso_sandbox::{Fault, Sandbox};

async fn start() -> Result<(Sandbox, Client), Box<dyn Error>> {
    let sandbox = Sandbox::builder().document(own_document::DOCUMENT)?.start().await?;
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let harbour = own_document::connect(sandbox.url(), &sandbox.token_url(), id, secret)?;
    Ok((sandbox, harbour))
}

/// Returns the number of API calls.
fn calls(sandbox: &Sandbox) -> usize {
    sandbox.journal().iter().filter(|request| request.path.starts_with("/berths")).count()
}

#[tokio::test]
async fn a_revoked_token_is_renewed_and_a_read_is_repeated() -> Result<(), Box<dyn Error>> {
    let (sandbox, harbour) = start().await?;
    harbour.berth_list().send().await?;
    sandbox.revoke_tokens();
    sandbox.fault(Fault::DropResponse);
    assert!(harbour.berth_list().send().await?.is_empty());
    assert_eq!(sandbox.token_requests().total(), 2);
    Ok(())
}

#[tokio::test]
async fn a_reservation_is_sent_once_and_a_change_until_it_succeeds() -> Result<(), Box<dyn Error>> {
    let (sandbox, harbour) = start().await?;
    let reservation: Reservation = Reservation::builder().ship("Ada").try_into()?;
    sandbox.fault(Fault::DropResponse);
    let error = harbour.berth_reserve().body(reservation.clone()).send().await.err().ok_or("no error")?;
    assert!(error.may_have_written());
    assert_eq!(calls(&sandbox), 1);
    let berth = harbour.berth_list().send().await?.remove(0);
    sandbox.fault(Fault::DropResponse);
    harbour.berth_change().berth_id(berth.berth_id).body(reservation).send().await?;
    assert_eq!(calls(&sandbox), 4);
    Ok(())
}

#[tokio::test]
async fn an_unknown_berth_is_not_found() -> Result<(), Box<dyn Error>> {
    let (_sandbox, harbour) = start().await?;
    let error = harbour.berth_get().berth_id(7).send().await.err().ok_or("no error")?;
    assert!(error.is_not_found());
    Ok(())
}
