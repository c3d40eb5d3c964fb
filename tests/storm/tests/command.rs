//! The storm as a command. That there is this test also has the program built with the suite, for `./check`.

#![expect(clippy::unwrap_used, reason = "a test that goes wrong should say where")]

use std::process::{Command, Output};

fn storm(words: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_storm")).args(words).output().unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    (output, said)
}

#[test]
fn a_storm_says_from_which_seed_it_comes_and_how_it_went() {
    // Any program will do where nothing is struck.
    let nothing = ["--cycles", "0", "--seed", "7", "--program", env!("CARGO_BIN_EXE_storm")];
    let (output, said) = storm(&nothing);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said.lines().next(), Some("storm: seed 7"));
    assert_eq!(said.lines().last(), Some("storm: 0 passed, 0 failed"));
}

#[test]
fn without_a_program_there_is_no_storm() {
    let (output, said) = storm(&["--cycles", "1", "--program", "/nowhere/aftercare"]);
    assert!(!output.status.success(), "{output:?}");
    assert!(said.contains("there is no /nowhere/aftercare"), "{said}");
}
