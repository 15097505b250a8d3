//! Calls the generated client. A sandbox stands for the harbour, and keeps what it is sent: `cargo run -p own-document`

use own_document::harbour::{prelude::*, types::Reservation};
use perenso_sandbox::{Fault, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().document(own_document::DOCUMENT)?.start().await?;
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let harbour = own_document::connect(sandbox.url(), &sandbox.token_url(), id, secret)?;

    // A field that the document requires is a field; every other one can be absent, null or set.
    let mut reservation: Reservation = Reservation::builder().ship("Ada").captain("Jo Example").try_into()?;
    let berth = harbour.berth_reserve().body(reservation.clone()).send().await?;
    println!("reserved: {:?}", *berth);

    // The token is revoked, and a response is lost: reads and idempotent writes are sent again.
    sandbox.revoke_tokens();
    sandbox.fault(Fault::DropResponse);
    reservation.fee = "12.50".parse::<perenso::Decimal>()?.into();
    let berth = harbour.berth_change().berth_id(berth.berth_id).body(reservation).send().await?;
    println!("fee: {:?}", berth.fee);

    let tide = harbour.tide_get().send().await?;
    println!("{} berths, tide {}", harbour.berth_list().send().await?.len(), tide.metres);
    harbour.berth_free().berth_id(berth.berth_id).send().await?;
    Ok(())
}
