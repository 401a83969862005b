//! Shows on standard error how the fleet arrives: one moving line on a terminal, a line every tenth otherwise.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use crate::simulator::fleet::Progress;

/// Width of the bar in characters.
const BAR: usize = 30;

/// Shows the progress until `target` devices are present. Dropped, it stops.
pub async fn show(progress: Arc<Progress>, target: usize) {
    let moving = std::io::stderr().is_terminal();
    let mut shown = usize::MAX;
    loop {
        let present = progress.present();
        let tenth = present * 10 / target.max(1);
        if moving || tenth != shown {
            shown = tenth;
            say(&line(present, target), moving);
        }
        if present >= target {
            say("\n", false);
            return;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn line(present: usize, target: usize) -> String {
    let full = (present * BAR).checked_div(target).unwrap_or(BAR).min(BAR);
    format!("  fleet [{}{}] {present} of {target} devices", "█".repeat(full), "·".repeat(BAR - full))
}

fn say(text: &str, moving: bool) {
    let mut stderr = std::io::stderr().lock();
    // Nobody watches any more: nothing to do about it.
    drop(if moving { write!(stderr, "\r{text}\u{1b}[K") } else { writeln!(stderr, "{}", text.trim_end()) });
    drop(stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_empty_full_and_never_longer() {
        assert_eq!(line(0, 10).matches('█').count(), 0);
        assert_eq!(line(5, 10).matches('█').count(), BAR / 2);
        assert_eq!(line(11, 10).matches('█').count(), BAR);
        assert_eq!(line(0, 0).matches('█').count(), BAR);
    }
}
