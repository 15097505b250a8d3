//! The other side, in a process of its own so that its work is not counted: tokens, and one customer of 1 KB.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One customer, as the vendor's sample has it.
pub(crate) const CUSTOMER: &str = r#"{"id":"jggkh3","modifiedDate":"2025-07-28","customerID":"5041","customerName":"Trade Store 0001","email":"store-0001@example.com","phone":"(555) 010-0156","fax":"555-010-4677 x559","priceZone":702,"test":false,"placeholder":false,"street1":"2519 Market Street","street2":"Unit 992","city":"Example City","state":"North Dakota","zipCode":"27667-9860","allowanceGroup":"AG88","deliveryGroup":"0940","warehouseID":"WH7558","customerClassID":"H","orderPermissionKey":3,"primarySalesRep":"USER2791","salesReps":["USER2960","USER1243"],"orderingGroups":[{"id":"6a6skk","orderingGroupID":"OG0849","orderingGroupName":"Group 849","orderingSubGroupID":"6287","orderingSubGroupName":"Sub group 6287","customers":["5041","5042","5043"]}],"extra1":"472","extra2":"7mwek4","extra3":"third free field of the record","extra4":"fourth free field of the record","extra5":"fifth free field of the record"}"#;

/// A server process; ends with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts this binary again as a server whose token endpoint takes so long, for tokens that live so many seconds.
    pub(crate) fn start(token_delay: Duration, lifetime: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", &token_delay.as_millis().to_string(), &lifetime.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    /// How many tokens were asked for.
    pub(crate) fn token_requests(&self) -> usize {
        let url = format!("{}/count", self.url);
        let count = async { reqwest::get(url).await.unwrap().text().await.unwrap().parse().unwrap() };
        runtime(1).block_on(count)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One thread for one task, two for many.
pub(crate) fn runtime(tasks: usize) -> tokio::runtime::Runtime {
    let mut builder = if tasks == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// The server itself: until its standard input ends.
pub(crate) fn serve(token_delay: u64, lifetime: String) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    runtime(1).block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let tokens = Arc::new(AtomicUsize::new(0));
        let lifetime: Arc<str> = lifetime.into();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let delay = Duration::from_millis(token_delay);
            tokio::spawn(connection(stream, delay, Arc::clone(&lifetime), Arc::clone(&tokens)));
        }
    });
}

async fn connection(mut stream: TcpStream, delay: Duration, lifetime: Arc<str>, tokens: Arc<AtomicUsize>) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        while buffer.len() < end + length.unwrap_or(0usize) {
            stream.read_buf(&mut buffer).await.unwrap();
        }
        buffer.drain(..end + length.unwrap_or(0));
        let body = if head.starts_with("post /token") {
            let n = tokens.fetch_add(1, Relaxed);
            tokio::time::sleep(delay).await;
            format!(r#"{{"access_token":"tok-{n}","token_type":"Bearer","expires_in":{lifetime}}}"#)
        } else if head.starts_with("get /count") {
            tokens.load(Relaxed).to_string()
        } else {
            CUSTOMER.to_owned()
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
