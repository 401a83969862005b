//! What the agent keeps of orders: the highest counter that it has begun, what it is doing, and what it did until the
//! server knows. On the disk before anything is done, so that a power cut leaves an order undone rather than done twice.

use cartable_common::{
    ActionId, DeviceId, EnrolmentId, UtcMillis,
    action::{ActionKind, ActionOrder, ActionOutcome, ActionResult, MAX_ACTION_DAYS, MAX_ACTIONS},
};
use serde::{Deserialize, Serialize};

use super::DesktopNotice;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The counter of the newest order that was begun: none up to it is begun again.
    highest: i64,
    /// The order that is being carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    doing: Option<ActionId>,
    /// What became of orders, until the server knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<ActionResult>,
    /// What the desktop shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<DesktopNotice>,
}

/// What to do about an order of the right signer.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It is carried out.
    Obey,
    /// It is not, and the server is told why.
    Answer(ActionOutcome),
    /// It is not, and nothing is said: it was answered already, or is somebody else's.
    Ignore,
}

/// What to do about `order`, for the device and the enrolment in `own`. `now` is the last moment that is known to have
/// passed by the server's time; a clock here that is wrong by years neither revives an order nor ends one.
pub fn judge(order: &ActionOrder, own: (DeviceId, EnrolmentId), kept: &Kept, now: UtcMillis) -> Judged {
    let lives_for = order.expires_at.millis_since(order.issued_at);
    if (order.device_id, order.enrolment_id) != own || lives_for > MAX_ACTION_DAYS * UtcMillis::DAY {
        return Judged::Ignore;
    }
    if kept.results.iter().any(|result| result.action_id == order.action_id) {
        return Judged::Ignore;
    }
    if order.counter <= kept.highest {
        Judged::Answer(ActionOutcome::Replayed)
    } else if order.expires_at <= now {
        Judged::Answer(ActionOutcome::Expired)
    } else if order.kind == ActionKind::Unknown {
        Judged::Answer(ActionOutcome::Unsupported)
    } else {
        Judged::Obey
    }
}

impl Kept {
    /// Where the file was damaged: nothing that was ordered before `known` is done, since it may have been.
    #[must_use]
    pub fn lost(known: UtcMillis) -> Self {
        Self { highest: known.get(), ..Self::default() }
    }

    /// What stands after a start: an order that was being carried out when the agent stopped is not tried again.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        if let Some(stopped) = self.doing.take() {
            self.results.push(ActionResult::plain(stopped, ActionOutcome::Interrupted));
        }
        self
    }

    /// What stands where this machine turns out to be another device: the notice and the results are that other's, which
    /// shows and tells them itself. What is ordered of this one is newer than what that one began.
    #[must_use]
    pub fn for_another(&self) -> Self {
        Self { highest: self.highest, ..Self::default() }
    }

    /// What became of orders and the server does not know yet.
    #[must_use]
    pub fn results(&self) -> &[ActionResult] {
        &self.results
    }

    /// Whether as much waits to be told as one check-in carries.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.results.len() >= MAX_ACTIONS
    }

    /// The same, with `order` begun: to be on the disk before it is.
    #[must_use]
    pub fn begun(&self, order: &ActionOrder) -> Self {
        Self { highest: order.counter.max(self.highest), doing: Some(order.action_id), ..self.clone() }
    }

    /// Notes what became of an order.
    pub fn finish(&mut self, result: ActionResult) {
        self.doing = None;
        self.results.push(result);
    }

    /// Forgets what the server knows; says whether that was anything.
    pub fn forget(&mut self, answered: &[ActionId]) -> bool {
        let before = self.results.len();
        self.results.retain(|result| !answered.contains(&result.action_id));
        self.results.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::{Text, action::ReturnNotice};
    use proptest::prelude::*;
    use uuid::Uuid;

    const OWN: (DeviceId, EnrolmentId) = (DeviceId(Uuid::from_u128(7)), EnrolmentId(Uuid::from_u128(8)));

    fn now() -> UtcMillis {
        UtcMillis::default().plus_days(20_000)
    }

    fn order(id: u128, counter: i64) -> ActionOrder {
        ActionOrder {
            action_id: ActionId(Uuid::from_u128(id)),
            device_id: OWN.0,
            enrolment_id: OWN.1,
            kind: ActionKind::SendLog,
            notice: None,
            counter,
            issued_at: now().plus_days(-1),
            expires_at: now().plus_days(1),
        }
    }

    #[test]
    fn an_order_is_obeyed_once_in_time_and_for_this_enrolment_alone() {
        let kept = Kept { highest: 10, ..Kept::default() };
        let judged = |order: &ActionOrder| judge(order, OWN, &kept, now());
        assert_eq!(judged(&order(1, 11)), Judged::Obey);
        assert_eq!(judged(&order(1, 10)), Judged::Answer(ActionOutcome::Replayed));
        assert_eq!(judged(&order(1, 9)), Judged::Answer(ActionOutcome::Replayed));
        let stale = ActionOrder { expires_at: now(), ..order(1, 11) };
        assert_eq!(judged(&stale), Judged::Answer(ActionOutcome::Expired));
        let later = ActionOrder { kind: ActionKind::Unknown, ..order(1, 11) };
        assert_eq!(judged(&later), Judged::Answer(ActionOutcome::Unsupported));
        let foreign = ActionOrder { device_id: DeviceId(Uuid::from_u128(9)), ..order(1, 11) };
        assert_eq!(judged(&foreign), Judged::Ignore);
        let before = ActionOrder { enrolment_id: EnrolmentId(Uuid::from_u128(9)), ..order(1, 11) };
        assert_eq!(judged(&before), Judged::Ignore, "of an earlier enrolment");
        let endless = ActionOrder { expires_at: now().plus_days(400), ..order(1, 11) };
        assert_eq!(judged(&endless), Judged::Ignore);
    }

    #[test]
    fn what_was_begun_when_the_power_went_is_told_and_never_done_again() {
        let begun = Kept::default().begun(&order(1, 11));
        let text = serde_json::to_string(&begun).unwrap();
        let resumed = serde_json::from_str::<Kept>(&text).unwrap().resumed();
        assert_eq!(resumed.results(), [ActionResult::plain(ActionId(Uuid::from_u128(1)), ActionOutcome::Interrupted)]);
        assert_eq!(judge(&order(1, 11), OWN, &resumed, now()), Judged::Ignore, "it is answered");
        let mut told = resumed;
        assert!(told.forget(&[ActionId(Uuid::from_u128(1))]) && told.results().is_empty());
        assert_eq!(judge(&order(1, 11), OWN, &told, now()), Judged::Answer(ActionOutcome::Replayed));
        assert_eq!(judge(&order(2, 12), OWN, &told, now()), Judged::Obey, "the next is");
    }

    #[test]
    fn another_device_has_neither_the_notice_nor_the_results_and_does_nothing_twice() {
        let mut kept = Kept::default().begun(&order(1, 11));
        kept.finish(ActionResult::plain(ActionId(Uuid::from_u128(1)), ActionOutcome::Done));
        let notice = ReturnNotice { due_at: now(), place: Text::clean("CDI") };
        kept.notice = Some(DesktopNotice { notice, until: now().plus_days(1) });
        let another = kept.begun(&order(2, 12)).for_another();
        assert!(another.results().is_empty() && another.notice.is_none() && another.doing.is_none());
        assert_eq!(judge(&order(2, 12), OWN, &another, now()), Judged::Answer(ActionOutcome::Replayed));
        assert_eq!(judge(&order(3, 13), OWN, &another, now()), Judged::Obey);
    }

    #[test]
    fn where_the_file_was_damaged_nothing_older_is_done() {
        let lost = Kept::lost(now());
        let old = order(1, now().get() - 1);
        assert_eq!(judge(&old, OWN, &lost, now()), Judged::Answer(ActionOutcome::Replayed));
        assert_eq!(judge(&order(1, now().get() + 1), OWN, &lost, now()), Judged::Obey);
    }

    proptest! {
        #[test]
        fn whatever_is_repeated_in_whatever_order_nothing_is_done_twice(counters in prop::collection::vec(1_i64..20, 1..60)) {
            let (mut kept, mut done) = (Kept::default(), Vec::new());
            for counter in counters {
                let order = order(u128::from(counter.unsigned_abs()), counter);
                if judge(&order, OWN, &kept, now()) == Judged::Obey {
                    kept = kept.begun(&order);
                    kept.finish(ActionResult::plain(order.action_id, ActionOutcome::Done));
                    kept.forget(&[order.action_id]);
                    done.push(counter);
                }
            }
            prop_assert!(done.windows(2).all(|pair| pair[0] < pair[1]), "{done:?}");
        }
    }
}
