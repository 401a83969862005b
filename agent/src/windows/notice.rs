//! Shows the return notice to whoever is signed in: this program, started as that person, lays it beside the clock.
//!
//! The service sits where no desktop is, and what it starts has the person's rights and variables and none of its handles.
//! Nothing waits for a sign-in: Windows tells the service of each. What was started ends within two minutes.

use std::{env, path::Path, thread, time::Duration};

use anyhow::Context as _;
use cartable_windows::{Balloon, Started};

use crate::{actions::DesktopNotice, clock, language::Language, platform};

/// What this program is told to do in a person's session.
const ARGUMENTS: &str = "notice --toast";

/// A service that is started so soon after the computer missed those who signed in before it: Windows starts it two minutes
/// after everything else. A later start is an update's or a failure's, and whoever is signed in was told.
const MISSES_WITHIN: Duration = Duration::from_mins(15);

/// Each wait for the desktop, which does not listen yet when a session begins.
const DESKTOP_WAIT: Duration = Duration::from_secs(15);
/// How often the desktop is tried: a laptop with a slow drive takes most of a minute to show one.
const ATTEMPTS: u32 = 4;
/// How long the icon stays, and with it the words: long enough to be read, also where they are put aside at once.
const SHOWN_FOR: Duration = Duration::from_secs(20);

/// Where lines go that tell when somebody was at the computer: to the event log and, unlike those under this program's name,
/// not into the log that can be asked for from afar.
const HERE: &str = "session";

/// Shows `notice` to whoever signed in before the service was started. One that is new in `folder` is shown when it is laid
/// there.
pub(crate) fn at_start(notice: Option<&DesktopNotice>, folder: Option<&Path>) {
    let stood = notice.zip(folder).is_some_and(|(notice, folder)| notice.lies_in(folder));
    if stood && cartable_windows::uptime() < MISSES_WITHIN {
        at_console();
    }
}

/// Shows the notice to whoever is signed in at the computer itself.
pub(crate) fn at_console() {
    if let Some(session) = cartable_windows::console_session() {
        show_in(session);
    }
}

/// Shows the notice, if there is one, where somebody just signed in.
pub(super) fn at_sign_in(session: u32) {
    if DesktopNotice::published(&platform::public_folder(), clock::now()).is_some() {
        show_in(session);
    }
}

/// Has it shown in `session`. Failing costs the notice and nothing else.
fn show_in(session: u32) {
    let started =
        env::current_exe().and_then(|program| cartable_windows::start_as_signed_in(session, &program, ARGUMENTS));
    match started {
        Ok(Started::Yes) => tracing::debug!(target: HERE, "the return notice is given to a desktop"),
        Ok(Started::NobodyIsThere) => tracing::debug!(target: HERE, "the return notice waits for a sign-in"),
        Err(error) => tracing::warn!(target: HERE, %error, "the return notice could not be given to a desktop"),
    }
}

/// Waits for the desktop of the session in which this runs, shows the notice that lies in `folder` by then, and takes it
/// away again. Ends at once where none lies there.
pub(crate) fn toast(folder: &Path, language: Option<Language>) -> anyhow::Result<()> {
    let mut attempts_left = ATTEMPTS;
    while DesktopNotice::published(folder, clock::now()).is_some() {
        thread::sleep(DESKTOP_WAIT);
        // It may have been taken back meanwhile.
        let Some(notice) = DesktopNotice::published(folder, clock::now()) else { break };
        let language = language.unwrap_or_else(|| Language::of_windows(cartable_windows::ui_language()));
        let [title, words] = notice.short_words(language);
        attempts_left -= 1;
        match Balloon::show(&title, &words) {
            Ok(balloon) => {
                thread::sleep(SHOWN_FOR);
                drop(balloon);
                break;
            }
            Err(error) if attempts_left == 0 => {
                tracing::warn!(target: HERE, %error, "the return notice could not be shown");
                return Err(error).context("the return notice could not be shown");
            }
            Err(_) => {}
        }
    }
    Ok(())
}
