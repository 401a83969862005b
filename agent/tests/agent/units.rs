//! The units of the packages, and launchd's: understood by the program they start, agreeing with each other, and little
//! exposed.

use std::{path::PathBuf, process::Command};

use cartable_agent::cli::Cli;
use clap::Parser as _;

/// What the packages' units may reach at most, by `systemd-analyze security`.
const MOST_EXPOSURE: f32 = 2.0;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging/linux").join(name)
}

/// Every value of `key` in the unit `name`.
fn values(name: &str, key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file(name)).unwrap();
    let line = format!("{key}=");
    text.lines().filter_map(|text| text.strip_prefix(&line)).map(str::to_owned).collect()
}

#[test]
fn the_program_understands_what_the_units_start() {
    for unit in ["cartable-agent.service", "cartable-agent-probe@.service"] {
        let starts = values(unit, "ExecStart");
        assert_eq!(starts.len(), 1, "{unit}");
        let words = starts[0].trim_start_matches('-').split(' ');
        assert!(Cli::try_parse_from(words).is_ok(), "{unit}: {starts:?}");
    }
}

#[test]
fn the_units_agree_with_each_other_and_with_the_program() {
    let start = &values("cartable-agent.service", "ExecStart")[0];
    let socket = &values("cartable-agent-probe.socket", "ListenStream")[0];
    assert!(start.contains(&format!("--probe {socket} ")), "{start}");
    assert!(start.ends_with(&format!("--public {}", cartable_agent::platform::public_folder().display())), "{start}");
    let user = values("cartable-agent.service", "User");
    assert_eq!(values("cartable-agent-probe.socket", "SocketUser"), user);
    let writable = &values("cartable-agent.service", "ReadWritePaths")[0];
    assert!(start.contains(&format!("--invitations {} ", writable.trim_start_matches('-'))), "{start}");
}

#[test]
fn an_agent_that_fails_each_time_is_started_96_times_a_day_or_waits_for_a_person() {
    for unit in ["cartable-agent.service", "../systemd/cartable-agent.service"] {
        assert_eq!(values(unit, "Restart"), ["on-failure"], "{unit}");
        assert_eq!(values(unit, "RestartSec"), ["15min"], "{unit}");
        // Not enrolled, released, and a state that cannot be used: see the exit codes in docs/agent.md.
        assert_eq!(values(unit, "RestartPreventExitStatus"), ["3 7 8"], "{unit}");
        // Older systemd knows neither; a limit of starts would silence a laptop that sleeps and is never switched off.
        for key in ["RestartSteps", "RestartMaxDelaySec", "StartLimitBurst"] {
            assert!(values(unit, key).is_empty(), "{unit}: {key}");
        }
    }
}

/// What docs/agent.md promises under "When it speaks, and when it does not": a lesson comes first, whatever the agent does.
#[test]
fn the_units_are_last_in_every_queue_and_take_little() {
    let own = [("CPUQuota", "25%"), ("MemoryHigh", "16M"), ("MemoryMax", "32M"), ("MemorySwapMax", "32M")];
    let probe = [("CPUQuota", "50%"), ("MemoryMax", "64M"), ("MemorySwapMax", "64M")];
    for (unit, limits) in
        [("cartable-agent.service", own.as_slice()), ("cartable-agent-probe@.service", probe.as_slice())]
    {
        let last = [("CPUSchedulingPolicy", "idle"), ("IOSchedulingClass", "idle"), ("Nice", "19")];
        let few = [("TasksMax", "8"), ("LimitCORE", "0")];
        let logged = [("LogRateLimitIntervalSec", "1h"), ("LogRateLimitBurst", "200")];
        for (key, value) in limits.iter().copied().chain(last).chain(few).chain(logged) {
            assert_eq!(values(unit, key), [value], "{unit}: {key}");
        }
    }
    // Without a package one process is both.
    for (key, value) in
        [("CPUSchedulingPolicy", "idle"), ("IOSchedulingClass", "idle"), ("Nice", "19"), ("MemoryMax", "64M")]
    {
        assert_eq!(values("../systemd/cartable-agent.service", key), [value], "{key}");
    }
}

#[test]
fn a_probe_whose_program_hangs_is_let_go_and_no_question_is_refused_meanwhile() {
    // systemd waits four times so long for what nothing ends.
    assert_eq!(values("cartable-agent-probe@.service", "TimeoutStopSec"), ["5s"]);
    // The agent asks again as soon as it has read an answer, when the unit that gave it is still there.
    assert_eq!(values("cartable-agent-probe.socket", "MaxConnections"), ["4"]);
}

#[test]
fn launchd_starts_what_the_program_understands_for_as_long_as_it_is_enrolled() {
    let project = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(project.join("../packaging/macos/cartable-agent.plist")).unwrap();
    let (_, rest) = list.split_once("<key>ProgramArguments</key>").unwrap();
    let (arguments, _) = rest.split_once("</array>").unwrap();
    let texts = arguments.split("<string>").skip(1);
    let words: Vec<&str> = texts.map(|text| text.split_once("</string>").unwrap().0).collect();
    assert!(Cli::try_parse_from(words.iter().copied()).is_ok(), "{words:?}");
    let after = |option: &str| words.iter().skip_while(|word| **word != option).nth(1).copied().unwrap();
    for file in ["enrolment.json", "pending.json"] {
        let condition = format!("<key>{}/{file}</key>\n\t\t\t<true/>", after("--state"));
        assert!(list.contains(&condition), "{condition}");
    }
    // What is compiled on macOS alone is compared as it is written.
    let platform = std::fs::read_to_string(project.join("src/platform.rs")).unwrap();
    for path in [after("--state"), after("--public")] {
        assert!(platform.contains(&format!("\"{path}\"")), "{path}");
    }
}

#[test]
fn the_units_are_little_exposed() {
    for unit in ["cartable-agent.service", "cartable-agent-probe@.service"] {
        let mut command = Command::new("systemd-analyze");
        command.args(["security", "--offline=true", "--no-pager"]).arg(file(unit));
        let output = command.env("LC_ALL", "C").output().expect("systemd-analyze: install systemd (tests/run does)");
        let words = String::from_utf8_lossy(&output.stdout);
        let score = words.lines().last().and_then(|line| line.split_once(": ")).and_then(|(_, rest)| {
            let number = rest.split_whitespace().next()?;
            number.parse::<f32>().ok()
        });
        assert!(score.is_some_and(|score| score <= MOST_EXPOSURE), "{unit}: {score:?}\n{words}");
    }
}
