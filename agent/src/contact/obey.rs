//! Carries out what the answer to a contact orders: the closed list of docs/actions.md, each order at most once.
//!
//! The counter is on the disk before anything is done. Where the disk takes it not, nothing is done and the server offers
//! the order again. An order that is not believed is never answered: who sent it is not known.

use cartable_common::{
    UtcMillis,
    action::{ActionKind, ActionOrder, ActionOutcome, ActionResult},
    protocol::CheckInResponse,
    report::HealthReport,
};

use super::Agent;
use crate::{
    actions::{self, DesktopNotice, Judged, Kept},
    clock,
    fairness::{self, Surroundings},
    log,
    state::Memory,
};

/// Whether what is laid ready for the desktop reaches one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desktop {
    /// The service was given no folder that desktops read.
    OutOfReach,
    /// It was given one.
    Reads,
}

impl Agent {
    /// Says that the notice is published where desktops read it.
    pub const fn publishes_notices(&mut self) {
        self.desktop = Desktop::Reads;
    }

    /// Forgets what was ordered of the device whose key this machine had: that one shows and tells it itself.
    pub(super) fn leave_orders(&mut self) {
        self.actions = self.actions.for_another();
        self.keep_actions();
    }

    /// Does what `response` orders. True where there is something new to tell the server.
    pub(super) async fn obey(
        &mut self,
        response: &CheckInResponse,
        report: Option<&HealthReport>,
        around: &Surroundings,
    ) -> bool {
        if self.actions.forget(&response.actions_answered) {
            self.keep_actions();
        }
        let Some(signed) = &response.actions else { return false };
        let known = self.connect.clock.floor();
        let mut orders = match actions::read(signed, &self.connect.roots, known) {
            Ok(orders) => orders,
            Err(error) => {
                tracing::warn!(%error, "an order is not the signer's and is not obeyed");
                return false;
            }
        };
        orders.sort_by_key(|order| order.counter);
        let own = (self.enrolment.grant.device_id, self.enrolment.grant.enrolment_id);
        let mut is_news = false;
        for order in orders {
            if self.actions.is_full() {
                break;
            }
            is_news |= match actions::judge(&order, own, &self.actions, known) {
                Judged::Obey => self.carry_out(&order, report, around).await,
                Judged::Answer(outcome) => {
                    self.answer(ActionResult::plain(order.action_id, outcome));
                    true
                }
                Judged::Ignore => false,
            };
        }
        is_news
    }

    /// Carries an order out, once its counter is durable. False where it could not be made so.
    async fn carry_out(&mut self, order: &ActionOrder, report: Option<&HealthReport>, around: &Surroundings) -> bool {
        let begun = self.actions.begun(order);
        if let Err(error) = self.state.keep_actions(&begun) {
            tracing::warn!(%error, "an order could not be noted and is not carried out yet");
            return false;
        }
        self.actions = begun;
        let result = self.perform(order, report, around).await;
        tracing::info!(kind = ?order.kind, outcome = ?result.outcome, "an order was carried out");
        self.answer(result);
        true
    }

    async fn perform(
        &mut self,
        order: &ActionOrder,
        report: Option<&HealthReport>,
        around: &Surroundings,
    ) -> ActionResult {
        let plain = |outcome| ActionResult::plain(order.action_id, outcome);
        match order.kind {
            ActionKind::CheckIn => {
                self.course.comes_back_soon = true;
                plain(ActionOutcome::Done)
            }
            ActionKind::FullReport => {
                let is_spooled = report.is_some_and(|report| self.spool_report(report));
                plain(if is_spooled { ActionOutcome::Done } else { ActionOutcome::Failed })
            }
            ActionKind::SelfTest => self.test_drives(order, around).await,
            ActionKind::ReturnNotice => plain(self.show_notice(order)),
            ActionKind::SendLog => ActionResult { log: log::recent(), ..plain(ActionOutcome::Done) },
            ActionKind::Unknown => plain(ActionOutcome::Unsupported),
        }
    }

    async fn test_drives(&self, order: &ActionOrder, around: &Surroundings) -> ActionResult {
        let plain = |outcome| ActionResult::plain(order.action_id, outcome);
        // What this very answer said of an exam counts.
        let around = Surroundings { exams_until: self.memory.exams_until, ..*around };
        if !fairness::may_burden(&around, clock::now()) {
            return plain(ActionOutcome::NotNow);
        }
        match self.reader.test_drives().await {
            Ok(drives) => {
                let outcome = of_all(drives.iter().map(|answer| answer.outcome));
                ActionResult { drives, ..plain(outcome) }
            }
            Err(error) => {
                tracing::warn!(%error, "the drives could not be asked to test themselves");
                plain(ActionOutcome::Failed)
            }
        }
    }

    /// Lays the notice ready: the service publishes it, and the desktop shows it when somebody signs in. On macOS none does.
    fn show_notice(&mut self, order: &ActionOrder) -> ActionOutcome {
        if !cfg!(any(target_os = "linux", windows)) || self.desktop == Desktop::OutOfReach {
            return ActionOutcome::NotPossible;
        }
        let Some(notice) = order.notice.clone() else { return ActionOutcome::Failed };
        self.actions.notice = Some(DesktopNotice::new(notice, order.expires_at));
        ActionOutcome::Done
    }

    fn answer(&mut self, result: ActionResult) {
        self.actions.finish(result);
        self.keep_actions();
    }

    fn keep_actions(&self) {
        if let Err(error) = self.state.keep_actions(&self.actions) {
            // It is told all the same; only a stop before that would tell "interrupted" instead.
            tracing::warn!(%error, "what became of an order could not be kept");
        }
    }

    /// The notice that the desktop shows now.
    pub fn notice(&self) -> Option<&DesktopNotice> {
        let known = self.connect.clock.floor();
        self.actions.notice.as_ref().filter(|notice| is_shown(notice, &self.memory, known, clock::now()))
    }
}

/// Whether the desktop shows it at `now` by this machine's clock: whoever has the laptop next is not told of the loan before,
/// and nobody is told anything in an exam.
fn is_shown(notice: &DesktopNotice, memory: &Memory, known: UtcMillis, now: UtcMillis) -> bool {
    let is_exam = fairness::exams_left(memory.exams_until, now).is_some();
    !is_exam && notice.is_current(known) && notice.is_of_loan(memory.disclosure.as_ref())
}

/// What was kept of orders when this agent starts: what was being carried out counts as interrupted.
pub(super) fn resumed(state: &crate::state::StateDir, memory: &Memory) -> Kept {
    state.actions(memory.clock().floor()).resumed()
}

/// What became of an order that concerned several drives: done where one of them did it, else what the first said.
fn of_all(mut outcomes: impl Iterator<Item = ActionOutcome>) -> ActionOutcome {
    let Some(first) = outcomes.next() else { return ActionOutcome::NotPossible };
    if first == ActionOutcome::Done || outcomes.any(|outcome| outcome == ActionOutcome::Done) {
        return ActionOutcome::Done;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{Text, action::ReturnNotice};

    #[test]
    fn one_drive_that_tests_itself_is_enough_and_none_is_none() {
        use ActionOutcome::{Done, NotNow, NotPossible, Refused};
        assert_eq!(of_all([].into_iter()), NotPossible);
        assert_eq!(of_all([Refused, Done].into_iter()), Done);
        assert_eq!(of_all([NotNow, Refused].into_iter()), NotNow);
    }

    #[test]
    fn no_notice_is_shown_in_an_exam_and_after_it_it_is() {
        let now = UtcMillis::default().plus_days(20_000);
        let notice = ReturnNotice { due_at: now.plus_days(3), place: Text::clean("CDI") };
        let notice = DesktopNotice::new(notice, now.plus_days(14));
        let exam = Memory { exams_until: Some(now.plus_millis(1)), ..Memory::default() };
        assert!(is_shown(&notice, &Memory::default(), now, now));
        assert!(!is_shown(&notice, &exam, now, now));
        assert!(is_shown(&notice, &exam, now, now.plus_millis(1)));
    }
}
