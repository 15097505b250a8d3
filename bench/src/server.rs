//! The server: tokens, one customer of 1 KB, and an export. It runs in a process of its own so that its CPU is not counted.

mod rows;
mod tokens;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) use rows::length;
use tokens::Tokens;
pub(crate) use tokens::{FIRST_TOKEN, Terms};

/// A customer like that of the vendor's sample.
pub(crate) const CUSTOMER: &str = r#"{"id":"jggkh3","modifiedDate":"2025-07-28","customerID":"5041","customerName":"Trade Store 0001","email":"store-0001@example.com","phone":"(555) 010-0156","fax":"555-010-4677 x559","priceZone":702,"test":false,"placeholder":false,"street1":"2519 Market Street","street2":"Unit 992","city":"Example City","state":"North Dakota","zipCode":"27667-9860","allowanceGroup":"AG88","deliveryGroup":"0940","warehouseID":"WH7558","customerClassID":"H","orderPermissionKey":3,"primarySalesRep":"USER2791","salesReps":["USER2960","USER1243"],"orderingGroups":[{"id":"6a6skk","orderingGroupID":"OG0849","orderingGroupName":"Group 849","orderingSubGroupID":"6287","orderingSubGroupName":"Sub group 6287","customers":["5041","5042","5043"]}],"extra1":"472","extra2":"7mwek4","extra3":"third free field of the record","extra4":"fourth free field of the record","extra5":"fifth free field of the record"}"#;

/// A server process, which is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts this binary again as a server.
    pub(crate) fn start(terms: Terms) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .args(terms.to_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    /// Returns the number of token requests.
    pub(crate) fn token_requests(&self) -> usize {
        runtime(1).block_on(get(format!("{}/count", self.url))).parse().unwrap()
    }

    /// Revokes all access tokens. Refresh tokens stay valid.
    pub(crate) async fn revoke(&self) {
        get(format!("{}/revoke", self.url)).await;
    }
}

async fn get(url: String) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a runtime with one thread for one task, or for several with two, unless there is a single core.
pub(crate) fn runtime(tasks: usize) -> tokio::runtime::Runtime {
    let mut builder = if tasks == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    builder.worker_threads(cores.min(2)).enable_all().build().unwrap()
}

/// Runs the server until its standard input ends.
pub(crate) fn serve(terms: Terms) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(0);
    });
    runtime(1).block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let tokens = Arc::new(Mutex::new(Tokens::default()));
        if terms.awake {
            tokio::spawn(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
        }
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, terms, Arc::clone(&tokens)));
        }
    });
}

async fn connection(mut stream: TcpStream, terms: Terms, tokens: Arc<Mutex<Tokens>>) {
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
        let length = field(&head, "content-length: ").and_then(|length| length.parse().ok()).unwrap_or(0);
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let form = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
        buffer.drain(..end + length);
        let takes = |tokens: &Tokens| field(&head, "authorization: bearer ").is_some_and(|token| tokens.takes(token));
        if head.starts_with("post /export/rows ") && takes(&tokens.lock().unwrap()) {
            if rows::response(&mut stream, &form).await.is_err() {
                return;
            }
            continue;
        }
        let (status, body) = if head.starts_with("post /token") {
            let response = tokens.lock().unwrap().grant(&form, terms);
            tokio::time::sleep(terms.delay).await;
            response
        } else {
            let mut tokens = tokens.lock().unwrap();
            match () {
                () if head.starts_with("get /count") => ("200 OK", tokens.requests().to_string()),
                () if head.starts_with("get /revoke") => {
                    tokens.revoke();
                    ("200 OK", String::new())
                }
                () if !takes(&tokens) => ("401 Unauthorized", String::new()),
                () if head.starts_with("get /export ") => ("200 OK", rows::CATALOG.to_owned()),
                () if head.starts_with("get /customer?") => ("200 OK", page_of(&head)),
                () => ("200 OK", CUSTOMER.to_owned()),
            }
        };
        let length = body.len();
        let response =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Returns a page with as many customers as the request asks for.
fn page_of(head: &str) -> String {
    let size = head.split_once("resultsperpage=").map(|(_, rest)| rest.split(['&', ' ']).next().unwrap_or_default());
    let size: usize = size.and_then(|size| size.parse().ok()).unwrap_or(1);
    format!("[{}]", [CUSTOMER].repeat(size).join(","))
}

/// Returns what follows `name` at the start of a line. `head` is in lower case.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split_once(&format!("\r\n{name}"))?.1.split("\r\n").next()
}
