//! What a call, a token hit and a renewal cost, each against a named rival in the same run.
//!
//! `cargo run --release -p perenso-bench` prints a table of ratios; machines differ, ratios less so.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

mod call;
mod herd;
mod hit;
mod rival;
mod server;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, delay, lifetime] = args.as_slice()
        && serve == "--serve"
    {
        return server::serve(delay.parse().unwrap(), lifetime.clone());
    }
    // The rival's client asks for the one of the process; the SDK brings its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Numbers that few rounds give are no numbers: this only shows that it runs.
    let rounds = if args.iter().any(|arg| arg == "--short") { 3 } else { 300 };
    println!("| what | measured | rival | ratio | bound |");
    println!("|---|---|---|---|---|");
    call::measure(1, rounds, "1.08");
    call::measure(64, rounds, "1.12");
    hit::measure(rounds);
    herd::measure();
}
