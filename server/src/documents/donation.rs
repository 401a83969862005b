//! The papers of a lot: the deed of its hand-over, and its packing list.
//!
//! A deed is made of an approved lot alone: what it lists is what will be handed over. Neither names a natural person.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Documents,
    data::Device,
    make::{Made, MakeError, Maker, Plan},
};
use crate::{
    domain::{
        device::full_model,
        document::DocumentKind,
        donation::{Cents, LotState, Recipient},
        language::Language,
        paris,
        policy::Policy,
        wording::plain_euros,
    },
    store::{
        document::Subject,
        donation_line::{self, LineRow},
        donation_lot::{self, LotRow},
    },
};

/// Which paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotPaper {
    /// What both sides sign.
    Deed,
    /// What lies in the boxes.
    PackingList,
}

/// A lot, as its papers name it.
#[derive(Debug, Serialize)]
pub(super) struct Lot {
    pub(super) name: String,
    pub(super) approved: Option<String>,
    pub(super) basis: Option<String>,
    pub(super) deliberation: Option<Decided>,
    /// The sum of the units' values, in euros.
    pub(super) total: String,
}

/// The deliberation that a gift rests on.
#[derive(Debug, Serialize)]
pub(super) struct Decided {
    pub(super) number: String,
    pub(super) day: String,
}

/// To whom.
#[derive(Debug, Serialize)]
pub(super) struct Taker {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) legal_form: String,
    pub(super) registration: Option<String>,
    pub(super) commitments: Option<String>,
    pub(super) proof: Option<String>,
}

/// One unit.
#[derive(Debug, Serialize)]
pub(super) struct Unit {
    pub(super) device: Device,
    pub(super) kind: Option<&'static str>,
    pub(super) grade: Option<&'static str>,
    /// In euros.
    pub(super) value: Option<String>,
    /// The drives whose erasure is proven; those that are gone are none.
    pub(super) drives: Vec<String>,
}

/// Either paper.
#[derive(Debug, Serialize)]
pub(super) struct Papers {
    pub(super) lot: Lot,
    pub(super) recipient: Option<Taker>,
    pub(super) units: Vec<Unit>,
}

impl Documents {
    /// A paper of a lot, in `language`.
    pub async fn of_lot(
        &self,
        by: Maker<'_>,
        (id, paper): (Uuid, LotPaper),
        language: Language,
        policy: &Policy,
    ) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let lot = donation_lot::find(&mut tx, id).await?.ok_or(MakeError::NotFound)?;
        let kind = match paper {
            LotPaper::Deed if matches!(lot.state, LotState::Approved | LotState::Delivered) => {
                DocumentKind::DonationDeed
            }
            LotPaper::Deed => return Err(MakeError::NotInState),
            LotPaper::PackingList => DocumentKind::PackingList,
        };
        let recipient = donation_lot::recipient(&mut tx, &lot).await?;
        let lines = donation_line::of_lot(&mut tx, &lot, policy, by.now).await?;
        if lines.is_empty() {
            return Err(MakeError::Nothing);
        }
        let rest = papers(&lot, recipient, lines, language);
        let plan = Plan { kind, subject: Subject::Lot(id), language, owner: None, agreement: None };
        self.finish(by, tx, plan, |_| rest).await
    }
}

fn papers(lot: &LotRow, recipient: Option<Recipient>, lines: Vec<LineRow>, language: Language) -> Papers {
    let total = lines.iter().filter_map(|line| line.facts.valuation.as_ref()).map(|one| one.value.get()).sum::<u32>();
    Papers {
        lot: Lot {
            name: lot.name.clone(),
            approved: lot.approved_at.map(|at| paris::date(at).to_string()),
            basis: lot.terms.basis.map(|basis| basis.source().in_language(language).to_owned()),
            deliberation: lot
                .terms
                .deliberation
                .as_ref()
                .map(|decided| Decided { number: decided.number.clone(), day: decided.day.to_string() }),
            // At most 300 units of at most 100,000 €: far below what the type holds.
            total: plain_euros(total.into()),
        },
        recipient: recipient.map(taker),
        units: lines.into_iter().map(unit).collect(),
    }
}

fn taker(recipient: Recipient) -> Taker {
    Taker {
        name: recipient.name,
        class: recipient.class.as_str(),
        legal_form: recipient.legal_form,
        registration: recipient.registration,
        commitments: recipient.commitments,
        proof: recipient.proof,
    }
}

fn unit(line: LineRow) -> Unit {
    let value = line.facts.valuation.map(|valuation| valuation.value);
    Unit {
        device: Device {
            asset_tag: line.asset_tag,
            serial: line.serial,
            model: full_model(line.manufacturer.as_deref(), line.model.as_deref()),
        },
        kind: line.facts.kind.map(cartable_common::report::Chassis::as_str),
        grade: line.grade.map(crate::domain::grade::Grade::as_str),
        value: value.as_ref().map(Cents::to_string),
        drives: line.proven,
    }
}

/// Samples that templates are checked with: many units and one, whole and with gaps.
pub(super) fn sample(whole: bool) -> Papers {
    let some = |text: &str| whole.then(|| text.to_owned());
    let unit = |index: usize| Unit {
        device: Device {
            asset_tag: (!index.is_multiple_of(5)).then(|| format!("CD72-00{:04}", 4512 + index)),
            serial: Some(format!("PF2ABC{index:02}")),
            model: some("Lenovo ThinkPad X13 Gen 2"),
        },
        kind: whole.then_some("laptop"),
        grade: (!index.is_multiple_of(4)).then_some("B"),
        value: whole.then(|| "85.00".to_owned()),
        drives: if whole { vec!["S463NX0M123456".to_owned()] } else { Vec::new() },
    };
    let units: Vec<Unit> = (1..if whole { 70 } else { 2 }).map(unit).collect();
    Papers {
        lot: Lot {
            name: "Printemps 2027, palette 1".to_owned(),
            approved: some("2026-11-27"),
            basis: some("CG3P art. L. 3212-3"),
            deliberation: whole.then(|| Decided { number: "CD-2026-118".into(), day: "2026-10-16".into() }),
            total: "5865.00".to_owned(),
        },
        recipient: whole.then(|| Taker {
            name: "Emmaüs Connect".into(),
            class: "reuse_body",
            legal_form: "association loi 1901".into(),
            registration: some("SIREN 792 691 869"),
            commitments: some("Réemploi auprès de personnes en précarité numérique, sans revente"),
            proof: some("Convention signée le 2 septembre 2026"),
        }),
        units,
    }
}
