//! Several processes with one store, some of which are killed.

use super::{
    worker::{TURNS, Worker, nth},
    *,
};

#[tokio::test]
async fn a_lock_excludes_other_processes_and_a_killed_one_gives_it_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    let mut holder = Worker::start("hold", directory.path());
    holder.wait_for("held");
    assert!(lock(&store).await.is_none());
    holder.kill();
    assert!(lock(&store).await.is_some());
}

#[tokio::test]
async fn processes_take_turns_and_each_reads_what_the_one_before_wrote() {
    let directory = tempfile::tempdir().unwrap();
    let workers: Vec<_> = (0..4).map(|_| Worker::start("count", directory.path())).collect();
    let count = workers.len() * TURNS;
    for worker in workers {
        worker.finish();
    }
    let kept = FileStore::new(directory.path()).load(&identity(), now()).await.unwrap().unwrap();
    assert_eq!(kept.refresh_token.unwrap().token.expose(), count.to_string());
    assert_eq!(names(directory.path()), at_rest());
}

#[tokio::test]
async fn the_newer_token_of_another_process_is_found_inside_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    save(&store, "tok-1").await;
    Worker::start("save", directory.path()).finish();
    let kept = lock(&store).await.unwrap().load(now()).await.unwrap().unwrap().access_token.unwrap();
    assert_eq!(kept.token.expose(), "tok-of-the-sibling");
    assert_eq!(kept.lifetime, Duration::from_secs(3600));
    assert!(kept.age < kept.lifetime);
}

#[tokio::test]
async fn a_reader_sees_whole_files_of_their_owners_alone_while_writers_are_killed() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    for round in 0..8_u64 {
        let mut writer = Worker::start("write", directory.path());
        let mut last = None;
        // From the second on, the killed one's last token is there at first.
        let mut seen = 0;
        while seen < 5 {
            assert_owners_alone(directory.path());
            let Some(token) = access(&store).await else { continue };
            let n = token.split_once('-').unwrap().0.parse().unwrap();
            assert!(token == nth(n), "a token that nobody wrote, in round {round}");
            if last.replace(n) != Some(n) {
                seen += 1;
            }
        }
        std::thread::sleep(Duration::from_micros(400 * round));
        writer.kill();
        let token = access(&store).await.unwrap();
        assert!(token == nth(token.split_once('-').unwrap().0.parse().unwrap()));
    }
    save(&store, "tok-1").await;
    assert_eq!(access(&store).await.as_deref(), Some("tok-1"));
}

/// Every file that is there at this moment, those that are being written included.
#[cfg(unix)]
fn assert_owners_alone(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for found in fs::read_dir(directory).unwrap() {
        let found = found.unwrap();
        // One that has just been renamed has no metadata under its old name.
        if let Ok(metadata) = found.metadata() {
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{:?}", found.file_name());
        }
    }
}

#[cfg(not(unix))]
fn assert_owners_alone(_: &Path) {}

#[cfg(unix)]
#[tokio::test]
async fn rights_of_others_are_told_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    save(&FileStore::new(directory.path()), "tok-1").await;
    let tokens = file(directory.path(), "json");
    assert!(!Worker::start("log", directory.path()).finish().contains("WARN"));
    for mode in [0o640, 0o602] {
        fs::set_permissions(&tokens, fs::Permissions::from_mode(mode)).unwrap();
        let said = Worker::start("log", directory.path()).finish();
        let warnings: Vec<_> = said.lines().filter(|line| line.contains("WARN")).collect();
        assert!(
            matches!(warnings[..], [warning] if warning.contains(tokens.to_str().unwrap()) && warning.contains("0600")),
            "{said}"
        );
        assert!(!said.contains("tok-1"), "{said}");
    }
}
