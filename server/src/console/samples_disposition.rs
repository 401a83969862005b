//! Samples of the advice about devices; looked at by the tests of [`super::samples`].

use std::collections::BTreeMap;

use cartable_common::{DeviceId, report::Switch};
use uuid::Uuid;

use super::{
    disposition_list::{Asked, DispositionsPage, Read},
    samples::Samples,
    shell::Section,
    what_if::{Moves, Trial, WhatIfPage},
};
use crate::{
    domain::{
        authority::Role,
        disposition::{Advice, Confidence, Disposition, advise},
        fitness::{BatteryRead, Day, Facts, facts::Machine},
        grade::Grade,
        loan::LendingState,
        policy::Policy,
        programme::Visibility,
        verdict::Verdict,
    },
    store::{
        advice::Kept,
        advice_list::{AdviceQuery, AdviceSummary, Count},
        page::{Page, Total},
    },
};

impl Samples<'_> {
    pub(super) fn advice(&self) -> Advice {
        let facts = Facts {
            recorded_at: self.now.plus_days(-400),
            warranty_until: None,
            lending: LendingState::Lent,
            grade: None,
            returned: None,
            machine: Some(Machine {
                evidence_at: self.now.plus_days(-3),
                processor: self.some("AMD Ryzen 5 PRO 4650U"),
                architecture: self.some("x86_64"),
                memory_bytes: Some(8_226_816_000),
                storage_bytes: Some(256_060_514_304),
                secure_boot: Some(Switch::Off),
                tpm_version: None,
                drives: Verdict::Failing,
                battery: BatteryRead::Left(65),
                support: Some((self.told("Windows 11 23H2"), Day(jiff::civil::date(2026, 11, 10)))),
            }),
        };
        advise(&facts, &Policy::default(), self.now)
    }

    pub(super) fn decided(&self) -> Kept {
        Kept {
            disposition: Disposition::Repair,
            since: self.now.plus_days(-2),
            decided_at: self.now,
            policy_version: Policy::default().version(),
        }
    }

    pub(super) fn dispositions(&self, some: bool) -> DispositionsPage {
        let summary = |(index, disposition): (usize, &Disposition)| AdviceSummary {
            device: DeviceId(Uuid::from_u128(index as u128)),
            serial_number: self.some("PF2ABCDE"),
            asset_tag: self.some("CD72-004512"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            programme: None,
            site: (index != 1).then(|| ("0720001A".to_owned(), self.told("Collège Les Tilleuls"))),
            lending: LendingState::Lent,
            grade: Some(Grade::B),
            disposition: *disposition,
            confidence: [Confidence::High, Confidence::Medium, Confidence::Low][index % 3],
            cost_euros: 62,
            value_euros: 370,
            months_left: 14 + 20 * i64::try_from(index).unwrap_or_default(),
            evidence_at: (index != 2).then(|| self.now.plus_days(-3)),
            since: self.now.plus_days(-9),
            policy_version: Policy::default().version(),
        };
        let count = |disposition: &Disposition| Count {
            site: Some((Uuid::from_u128(2), self.told("Collège Les Tilleuls"))),
            programme: self.some("D5"),
            disposition: *disposition,
            devices: 1_204,
            cost_euros: 21_300,
        };
        let read = Read {
            page: Page {
                rows: if some { Disposition::ALL.iter().enumerate().map(summary).collect() } else { Vec::new() },
                next: None,
                total: Total::Exact(if some { 5 } else { 0 }),
            },
            counts: if some { Disposition::ALL.iter().map(count).collect() } else { Vec::new() },
            programmes: vec![self.told("D5")],
            visibility: Visibility::of(Role::Administrator, &[]),
            oldest: some.then(|| self.now.plus_days(-1)),
        };
        let asked = Asked { confidence: "low".to_owned(), ..Asked::default() };
        let shell = self.shell(Section::Dispositions, &self.words.say("dispositions-title"));
        DispositionsPage::new(shell, &asked, &AdviceQuery::default(), read, self.now)
    }

    /// The page that tries another bound for batteries.
    pub(super) fn what_if(&self, relend: &str) -> WhatIfPage {
        let policy = Policy::default();
        let asked = [("battery.relend_percent".to_owned(), relend.to_owned())];
        let counts = BTreeMap::from([
            ((Disposition::Relend, Disposition::Relend), 17_930),
            ((Disposition::Repair, Disposition::Relend), 1_204),
        ]);
        let moves = Moves { counts, devices: 19_134, more: true };
        let tried =
            policy.with_values(&asked).map(|(next, lines)| Some(Trial { moves, lines, version: next.version() }));
        let shell = self.shell(Section::Dispositions, &self.words.say("what-if-title"));
        WhatIfPage::new(shell, &policy, &asked, tried)
    }
}
