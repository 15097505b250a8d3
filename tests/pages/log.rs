//! A short page is logged once, at debug level.

use std::{
    io,
    sync::{Arc, Mutex},
};

use perenso::exports::Paging;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    export::{Export, numbered, page},
    read,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_short_page_is_said_once() {
    // A page size that no other test of this process requests.
    const ASKED: u32 = 7919;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let export = Export::start(|asked, _| page(numbered(asked, 45, 10))).await;
    let (rows, error) = read(&mut export.pages(Paging::by_page().limit(ASKED)).await).await;
    assert_eq!((rows.len(), error.is_none()), (45, true));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said: Vec<&str> = log.lines().filter(|line| line.contains(&format!("asked={ASKED}"))).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("DEBUG") && said[0].contains("a short page") && said[0].contains("page=1"), "{said:?}");
}
