//! Samples of the requests to join; looked at by the tests of [`super::samples`].

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    samples::Samples,
    shell::Section,
    waiting::{Asked, PreviewPage, Stage, WaitingPage},
};
use crate::{
    domain::{
        approval::{Effect, Hindrance, Source, WAITING_DAYS, WaitsFor, lapses_at},
        device::DeviceStatus,
        loan::LendingState,
    },
    store::{
        approval::{Decided, Outcome},
        approval_queue::{Asking, Known, QueueQuery},
        page::{Cursor, CursorKey, Page, Total},
    },
};

impl Samples<'_> {
    fn asking(&self, number: u128, waits_for: WaitsFor, effect: Effect) -> Asking {
        let known = |id| Known {
            id,
            serial_number: self.some("PF2ABCDE"),
            asset_tag: self.some("PC-0142"),
            status: if number == 9 { DeviceStatus::Revoked } else { DeviceStatus::Active },
            archived: false,
            lending: Some(LendingState::Lent),
            last_contact_at: (waits_for == WaitsFor::Replacement).then(|| self.now.plus_days(-12)),
        };
        let source = match waits_for {
            WaitsFor::Replacement => Source::Enrolment,
            WaitsFor::Recovery => Source::Recovery,
            WaitsFor::UnlistedSerial | WaitsFor::SpentToken | WaitsFor::OtherSite | WaitsFor::ClonedKey => {
                Source::Newcomer
            }
        };
        let since = self.now.plus_days(if waits_for == WaitsFor::SpentToken { 1 - WAITING_DAYS } else { -2 });
        let last_ask = (source != Source::Recovery).then(|| since.into());
        let token = self.some("livraison de novembre").filter(|_| waits_for != WaitsFor::ClonedKey);
        Asking {
            id: Uuid::from_u128(number),
            source,
            waits_for,
            since,
            last_asked_on: last_ask,
            lapses_at: lapses_at(last_ask),
            serial_number: (number != 3).then(|| self.told("PF2ABCDE")),
            manufacturer: self.some("LENOVO"),
            model: self.some("ThinkPad L480"),
            token,
            by_lost_key: number == 3,
            lost_key_of: (number == 3).then(|| known(DeviceId(Uuid::from_u128(10)))),
            site: None,
            site_name: self.some("Collège Les Tilleuls"),
            effect,
            known: effect.device().map(known),
        }
    }

    fn all_asking(&self) -> Vec<Asking> {
        let device = DeviceId(Uuid::from_u128(9));
        let elsewhere = Effect::Impossible(Hindrance::Elsewhere);
        vec![
            self.asking(1, WaitsFor::Replacement, Effect::Replaces(device)),
            self.asking(2, WaitsFor::UnlistedSerial, Effect::NewDevice),
            self.asking(3, WaitsFor::SpentToken, Effect::FirstKey(device)),
            self.asking(4, WaitsFor::SpentToken, elsewhere),
            self.asking(6, WaitsFor::Recovery, Effect::Renews(device)),
            self.asking(7, WaitsFor::ClonedKey, Effect::Replaces(device)),
            self.asking(8, WaitsFor::OtherSite, Effect::FirstKey(device)),
            self.asking(9, WaitsFor::Replacement, Effect::Replaces(device)),
        ]
    }

    pub(super) fn waiting(&self, some: bool) -> WaitingPage {
        let cursor = Cursor { key: CursorKey::Number(1), id: Uuid::nil() };
        let rows = if some { self.all_asking() } else { Vec::new() };
        let total = Total::Exact(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        let page = Page { rows, next: some.then_some(cursor), total };
        let shell = self.shell(Section::Waiting, &self.words.say("waiting-title"));
        WaitingPage::new(shell, (&Asked::default(), &QueueQuery::default()), &page, &[], self.now)
    }

    pub(super) fn waiting_preview(&self, stage: Stage) -> PreviewPage {
        let outcome = |asking: &Asking| match asking.effect {
            Effect::Impossible(why) => Outcome::Impossible(why),
            Effect::FirstKey(_) => Outcome::Changed,
            Effect::Replaces(id) | Effect::Renews(id) => Outcome::Approved(id),
            Effect::NewDevice => Outcome::Approved(DeviceId(Uuid::from_u128(8))),
        };
        let decided = |asking: Asking| Decided { id: asking.id, outcome: outcome(&asking), asked: Some(asking) };
        let mut all: Vec<Decided> = self.all_asking().into_iter().map(decided).collect();
        all.push(Decided { id: Uuid::from_u128(5), asked: None, outcome: Outcome::Already });
        if stage == Stage::Decided {
            all[0].outcome = Outcome::Refused;
        }
        let shell = self.shell(Section::Waiting, &self.words.say("waiting-preview-title"));
        PreviewPage::new(shell, stage, &all, self.now)
    }
}
