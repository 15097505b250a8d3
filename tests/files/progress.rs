//! Progress of both passes and at the end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use perenso::exports::files::{Progress, Stage, ToFile};

use crate::{Folder, json};

/// Returns the progress reports while 3000 rows are written.
async fn told(interval: Duration) -> Vec<Progress> {
    let folder = Folder::new();
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let heard = Arc::clone(&told);
    let to = ToFile::csv(folder.path("rows")).progress_interval(interval);
    let to = to.progress(move |progress| heard.lock().unwrap().push(*progress));
    to.write(json("{\"a\":1}\n".repeat(3000)).await).await.unwrap();
    let told = told.lock().unwrap();
    told.clone()
}

#[tokio::test]
async fn both_passes_are_reported() {
    let told = told(Duration::ZERO).await;
    for stage in [Stage::Receiving, Stage::Writing] {
        let rows: Vec<_> =
            told.iter().filter(|progress| progress.stage == stage).map(|progress| progress.rows).collect();
        assert!(rows.len() > 1 && rows.is_sorted(), "{told:?}");
    }
    assert_eq!(told.iter().filter(|progress| progress.is_done).count(), 1);
}

#[tokio::test]
async fn the_end_is_reported_whatever_the_interval() {
    let told = told(Duration::MAX).await;
    let [last] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((last.stage, last.rows, last.bytes, last.is_done), (Stage::Writing, 3000, 21_000, true));
}
