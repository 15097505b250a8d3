//! Atomic replacement: a file is complete, or the previous one is unchanged.

use std::{fs, time::Duration};

use futures_util::{StreamExt, stream};
use perenso::{
    Error, ErrorKind, Id,
    exports::{
        RawRow,
        files::{AtomicFile, TableSchema, ToFile},
    },
};

use crate::{Folder, json};

fn formats(folder: &Folder) -> Vec<ToFile> {
    vec![
        ToFile::json_lines(folder.path("rows")),
        ToFile::csv(folder.path("rows")),
        ToFile::csv(folder.path("rows")).schema_file(folder.path("none.json")),
        ToFile::csv(folder.path("rows")).schema(schema()),
        #[cfg(feature = "parquet")]
        ToFile::parquet(folder.path("rows")),
        #[cfg(feature = "parquet")]
        ToFile::parquet(folder.path("rows")).schema(schema()),
    ]
}

fn schema() -> TableSchema {
    serde_json::from_str(r#"{"columns":[{"name":"a","type":"integer","nullable":true}]}"#).unwrap()
}

fn some_error() -> Error {
    Id::new("").unwrap_err().into()
}

async fn raw_rows(count: usize) -> Vec<Result<RawRow, Error>> {
    json("{\"a\":1}\n".repeat(count)).await.collect().await
}

#[tokio::test]
async fn an_error_in_the_rows_leaves_the_file_unchanged() {
    let folder = Folder::new();
    fs::write(folder.path("rows"), "before").unwrap();
    for to in formats(&folder) {
        let mut rows = raw_rows(5000).await;
        rows.push(Err(some_error()));
        rows.extend(raw_rows(10).await);
        let error = to.write(stream::iter(rows)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert_eq!((folder.text("rows").as_str(), folder.names()), ("before", vec!["rows".to_owned()]));
    }
}

#[tokio::test]
async fn a_file_is_not_its_own_schema() {
    let folder = Folder::new();
    fs::create_dir(folder.path("in")).unwrap();
    for format in [ToFile::csv, ToFile::json_lines] {
        let to = format(folder.path("rows")).schema_file(folder.path("in").join("../rows"));
        let error = to.write(stream::iter(raw_rows(1).await)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert_eq!(folder.names(), ["in"]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_unreadable_schema_path_does_not_count_as_missing() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("kept.json", folder.path("kept.json")).unwrap();
    let to = ToFile::csv(folder.path("rows")).schema_file(folder.path("kept.json"));
    let error = to.write(stream::iter(raw_rows(1).await)).await.unwrap_err();
    assert_eq!((error.kind(), folder.names()), (ErrorKind::File, vec!["kept.json".to_owned()]), "{error}");
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing() {
    let folder = Folder::new();
    fs::write(folder.path("rows"), "before").unwrap();
    for to in formats(&folder) {
        let rows = stream::iter(raw_rows(5000).await).chain(stream::pending());
        let left = tokio::time::timeout(Duration::from_millis(100), to.write(rows)).await;
        left.unwrap_err();
        // The thread detects it when it receives the next rows.
        while folder.names().len() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(folder.text("rows"), "before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_dropped_in_the_second_pass_leaves_nothing() {
    let folder = Folder::new();
    fs::write(folder.path("rows"), "before").unwrap();
    // In the second pass: the callback blocks the thread until the future is dropped.
    let (reached, reaches) = tokio::sync::oneshot::channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (reached, gone) = (std::sync::Mutex::new(Some(reached)), std::sync::Mutex::new(gone));
    let to = ToFile::csv(folder.path("rows")).progress_interval(Duration::ZERO).progress(move |progress| {
        if progress.stage == perenso::exports::files::Stage::Writing {
            if let Some(reached) = reached.lock().unwrap().take() {
                reached.send(()).unwrap();
            }
            let _ = gone.lock().unwrap().recv();
        }
    });
    let writing = tokio::spawn(to.write(stream::iter(raw_rows(5000).await)));
    reaches.await.unwrap();
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    drop(go);
    while folder.names().len() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(folder.text("rows"), "before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_dropped_before_the_rename_leaves_nothing() {
    let folder = Folder::new();
    // The thread has received all rows; the callback blocks it until the future is dropped.
    let (reached, reaches) = tokio::sync::oneshot::channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (reached, gone) = (std::sync::Mutex::new(Some(reached)), std::sync::Mutex::new(gone));
    let to = ToFile::json_lines(folder.path("rows")).progress_interval(Duration::ZERO).progress(move |_| {
        if let Some(reached) = reached.lock().unwrap().take() {
            reached.send(()).unwrap();
        }
        let _ = gone.lock().unwrap().recv();
    });
    let writing = tokio::spawn(to.write(stream::iter(raw_rows(5).await)));
    reaches.await.unwrap();
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    drop(go);
    while !folder.names().is_empty() {
        assert!(!folder.path("rows").exists(), "nobody waits for it");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_unwritable_path_is_an_error_before_the_first_row() {
    let folder = Folder::new();
    fs::create_dir(folder.path("folder")).unwrap();
    for (path, reason) in
        [("no/such/rows", "cannot be written"), ("folder", "not a regular file"), ("..", "it has no name")]
    {
        // A stream without rows would block forever.
        let error = ToFile::json_lines(folder.path(path)).write(stream::pending()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains(path), "{text}");
    }
    fs::write(folder.path("rows"), "before").unwrap();
    let to = ToFile::csv(folder.path("rows")).schema_file(folder.path("no/such/schema"));
    let error = to.write(stream::pending()).await.unwrap_err();
    assert!(error.to_string().contains("no/such/schema"), "{error}");
    assert_eq!((folder.text("rows").as_str(), folder.names().len()), ("before", 2));
}

#[tokio::test]
async fn a_panic_of_the_callback_is_propagated_and_leaves_nothing() {
    let folder = Folder::new();
    let to = ToFile::csv(folder.path("rows")).progress_interval(Duration::ZERO).progress(|_| panic!("made up"));
    let error = tokio::spawn(to.write(stream::iter(raw_rows(1).await))).await.unwrap_err();
    assert_eq!(error.into_panic().downcast_ref(), Some(&"made up"));
    assert!(folder.names().is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn permissions_and_links_are_preserved() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = Folder::new();
    fs::write(folder.path("usual"), "").unwrap();
    ToFile::json_lines(folder.path("rows")).write(stream::iter(raw_rows(1).await)).await.unwrap();
    assert_eq!(mode(folder.path("rows")), mode(folder.path("usual")));
    fs::set_permissions(folder.path("rows"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink(folder.path("rows"), folder.path("link")).unwrap();
    ToFile::json_lines(folder.path("link")).write(stream::iter(raw_rows(2).await)).await.unwrap();
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    assert_eq!((folder.text("rows").lines().count(), mode(folder.path("rows"))), (2, 0o640));
}

#[cfg(unix)]
#[test]
fn a_private_file_is_readable_by_its_owner_alone() {
    use std::{io::Write, os::unix::fs::PermissionsExt};
    let folder = Folder::new();
    let mode = || fs::metadata(folder.path("secret")).unwrap().permissions().mode() & 0o777;
    for text in ["first", "second"] {
        let mut file = AtomicFile::private(folder.path("secret")).unwrap();
        write!(file, "{text}").unwrap();
        file.persist().unwrap();
        assert_eq!((folder.text("secret").as_str(), mode()), (text, 0o600));
        // The permissions of an existing file are not taken over.
        fs::set_permissions(folder.path("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    }
    drop(AtomicFile::private(folder.path("secret")).unwrap());
    assert_eq!((folder.text("secret").as_str(), folder.names().len()), ("second", 1));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_missing_file_is_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    symlink("data/rows", folder.path("link")).unwrap();
    symlink("link", folder.path("outer")).unwrap();
    ToFile::json_lines(folder.path("outer")).write(stream::iter(raw_rows(1).await)).await.unwrap();
    assert!(fs::symlink_metadata(folder.path("outer")).unwrap().is_symlink());
    assert_eq!(folder.text("data/rows"), "{\"a\":1}\n");
    // A schema file that is a link is written to its target too.
    symlink("data/schema", folder.path("schema")).unwrap();
    schema().save(folder.path("schema")).unwrap();
    assert!(fs::symlink_metadata(folder.path("schema")).unwrap().is_symlink());
    assert_eq!(TableSchema::load(folder.path("data/schema")).unwrap(), schema());
    symlink("loop", folder.path("loop")).unwrap();
    let error = ToFile::json_lines(folder.path("loop")).write(stream::pending()).await.unwrap_err();
    assert!(error.to_string().contains("a loop of symbolic links"), "{error}");
}
