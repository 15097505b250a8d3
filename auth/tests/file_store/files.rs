//! The files of the store.

use std::{
    fs::File,
    future::Future,
    task::{Context, Waker},
    time::SystemTime,
};

use super::*;

#[tokio::test]
async fn nothing_is_touched_before_the_first_lock_and_there_are_two_files_after_the_first_save() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("a").join("tokens");
    let store = FileStore::new(&directory);
    assert!(store.load(&identity(), now()).await.unwrap().is_none());
    assert!(!directory.exists());
    save(&store, "tok-1").await;
    assert_eq!(access(&store).await.as_deref(), Some("tok-1"));
    assert_eq!(names(&directory), at_rest());
    assert!(store.is_durable());
    assert_eq!(store.name(), format!("files in {}", directory.display()));
}

#[cfg(unix)]
#[tokio::test]
async fn directory_tokens_and_lock_are_their_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("tokens");
    save(&FileStore::new(&directory), "tok-1").await;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&file(&directory, "json")), 0o600);
    assert_eq!(mode(&file(&directory, "lock")), 0o600);
}

#[cfg(unix)]
#[tokio::test]
async fn a_save_gives_a_wide_file_its_owner_back() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    save(&store, "tok-1").await;
    fs::set_permissions(file(directory.path(), "json"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-1"));
    save(&store, "tok-2").await;
    assert_eq!(mode(&file(directory.path(), "json")), 0o600);
}

#[tokio::test]
async fn each_identity_has_files_and_a_lock_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    save(&store, "tok-1").await;
    let other = Identity::new(["perenso"], "show-2", Secret::from("s3cr3t"));
    let _held = lock(&store).await.unwrap();
    assert!(store.load(&other, now()).await.unwrap().is_none());
    assert!(store.try_lock(&other, TERM).await.unwrap().is_some());
}

#[tokio::test]
async fn the_lock_excludes_other_stores_of_the_same_process_until_it_is_dropped_or_released() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (FileStore::new(directory.path()), FileStore::new(directory.path()));
    let held = lock(&one).await.unwrap();
    assert!(lock(&one).await.is_none());
    assert!(lock(&other).await.is_none());
    drop(held);
    let mut held = lock(&other).await.unwrap();
    assert!(lock(&one).await.is_none());
    held.extend().await.unwrap();
    held.release().await;
    assert!(lock(&one).await.is_some());
}

#[tokio::test]
async fn inside_the_lock_the_newer_tokens_of_a_sibling_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (FileStore::new(directory.path()), FileStore::new(directory.path()));
    save(&one, "tok-1").await;
    assert_eq!(access(&one).await.as_deref(), Some("tok-1"));
    save(&other, "tok-2").await;
    let kept = lock(&one).await.unwrap().load(now()).await.unwrap().unwrap();
    assert_eq!(kept.access_token.unwrap().token.expose(), "tok-2");
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_read_through_and_replaced_by_a_save() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    save(&store, "tok-1").await;
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(file(directory.path(), "json"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, file(directory.path(), "json")).unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-1"));
    save(&store, "tok-2").await;
    assert!(!file(directory.path(), "json").is_symlink());
    assert!(fs::read_to_string(elsewhere).unwrap().contains("tok-1"));
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
}

#[tokio::test]
async fn temporary_files_of_dead_processes_are_removed_after_an_hour() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    let leave = |name: &str, age: u64| {
        let left = File::create(directory.path().join(name)).unwrap();
        left.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        name.to_owned()
    };
    let of_another = "0123456789abcdef0123456789abcdef";
    leave(&format!("{}.1-00.tmp", identity().key()), 3700);
    leave(&format!("{of_another}.2-00.tmp"), 3700);
    let mut kept = vec![
        leave(&format!("{of_another}.3-00.tmp"), 3500),
        leave(&format!("{of_another}.json"), 3700),
        leave(&format!("{of_another}.lock"), 3700),
        leave("notes.tmp", 3700),
    ];
    save(&store, "tok-1").await;
    kept.extend(at_rest());
    kept.sort();
    assert_eq!(names(directory.path()), kept);
}

/// Asks once whether it is ready, and goes away.
fn give_up<T>(future: impl Future<Output = T>) {
    let _ = std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_lock_and_no_half_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    let mut last = "tok".to_owned();
    save(&store, &last).await;
    for n in 0..20 {
        give_up(store.try_lock(&identity(), TERM));
        // It is free as soon as the save before is through, and not earlier.
        let mut held = loop {
            match lock(&store).await {
                Some(held) => break held,
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!(access(&store).await.as_ref(), Some(&last));
        last = format!("{n}-{}", "a".repeat(200_000));
        give_up(held.save(&tokens(&last, "ref"), now()));
    }
    while lock(&store).await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(access(&store).await, Some(last));
    assert_eq!(names(directory.path()), at_rest());
}
