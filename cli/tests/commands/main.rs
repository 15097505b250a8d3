//! The command as its users run it: a process with arguments, files and pipes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod doctor;
mod document;
mod export;
mod load;
mod load_files;
mod load_killed;
mod login;
mod process;
mod readback;
mod resources;
mod streams;
mod terminal;
mod workbook;
