//! What the tests of a year rely on does what it says: the driven clock, the kill at one step, the full disk.

#![cfg(target_os = "linux")]

use std::process::Command;

use cartable_common::UtcMillis;
use cartable_tests::year::{
    Clock,
    traced::{Step, full_from, killed_at, steps},
};

fn told(clock: &Clock) -> i64 {
    let output = clock.drive(Command::new("date").arg("+%s")).unwrap().output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_program_tells_the_time_that_was_set() {
    let clock = Clock::at(UtcMillis::default().plus_days(20_000)).unwrap();
    assert!((0..60).contains(&(told(&clock) - 20_000 * 86_400)));
    clock.set(UtcMillis::default().plus_days(10_000)).unwrap();
    assert!((0..60).contains(&(told(&clock) - 10_000 * 86_400)));
}

#[test]
fn a_program_dies_at_its_step_and_not_after_it() {
    let folder = tempfile::tempdir().unwrap();
    // The first program is a process of its own, whose calls count apart: a third call would be nobody's.
    let (seen, _) = steps(&shell(&format!("mkdir {0}/a; exec mkdir {0}/b {0}/d", folder.path().display()))).unwrap();
    let made: Vec<Step> = seen.into_iter().filter(|step| step.to_string().starts_with("mkdir ")).collect();
    assert_eq!(made.iter().map(ToString::to_string).collect::<Vec<_>>(), ["mkdir 1", "mkdir 2"]);
    let command = shell(&format!("exec mkdir {}/c", folder.path().display()));
    assert!(killed_at(&command, made[0]).unwrap());
    assert!(!folder.path().join("c").exists(), "killed before the call");
    assert!(!killed_at(&command, made[1]).unwrap(), "it makes no second call");
    assert!(folder.path().join("c").exists());
    assert!(made.iter().all(|step| step.changes_files()));
    let two = shell(&format!("mkdir {0}/e; exec mkdir {0}/f {0}/g", folder.path().display()));
    assert!(killed_at(&two, made[1]).unwrap(), "the second call of the second program");
    assert!(folder.path().join("f").exists() && !folder.path().join("g").exists());
}

#[test]
fn a_kill_that_ends_another_than_the_program_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, _) = steps(&shell(&format!("exec mkdir {}/a", folder.path().display()))).unwrap();
    let step = seen.into_iter().find(|step| step.to_string() == "mkdir 1").unwrap();
    let other = shell(&format!("mkdir {}/b; exec true", folder.path().display()));
    assert!(killed_at(&other, step).is_err());
}

#[test]
fn a_disk_is_full_from_one_write_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let command = shell(&format!("exec sync {}", file.display()));
    assert!(!full_from(&command, 1).unwrap().status.success());
    assert!(full_from(&command, 2).unwrap().status.success());
}
