//! Files and directories in a bad state: a clear word, no panic, nothing of the content told.

use std::error::Error as _;

use perenso_auth::store::{StoreError, StoreErrorKind};

use super::*;

/// A store whose token file is in place, and that file.
async fn store() -> (tempfile::TempDir, FileStore, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    save(&store, "tok-1").await;
    let tokens = file(directory.path(), "json");
    (directory, store, tokens)
}

/// Of this kind, with a text that names the file and says what to do, and nothing of what is in it.
#[track_caller]
fn assert_told(error: &StoreError, kind: StoreErrorKind, path: &Path, advice: &str) {
    let text = format!("{error} {error:?} {:?}", error.source());
    assert_eq!(error.kind(), kind, "{text}");
    assert!(error.to_string().contains(path.to_str().unwrap()) && error.to_string().contains(advice), "{text}");
    assert!(!text.contains("s3cr3t") && !text.contains("tok-1"), "{text}");
}

async fn unusable_until_it_is_saved_again(store: &FileStore, tokens: &Path) {
    let error = store.load(&identity(), now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::Unusable, tokens, "remove it");
    let error = lock(store).await.unwrap().load(now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::Unusable, tokens, "remove it");
    save(store, "tok-2").await;
    assert_eq!(access(store).await.as_deref(), Some("tok-2"));
}

#[tokio::test]
async fn invalid_content_is_an_error_without_a_quote_and_replaced_by_a_save() {
    let (_directory, store, tokens) = store().await;
    let whole = fs::read(&tokens).unwrap();
    for text in [
        b"".as_slice(),
        b"s3cr3t",
        b"\xff\xfe\0",
        b"[]",
        b"{\"version\":2,\"access_token\":\"s3cr3t\"}",
        b"{\"access_token\":{\"token\":\"s3cr3t\",\"lifetime_ms\":1,\"asked_at_ms\":1}}",
        b"{\"version\":1,\"access_token\":{\"token\":\"s3cr3t\",\"lifetime_ms\":\"s3cr3t\",\"asked_at_ms\":1}}",
        &whole[..whole.len() - 1],
    ] {
        fs::write(&tokens, text).unwrap();
        unusable_until_it_is_saved_again(&store, &tokens).await;
    }
}

#[tokio::test]
async fn a_file_of_any_size_is_not_read_into_memory() {
    let (_directory, store, tokens) = store().await;
    fs::File::create(&tokens).unwrap().set_len(1 << 40).unwrap();
    unusable_until_it_is_saved_again(&store, &tokens).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_the_place_of_the_file_holds_nobody_up() {
    let (_directory, store, tokens) = store().await;
    fs::remove_file(&tokens).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&tokens).status().unwrap().success());
    let loaded = tokio::time::timeout(Duration::from_secs(30), store.load(&identity(), now())).await;
    if loaded.is_err() {
        // Lets the reader go, or the runtime would wait for it.
        drop(fs::OpenOptions::new().write(true).open(&tokens));
    }
    assert_told(&loaded.unwrap().unwrap_err(), StoreErrorKind::Unusable, &tokens, "remove it");
    save(&store, "tok-2").await;
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
}

/// As permissions do not bind whoever runs tests as root: a link that leads round in a circle.
#[cfg(unix)]
#[tokio::test]
async fn an_unreadable_file_is_unavailable_and_not_taken_for_none() {
    let (_directory, store, tokens) = store().await;
    fs::remove_file(&tokens).unwrap();
    std::os::unix::fs::symlink(&tokens, &tokens).unwrap();
    let error = store.load(&identity(), now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::Unavailable, &tokens, "check its owner and permissions");
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_file_is_told_and_left_alone() {
    let (directory, store, path) = store().await;
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = store.load(&identity(), now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::Unavailable, &path, "remove it");
    let mut lock = lock(&store).await.unwrap();
    let error = lock.save(&tokens("tok-1", "s3cr3t"), now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::Unavailable, &path, "its path is not a directory");
    assert_eq!(names(directory.path()), at_rest());
    // The tokens are still in the caller's hands, and so is the lock.
    fs::remove_dir(&path).unwrap();
    lock.save(&tokens("tok-2", "ref"), now()).await.unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_told_on_every_way() {
    let (directory, store, path) = store().await;
    let mut held = lock(&store).await.unwrap();
    let aside = directory.path().with_extension("aside");
    fs::rename(directory.path(), &aside).unwrap();
    fs::write(directory.path(), "").unwrap();
    let failures = [
        store.load(&identity(), now()).await.unwrap_err(),
        held.load(now()).await.unwrap_err(),
        held.save(&tokens("tok-1", "s3cr3t"), now()).await.unwrap_err(),
        held.extend().await.unwrap_err(),
        store.try_lock(&identity(), TERM).await.unwrap_err(),
    ];
    for error in failures {
        assert_told(&error, StoreErrorKind::Unavailable, &path, "check");
    }
    fs::remove_file(directory.path()).unwrap();
    fs::rename(aside, directory.path()).unwrap();
    held.save(&tokens("tok-2", "ref"), now()).await.unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_was_removed_comes_back_with_the_next_save() {
    let (directory, store, _) = store().await;
    let mut held = lock(&store).await.unwrap();
    fs::remove_dir_all(directory.path()).unwrap();
    assert!(held.load(now()).await.unwrap().is_none());
    held.save(&tokens("tok-2", "ref"), now()).await.unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
    assert!(lock(&store).await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn a_lock_whose_file_was_removed_is_taken_again_where_nobody_has_written() {
    let (directory, store, _) = store().await;
    let mut held = lock(&store).await.unwrap();
    fs::remove_file(file(directory.path(), "lock")).unwrap();
    held.save(&tokens("tok-2", "ref"), now()).await.unwrap();
    assert_eq!(access(&store).await.as_deref(), Some("tok-2"));
    assert!(lock(&store).await.is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn a_lock_whose_file_was_removed_overwrites_no_sibling() {
    let (directory, store, path) = store().await;
    let mut held = lock(&store).await.unwrap();
    fs::remove_file(file(directory.path(), "lock")).unwrap();
    let mut sibling = lock(&store).await.unwrap();
    let error = held.extend().await.unwrap_err();
    assert_told(&error, StoreErrorKind::LockLost, &path, "exclude it from cleanup jobs");
    sibling.save(&tokens("tok-of-the-sibling", "ref"), now()).await.unwrap();
    sibling.release().await;
    let error = held.save(&tokens("tok-1", "s3cr3t"), now()).await.unwrap_err();
    assert_told(&error, StoreErrorKind::LockLost, &path, "exclude it from cleanup jobs");
    assert_eq!(access(&store).await.as_deref(), Some("tok-of-the-sibling"));
}
