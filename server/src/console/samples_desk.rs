//! Samples of the pages on which devices are handed over; looked at by the tests of [`super::samples`].

use super::{
    class_hand_over::{ClassForm, ClassPage, Row},
    component::{Badge, Choice, Tone},
    hand_over::{Asked, Confirm, HandOverPage},
    hand_over_device::Scanned,
    loan::Accessory,
    loan_line::lending_badge,
    samples::Samples,
    shell::Section,
};
use crate::domain::loan::LendingState;

impl Samples<'_> {
    fn programme_choices(&self) -> Vec<Choice> {
        vec![Choice { value: "41".to_owned(), label: self.told("D5 · Prêt aux élèves"), selected: true }]
    }

    pub(super) fn hand_over(&self, confirmed: bool) -> HandOverPage {
        let confirm = Confirm {
            device: "1".to_owned(),
            borrower: "B-7K3M-Q2ZD".to_owned(),
            borrower_label: self.told("Collège Les Tilleuls (établissement)"),
            programme: "41".to_owned(),
            programme_label: self.told("D5 · Prêt aux élèves"),
            due: "2027-07-02".to_owned(),
            accessories: vec![(Accessory { field: "accessory-0".to_owned(), name: self.told("chargeur") }, true)],
            signature: "paper".to_owned(),
            drawn: self.told("10,10 20,20"),
            agreement: self.told("pret-1"),
            holders: vec![Choice { value: "1".to_owned(), label: self.told("Claude Martin"), selected: true }],
            may_reserve: true,
        };
        HandOverPage {
            shell: self.shell(Section::HandOver, &self.words.say("handing-title")),
            csrf: "csrf-token".to_owned(),
            asked: Asked { code: self.told("CD-0001"), borrower: self.told("B-7K3M-Q2ZD"), ..Asked::default() },
            last: Some("/loans/1".to_owned()),
            problem: self.some("?"),
            scanned: Some(Scanned {
                name: self.told("CD72-004512"),
                model: self.told("Lenovo ThinkPad X13"),
                href: "/devices/1".to_owned(),
                at: lending_badge(LendingState::InStock, self.words),
            }),
            programmes: self.programme_choices(),
            choose_programme: !confirmed,
            confirm: confirmed.then_some(confirm),
            new_borrower: (!confirmed).then(|| "/borrowers/new?desk=hand%2Dover&".to_owned()),
        }
    }

    pub(super) fn class(&self, rows: bool) -> ClassPage {
        let row = |number: usize, good: bool| Row {
            number,
            text: self.told("CD-0001 ; B-7K3M-Q2ZD"),
            state: if good {
                Badge::new(Tone::Good, self.words.say("class-good"))
            } else {
                Badge::new(Tone::Critical, self.words.say("class-bad"))
            },
            what: self.told("jusqu’au 2 juillet 2027"),
            good,
        };
        ClassPage {
            shell: self.shell(Section::HandOver, &self.words.say("class-title")),
            csrf: "csrf-token".to_owned(),
            form: ClassForm { lines: self.told("CD-0001 ; B-7K3M-Q2ZD"), ..ClassForm::default() },
            programmes: self.programme_choices(),
            problem: rows.then(|| self.told("?")),
            rows: if rows { vec![row(1, true), row(2, false)] } else { Vec::new() },
            summary: self.words.with_two("class-summary", "1", "2"),
        }
    }
}
