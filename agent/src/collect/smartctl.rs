//! Asks smartctl (smartmontools) about a drive, without waking a sleeping one.
//!
//! Its exit status is a mask of bits, of which only the two lowest say that there is no answer (smartctl(8)).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use cartable_common::{
    action::ActionOutcome,
    report::{Subject, Unread, UnreadReason},
};
use serde_json::Value;
use tokio::process::Command;

use super::{DriveHealth, Sources, foreign, unread};

/// Longest wait for one drive. Drives answer within a second; a dying one hangs its bus for half a minute at a time.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Largest answer read: `-x` of a drive with full error logs is below 100 KB.
const ANSWER_LIMIT: u64 = 512 * 1024;

/// Bits 0 and 1: the command line was wrong, or the drive could not be opened or asked.
const NO_ANSWER_BITS: u64 = 0b11;

/// What a report asks.
const READ: &[&str] = &["--json", "-x", "-n", "standby"];

/// What starts the short self-test. A drive that sleeps is left asleep, and a test that runs already is not disturbed.
const TEST: &[&str] = &["--json", "-t", "short", "-n", "standby"];

/// Bit 2: the drive refused a command.
const REFUSED_BIT: u64 = 0b100;

/// Where a recorded machine keeps smartctl's answers: `ROOT/cartable-recorded/smartctl/sda.json`.
const RECORDED: &str = "cartable-recorded/smartctl";

/// smartctl's answer about the drive called `name`, or why there is none.
pub(super) async fn ask(sources: &Sources, name: &str) -> Result<Value, Unread> {
    let recorded = sources.root.join(RECORDED).join(format!("{name}.json"));
    if sources.root != Path::new("/") && recorded.exists() {
        let answer = std::fs::read(&recorded).map_err(|error| missing(UnreadReason::Malformed, &error.to_string()))?;
        return judge(&answer);
    }
    match &sources.drive_health {
        DriveHealth::Program(program) => judge(&run(program, READ, name, TIME_LIMIT).await?),
        DriveHealth::RecordedOnly => Err(missing(UnreadReason::NotPresent, "not recorded")),
    }
}

/// Tells the drive called `name` to begin its short self-test.
pub(super) async fn test(sources: &Sources, name: &str) -> ActionOutcome {
    let DriveHealth::Program(program) = &sources.drive_health else { return ActionOutcome::NotPossible };
    match run(program, TEST, name, TIME_LIMIT).await {
        Ok(answer) => tested(&answer),
        Err(unread) => match unread.reason {
            Some(UnreadReason::ToolMissing | UnreadReason::PermissionDenied) => ActionOutcome::NotPossible,
            _ => ActionOutcome::Failed,
        },
    }
}

/// What smartctl says of a self-test that it was to start.
fn tested(answer: &[u8]) -> ActionOutcome {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return ActionOutcome::Failed };
    let exit = answer.pointer("/smartctl/exit_status").and_then(Value::as_u64).unwrap_or(NO_ANSWER_BITS);
    let words = messages(&answer);
    if exit & (NO_ANSWER_BITS | REFUSED_BIT) == 0 {
        ActionOutcome::Done
    } else if is_asleep(&words) {
        ActionOutcome::NotNow
    } else if exit & NO_ANSWER_BITS != 0 || words.to_ascii_lowercase().contains("not support") {
        ActionOutcome::NotPossible
    } else {
        ActionOutcome::Refused
    }
}

fn is_asleep(words: &str) -> bool {
    words.contains("STANDBY") || words.contains("SLEEP")
}

fn missing(reason: UnreadReason, detail: &str) -> Unread {
    unread(Subject::DriveHealth, reason, detail)
}

/// Where smartctl is: on Linux in the usual folders, on Windows where its installer puts it. There it is named whole,
/// because Windows would look for it in the working folder too. On macOS it lies beside the agent, where only root can put
/// it: the folders below /usr/local and /opt are a user's with Homebrew, and this agent is root.
pub(super) fn usual_place() -> PathBuf {
    if cfg!(windows) {
        let programs =
            std::env::var_os("ProgramFiles").map_or_else(|| PathBuf::from(r"C:\Program Files"), PathBuf::from);
        programs.join(r"smartmontools\bin\smartctl.exe")
    } else if cfg!(target_os = "macos") {
        PathBuf::from("/Library/Cartable/smartctl")
    } else {
        PathBuf::from("smartctl")
    }
}

async fn run(program: &Path, arguments: &[&str], name: &str, limit: Duration) -> Result<Vec<u8>, Unread> {
    let mut command = Command::new(program);
    command.args(arguments).arg(format!("/dev/{name}"));
    // It speaks English to us, and knows nothing of our environment (a proxy's password, for one).
    command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    #[cfg(windows)]
    super::imp::quiet(&mut command);
    let answer = foreign::answer(&mut command, limit, ANSWER_LIMIT).await;
    answer.map_err(|why| missing(why.reason(), &format!("smartctl {why}")))
}

/// Whether an answer holds evidence; if not, why.
fn judge(answer: &[u8]) -> Result<Value, Unread> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| {
        missing(UnreadReason::Malformed, "smartctl did not answer with JSON (version 7 or later is needed)")
    })?;
    // A converted reading without exit status is judged by what it holds.
    let exit = answer.pointer("/smartctl/exit_status").and_then(Value::as_u64).unwrap_or(0);
    if exit & NO_ANSWER_BITS == 0 {
        return Ok(answer);
    }
    let words = messages(&answer);
    let reason = if is_asleep(&words) {
        UnreadReason::Asleep
    } else if words.contains("Permission denied") || words.contains("Error=5") {
        UnreadReason::PermissionDenied
    } else {
        UnreadReason::ToolFailed
    };
    Err(missing(reason, &words))
}

/// smartctl's messages in one line.
fn messages(answer: &Value) -> String {
    let list = answer.pointer("/smartctl/messages").and_then(Value::as_array);
    let words = list.into_iter().flatten().filter_map(|message| message.get("string")?.as_str());
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    async fn with_program(script: &str) -> Result<Vec<u8>, Unread> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("smartctl");
        std::fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        run(&program, READ, "sda", Duration::from_secs(2)).await
    }

    #[tokio::test]
    async fn each_way_of_failing_has_its_reason() {
        let missing = run(Path::new("/nonexistent/smartctl"), READ, "sda", TIME_LIMIT).await.unwrap_err();
        assert_eq!(missing.reason, Some(UnreadReason::ToolMissing));
        assert_eq!(with_program("exec sleep 60").await.unwrap_err().reason, Some(UnreadReason::TimedOut));
        assert_eq!(with_program("exec yes").await.unwrap_err().reason, Some(UnreadReason::Malformed));
        let said = with_program("echo $@ $SECRET").await.unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), "--json -x -n standby /dev/sda\n");
    }

    #[test]
    fn a_self_test_is_started_refused_impossible_or_put_off() {
        let said = |exit: u8, words: &str| {
            let answer = serde_json::json!({"smartctl": {"exit_status": exit, "messages": [{"string": words}]}});
            tested(answer.to_string().as_bytes())
        };
        assert_eq!(said(0, ""), ActionOutcome::Done);
        assert_eq!(said(8 | 64, ""), ActionOutcome::Done, "what the drive's logs hold is another matter");
        assert_eq!(said(2, "Device is in STANDBY mode, exit(2)"), ActionOutcome::NotNow);
        assert_eq!(said(4, "Self-test start failed"), ActionOutcome::Refused);
        assert_eq!(said(4, "Warning: device does not support Self-Test functions."), ActionOutcome::NotPossible);
        assert_eq!(said(1, "NVMe device self-test: not available"), ActionOutcome::NotPossible);
        assert_eq!(tested(b"smartctl 6.6"), ActionOutcome::Failed);
    }

    #[test]
    fn the_lowest_bits_of_the_exit_status_mean_no_evidence() {
        let answer = |exit: u8, words: &str| {
            format!(r#"{{"smartctl":{{"exit_status":{exit},"messages":[{{"string":"{words}","severity":"error"}}]}}}}"#)
        };
        let reason = |exit, words| judge(answer(exit, words).as_bytes()).map_err(|unread| unread.reason);
        assert!(reason(0, "").is_ok() && reason(4, "").is_ok() && reason(8 | 64, "").is_ok());
        assert_eq!(reason(2, "Device is in STANDBY mode, exit(2)").unwrap_err(), Some(UnreadReason::Asleep));
        assert_eq!(
            reason(2, "Smartctl open device: /dev/sda failed: Permission denied").unwrap_err(),
            Some(UnreadReason::PermissionDenied)
        );
        assert_eq!(reason(1, "/dev/vda: Unable to detect device type").unwrap_err(), Some(UnreadReason::ToolFailed));
        assert_eq!(judge(b"smartctl 6.6").unwrap_err().reason, Some(UnreadReason::Malformed));
    }
}
