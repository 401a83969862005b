//! Samples of the workshop's pages; looked at by the tests of [`super::samples`].

use std::collections::{BTreeMap, BTreeSet};

use askama::Template as _;
use cartable_common::DeviceId;
use serde_json::json;
use uuid::Uuid;

use super::{
    return_desk::Line,
    samples::Samples,
    shell::Section,
    work_board::BoardPage,
    work_checklist::ChecklistPage,
    work_intake::IntakePage,
    work_order::{May, OrderPage, OrderRead},
    work_part::{PartForm, PartsAsked, PartsPage},
};
use crate::{
    domain::{
        forecast::Wanting,
        grade::Grade,
        part::{Origin, PartKind},
        policy::RefurbishmentPolicy,
        verdict::Verdict,
        work_order::{
            Disposition, ErasureState, Missing, Position, Stage, Waiver, WorkOrder,
            checklist::{Check, Finding, Findings, Kind},
        },
    },
    store::{
        part::{PartRow, Stock, UseRow},
        work_inspection::{Claims, Inspection, InspectionKind},
        work_order::{KINDS, Step},
        work_order_list::{Column, OrderSummary},
        work_photo::PhotoRow,
    },
};

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));

impl Samples<'_> {
    /// Every one of them.
    pub(super) fn workshop(&self) -> Vec<(&'static str, askama::Result<String>)> {
        use Position::{Closed, Open};
        vec![
            ("work-board", self.board(true).render()),
            ("work-board-empty", self.board(false).render()),
            ("work-intake", self.intake().render()),
            ("work-checklist", self.checklist(Stage::Inspection).render()),
            ("work-checklist-test", self.checklist(Stage::FinalTest).render()),
            ("work-order-intake", self.bench(Open(Stage::Intake)).render()),
            ("work-order-inspection", self.bench(Open(Stage::Inspection)).render()),
            ("work-order-erasure", self.bench(Open(Stage::Erasure)).render()),
            ("work-order-repair", self.bench(Open(Stage::Repair)).render()),
            ("work-order-grading", self.bench(Open(Stage::Grading)).render()),
            ("work-order-disposition", self.bench(Open(Stage::Disposition)).render()),
            ("work-order-quarantine", self.bench(Open(Stage::Quarantine)).render()),
            ("work-order-parts", self.bench(Closed(Disposition::Parts)).render()),
            ("parts", self.parts(true).render()),
            ("parts-empty", self.parts(false).render()),
        ]
    }

    fn summary(&self, position: Position, days: i64) -> OrderSummary {
        OrderSummary {
            id: Uuid::from_u128(9),
            position,
            since: self.now.plus_days(-days),
            opened_at: self.now.plus_days(-40),
            grade: None,
            reopened: 1,
            device: DEVICE,
            serial_number: self.some("PF2ABCDE"),
            asset_tag: self.some("CD-0001"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad L13"),
            site_uai: self.some("0920001A"),
        }
    }

    fn board(&self, filled: bool) -> BoardPage {
        let column = |stage: &Stage| Column {
            stage: *stage,
            orders: if filled {
                vec![self.summary(Position::Open(*stage), 20), self.summary(Position::Open(*stage), 0)]
            } else {
                Vec::new()
            },
            count: if filled { 40 } else { 0 },
        };
        let columns: Vec<Column> = Stage::ALL.iter().map(column).collect();
        let closed: Vec<OrderSummary> = if filled {
            Disposition::ALL.iter().map(|one| self.summary(Position::Closed(*one), 3)).collect()
        } else {
            Vec::new()
        };
        let shell = self.shell(Section::WorkOrders, &self.words.say("work-title"));
        let told = (filled, self.told("CD-0009"), self.some("?"));
        BoardPage::new(shell, (&columns, &closed), &RefurbishmentPolicy::default(), told, self.now)
    }

    fn intake(&self) -> IntakePage {
        let line = Line::taken_in(
            self.told("PF2ABCDE"),
            "/work-orders/9".to_owned(),
            self.words.say("work-taken-in"),
            self.told("Lenovo ThinkPad L13"),
            self.words,
        );
        IntakePage::new(self.shell(Section::WorkIntake, &self.words.say("work-intake-title")), Some(line))
    }

    fn findings(&self, swollen: bool) -> Findings {
        let mut found: BTreeMap<Check, Finding> =
            Kind::Laptop.checks().iter().map(|check| (*check, Finding::Good)).collect();
        found.extend([(Check::Casing, Finding::Marked), (Check::Keyboard, Finding::Faulty)]);
        found.extend(swollen.then_some((Check::Battery, Finding::Swollen)));
        let dead_keys = BTreeSet::from(["A".to_owned(), "Espace".to_owned()]);
        Findings { kind: Kind::Laptop, found, dead_keys, note: self.told("Taches d’encre") }
    }

    fn read(&self, position: Position) -> OrderRead {
        let swollen = position == Position::Open(Stage::Quarantine);
        let claims = Claims { measured_at: Some(self.now), drives: Verdict::Healthy, batteries: Verdict::Worn };
        let early = matches!(position, Position::Open(Stage::Intake | Stage::Inspection));
        let findings = (!early).then(|| self.findings(swollen));
        let waiver = Waiver { at: self.now, by: self.told("anne"), reason: self.told("pas de disque") };
        let unerased = matches!(position, Position::Open(Stage::Erasure | Stage::Quarantine));
        let order = WorkOrder {
            position,
            battery_swollen: swollen,
            findings: findings.clone(),
            grade: Some(Grade::C),
            waiver: Some(waiver).filter(|_| !unerased),
            reopened: 1,
            ..WorkOrder::taken_in(Uuid::from_u128(9), DEVICE, self.now.plus_days(-40))
        };
        let inspection = |findings| Inspection {
            at: self.now.plus_days(-2),
            kind: InspectionKind::Inspection,
            actor: self.told("anne"),
            findings,
            claims,
        };
        let erasure = if unerased {
            ErasureState::Missing(Missing { drives: vec![self.told("SAMSUNG MZVLB256 · S4GENX0N123456")] })
        } else {
            ErasureState::Waived
        };
        OrderRead {
            summary: self.summary(position, 20),
            leaving: erasure.clone(),
            erasure,
            steps: self.steps(),
            inspections: findings.map(inspection).into_iter().collect(),
            claims,
            photos: vec![PhotoRow {
                id: Uuid::from_u128(11),
                at: self.now,
                actor: self.told("anne"),
                width: 1280,
                height: 960,
            }],
            used: vec![UseRow {
                at: self.now,
                actor: self.told("anne"),
                kind: PartKind::Keyboard,
                origin: Origin::Harvested,
                count: 1,
                unit_cents: 5490,
            }],
            fitting: vec![self.part(Origin::Bought), self.part(Origin::Harvested)],
            gone: false,
            order,
        }
    }

    fn steps(&self) -> Vec<Step> {
        let details = json!({
            "disposition": "relend", "part": "keyboard", "unit_cents": 5490, "grade": "B", "supported": "A",
            "reason": self.told("pas de disque"),
        });
        let step = |(number, kind): (i64, &&str)| Step {
            at: self.now.plus_days(-30 + number),
            kind: (*kind).to_owned(),
            stage: Stage::ALL.get(usize::try_from(number).unwrap_or_default()).copied(),
            actor: self.told("anne"),
            details: details.clone(),
        };
        (0..).zip(KINDS.iter()).map(step).collect()
    }

    fn bench(&self, position: Position) -> OrderPage {
        let shell = self.shell(Section::WorkOrders, &self.words.say("work-order-title"));
        let may = May { work: true, waive: true };
        OrderPage::new(shell, self.read(position), may, &RefurbishmentPolicy::default(), self.now)
    }

    fn checklist(&self, stage: Stage) -> ChecklistPage {
        let shell = self.shell(Section::WorkOrders, &self.words.word("work-inspection", "inspection"));
        let answers = BTreeMap::from([
            ("battery".to_owned(), "good".to_owned()),
            ("key:A".to_owned(), "on".to_owned()),
            ("note".to_owned(), self.told("Taches d’encre")),
        ]);
        ChecklistPage::new(shell, &self.read(Position::Open(stage)), Kind::Laptop, (&answers, self.some("?")))
    }

    fn part(&self, origin: Origin) -> PartRow {
        PartRow {
            id: Uuid::from_u128(20 + u128::from(origin == Origin::Bought)),
            kind: PartKind::Keyboard,
            model: self.some("ThinkPad L13"),
            origin,
            from_order: (origin == Origin::Harvested).then(|| Uuid::from_u128(9)),
            unit_cents: 5490,
            count: 3,
            created_at: self.now,
        }
    }

    fn parts(&self, filled: bool) -> PartsPage {
        let parts = vec![self.part(Origin::Bought), self.part(Origin::Harvested)];
        let stock = Stock { parts, next: Some(Uuid::from_u128(8)), value_cents: 1_234_560 };
        let form = PartForm {
            kind: "battery".to_owned(),
            model: self.told("ThinkPad L13"),
            price: self.told("54,90"),
            count: self.told("3"),
            once: self.told("?"),
        };
        let shell = self.shell(Section::Parts, &self.words.say("parts-title"));
        let wanting = [Wanting { kind: PartKind::Battery, model: 0, pieces: 12 }];
        let models = [self.told("ThinkPad L13")];
        let wanting = if filled { &wanting[..] } else { &[] };
        let stock = if filled { stock } else { Stock::default() };
        let asked = if filled {
            PartsAsked {
                kind: "keyboard".to_owned(),
                all: Some("yes".to_owned()),
                after: Uuid::from_u128(9).to_string(),
            }
        } else {
            PartsAsked::default()
        };
        PartsPage::new(shell, &stock, &asked, (true, self.some("?"), form), (wanting, &models))
    }
}
