//! Sources of id and secret, storage of tokens, and several shows in one file.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use perenso::{
    CallErrorKind, Perenso,
    auth::{Credentials, clock::ManualClock, store::FileStore},
};
use perenso_sandbox::Sandbox;

use crate::builder_for;

/// A temporary directory of the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("perenso-credentials-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn sandbox() -> Sandbox {
    Sandbox::builder().customers(3).unlimited().start().await.unwrap()
}

#[tokio::test]
async fn a_secret_that_is_rotated_in_its_file_needs_no_restart() {
    let sandbox = sandbox().await;
    let files = Directory::new();
    let file = files.write("secret", "the old one\n");
    let clock = ManualClock::default();
    let show = Perenso::builder()
        .client_id(sandbox.client_id())
        .client_secret_file(&file)
        .api_url(sandbox.url())
        .token_url(sandbox.token_url())
        .clock(clock.clone())
        .build()
        .unwrap();
    let refused = show.customers().list().send().await.unwrap_err();
    assert_eq!(refused.call().map(perenso::auth::Error::kind), Some(CallErrorKind::Refused));
    files.write("secret", sandbox.client_secret());
    clock.advance(std::time::Duration::from_secs(11));
    assert_eq!(show.customers().list().send().await.unwrap().len(), 3);
    assert!(format!("{show:?}").contains(sandbox.client_id()), "spans call it by its client id");
}

#[tokio::test]
async fn a_secret_that_was_read_may_be_gone_before_the_first_call() {
    let sandbox = sandbox().await;
    let files = Directory::new();
    let file = files.write("secret", sandbox.client_secret());
    let show = Perenso::builder()
        .client_id(sandbox.client_id())
        .client_secret_file(&file)
        .api_url(sandbox.url())
        .token_url(sandbox.token_url())
        .build()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    show.customers().list().send().await.unwrap();
}

#[tokio::test]
async fn a_provider_is_asked_when_a_token_is_needed_and_again_after_a_refusal() {
    let sandbox = sandbox().await;
    let asked = Arc::new(AtomicU32::new(0));
    let (id, secret) = (sandbox.client_id().to_owned(), sandbox.client_secret().to_owned());
    let counted = Arc::clone(&asked);
    let show = Perenso::builder()
        .credentials_provider(move || {
            let nth = counted.fetch_add(1, Ordering::Relaxed);
            let credentials = Credentials::new(&id, if nth == 0 { "the old one" } else { secret.as_str() });
            async move { Ok::<_, std::io::Error>(credentials) }
        })
        .api_url(sandbox.url())
        .token_url(sandbox.token_url())
        .build()
        .unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(show.customers().list().send().await.unwrap().len(), 3);
    show.customers().list().send().await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn credentials_from_two_places_are_refused() {
    let provider = || std::future::ready(Ok::<_, std::io::Error>(Credentials::new("a", "b")));
    let error = Perenso::builder().client_id("a").credentials_provider(provider).build().unwrap_err();
    assert!(error.to_string().contains("call `credentials_provider`, or `client_id` and a secret"), "{error}");
}

#[tokio::test]
async fn clients_with_one_store_share_their_token() {
    let sandbox = sandbox().await;
    let files = Directory::new();
    for _ in 0..3 {
        let show = builder_for(&sandbox).store(FileStore::new(&files.0)).build().unwrap();
        show.customers().list().send().await.unwrap();
    }
    assert_eq!(sandbox.token_requests().total(), 1);
}

#[cfg(feature = "registry")]
#[tokio::test]
async fn several_shows_come_from_one_file_and_a_bad_one_stops_no_other() {
    use perenso::Shows;

    let sandbox = sandbox().await;
    let files = Directory::new();
    files.write("good", sandbox.client_secret());
    files.write("bad", "no secret of this show");
    let show = |name: &str| {
        format!(
            "[shows.{name}]\nprofile = \"perenso\"\nclient_id = \"{}\"\nclient_secret_file = \"{name}\"\n\
             token_url = \"{}\"\napi_url = \"{}\"\n",
            sandbox.client_id(),
            sandbox.token_url(),
            sandbox.url()
        )
    };
    let tours = "[shows.tours]\nprofile = \"tourpaq\"\nclient_id = \"x\"\nclient_secret_file = \"good\"\n\
                 username = \"u\"\npassword_file = \"good\"\n";
    let file = files.write("shows.toml", &(show("bad") + &show("good") + &show("lost") + tours));
    let shows = Shows::read(file).unwrap();
    assert_eq!(shows.names().collect::<Vec<_>>(), ["bad", "good", "lost", "tours"]);
    assert!(shows.get("bad").unwrap().customers().list().send().await.is_err());
    assert_eq!(shows.get("good").unwrap().customers().list().send().await.unwrap().len(), 3);
    for (name, says) in [("lost", "cannot be read"), ("tours", "belongs to `tourpaq`"), ("nowhere", "there is no show")]
    {
        let error = shows.get(name).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}
