//! What a killed load leaves behind. That it loses and doubles nothing is proven by the test `kill`.

use std::fs;

use perenso_sandbox::Sandbox;

use crate::process::{Ran, perenso, sandbox};

#[test]
fn temporary_result_files_of_a_killed_load_are_removed() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write("stores.csv", "customerID,customerName\nX1,First\n");
    write(".stores-failed.csv-Ab3dEf.part", "half a f");
    write(".stores-succeeded.csv-Ab3dEf.part", "half a f");
    write(".stores-failed.csv-notes", "of somebody else");
    let mut command = perenso(&home.path().join("config"));
    command.current_dir(home.path()).envs(sandbox.vars()).args(["customers", "load", "stores.csv"]);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut names: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "config");
    names.sort();
    assert_eq!(names, [".stores-failed.csv-notes", ".stores.csv.journal", "stores-succeeded.csv", "stores.csv"]);
}
