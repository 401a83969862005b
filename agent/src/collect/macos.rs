//! macOS: what its own programs say, asked one after the other. Untested: no Mac was at hand.
//!
//! Each has its own time limit, so that one that hangs costs only its part of the report. What the values mean is
//! [`super::apple`]'s.
//!
//! A recorded machine has the answers in `ROOT/cartable-recorded/macos/`, each named as its program (`sw_vers`).

use std::{path::Path, time::Duration};

use cartable_common::report::UnreadReason;
use tokio::process::Command;

use super::{
    Found,
    apple::{self, Answers, Question},
    foreign,
};
use crate::clock;

const RECORDED: &str = "cartable-recorded/macos";

/// Longest wait for one answer. system_profiler takes a second or two, the others a moment.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Largest answer read; a laptop's are below 20 KB.
const ANSWER_LIMIT: u64 = 512 * 1024;

/// Reads all but the drives' own health.
pub(super) async fn machine(root: &Path) -> Found {
    let mut answers = Answers::default();
    for question in apple::QUESTIONS {
        let answer = if root == Path::new("/") {
            ask(question).await
        } else {
            let recorded = root.join(RECORDED).join(question.name());
            std::fs::read(recorded).map_err(|_| (UnreadReason::NotPresent, "not recorded".to_owned()))
        };
        answers.keep(question, answer);
    }
    apple::found(&answers, clock::now())
}

/// The exit status is not looked at: sysctl fails for one value that it does not know, with all others told.
async fn ask(question: &Question) -> Result<Vec<u8>, (UnreadReason, String)> {
    let mut command = Command::new(question.program);
    // It knows nothing of our environment (a proxy's password, for one).
    command.args(question.arguments).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    let answer = foreign::answer(&mut command, TIME_LIMIT, ANSWER_LIMIT).await;
    answer.map_err(|why| (why.reason(), format!("{} {why}", question.name())))
}
