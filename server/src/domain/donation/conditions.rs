//! What is missing before a unit may change owner: DESIGN 6.6 as one function. Nothing else decides it; the store asks it
//! at approval and again at the hand-over, and the database refuses what it would refuse.
//!
//! Missing evidence is never taken for a condition that is met: a device of which no drive is known, a kind that no
//! ceiling names and a battery that was never read all count as unmet.

mod facts;
mod unmet;

use cartable_common::report::Chassis;
use jiff::civil::Date;

pub use self::{
    facts::{Erasure, Gap, LotFacts, Proof, UnitFacts},
    unmet::{Condition, Unmet},
};
use super::{
    Cents,
    basis::{BasisTerms, LegalBasis, in_force},
};
use crate::domain::{loan::LendingState, verdict::Verdict, work_order::Disposition};

/// Everything that is missing before the unit may change owner on `today` (the civil day in Paris). Empty when nothing is.
#[must_use]
pub fn conditions(lot: &LotFacts, unit: &UnitFacts, bases: &[BasisTerms], today: Date) -> Vec<Unmet> {
    let terms = lot.basis.map(|basis| in_force(bases, basis, today).ok_or(basis));
    let mut unmet = of_erasure(&unit.erasure);
    unmet.extend(of_basis(lot, terms, today));
    unmet.extend(of_recipient(lot));
    unmet.extend(of_value(unit, terms.and_then(Result::ok)));
    unmet.extend(of_place(unit));
    unmet
}

/// The ceiling that a unit of that kind must keep to under `basis` on `today`.
#[must_use]
pub fn ceiling(known: &[BasisTerms], basis: LegalBasis, kind: Option<Chassis>, today: Date) -> Option<Cents> {
    in_force(known, basis, today).and_then(|terms| terms.ceiling.of(kind))
}

fn of_erasure(erasure: &Erasure) -> Vec<Unmet> {
    if erasure.proofs.is_empty() && erasure.gaps.is_empty() {
        return vec![Unmet::NoDriveKnown];
    }
    erasure.gaps.iter().cloned().map(Unmet::Erasure).collect()
}

fn of_basis(lot: &LotFacts, terms: Option<Result<&BasisTerms, LegalBasis>>, today: Date) -> Vec<Unmet> {
    let Some(basis) = lot.basis else { return vec![Unmet::NoBasis] };
    let mut unmet: Vec<Unmet> = terms.and_then(Result::err).map(Unmet::BasisNotInForce).into_iter().collect();
    if basis.needs_deliberation() {
        unmet.extend(match &lot.deliberation {
            None => Some(Unmet::NoDeliberation),
            Some(deliberation) => (deliberation.day > today).then_some(Unmet::DeliberationInTheFuture),
        });
    }
    unmet
}

fn of_recipient(lot: &LotFacts) -> Vec<Unmet> {
    let Some(recipient) = &lot.recipient else { return vec![Unmet::NoRecipient] };
    let mut unmet = Vec::new();
    if recipient.ended_at.is_some() {
        unmet.push(Unmet::RecipientEnded);
    }
    if let Some(basis) = lot.basis.filter(|basis| !basis.classes().contains(&recipient.class)) {
        unmet.push(Unmet::ClassNotListed(recipient.class, basis));
    }
    if recipient.commitments.is_none() {
        unmet.push(Unmet::NoCommitment);
    }
    if recipient.proof.is_none() {
        unmet.push(Unmet::NoProof);
    }
    unmet
}

fn of_value(unit: &UnitFacts, terms: Option<&BasisTerms>) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    let ceiling = terms.map(|terms| terms.ceiling.of(unit.kind).ok_or(Unmet::NoCeiling(terms.basis)));
    match (&unit.valuation, ceiling) {
        (None, _) => unmet.push(Unmet::NoValue),
        (Some(valuation), Some(Ok(ceiling))) if valuation.value > ceiling => {
            unmet.push(Unmet::OverCeiling { value: valuation.value, ceiling });
        }
        (Some(_), Some(Err(none))) => unmet.push(none),
        // Without terms in force the basis itself is unmet.
        (Some(_), Some(Ok(_)) | None) => {}
    }
    let works = matches!(unit.battery, Verdict::Healthy | Verdict::Worn);
    if terms.is_some_and(|terms| terms.basis.needs_working_battery()) && !works {
        unmet.push(Unmet::NoWorkingBattery);
    }
    unmet
}

fn of_place(unit: &UnitFacts) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    match unit.place {
        LendingState::InStock | LendingState::Intake => {}
        LendingState::SetAside => match unit.became {
            Some(Disposition::Donate) => {}
            Some(other) => unmet.push(Unmet::SetAsideFor(other)),
            None => unmet.push(Unmet::Elsewhere(LendingState::SetAside)),
        },
        elsewhere @ (LendingState::Refurbishment
        | LendingState::Reserved
        | LendingState::Lent
        | LendingState::Lost
        | LendingState::Stolen
        | LendingState::WrittenOff
        | LendingState::Ceded) => unmet.push(Unmet::Elsewhere(elsewhere)),
    }
    if unit.archived {
        unmet.push(Unmet::Archived);
    }
    unmet
}

#[cfg(test)]
mod tests {
    use cartable_common::UtcMillis;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::donation::{Deliberation, Estimation, Recipient, RecipientClass, Valuation, basis::known};

    const TODAY: Date = date(2026, 11, 29);

    fn recipient(class: RecipientClass) -> Recipient {
        Recipient {
            id: uuid::Uuid::nil(),
            name: "Emmaüs Connect".into(),
            class,
            legal_form: "association loi 1901".into(),
            registration: None,
            commitments: Some("réemploi auprès de personnes en précarité".into()),
            proof: Some("convention du 2 septembre 2026".into()),
            created_at: UtcMillis::default(),
            ended_at: None,
        }
    }

    fn lot(basis: LegalBasis) -> LotFacts {
        let deliberation = Deliberation { number: "CD-2026-118".into(), day: date(2026, 10, 16) };
        LotFacts {
            recipient: Some(recipient(basis.classes()[0])),
            basis: Some(basis),
            deliberation: basis.needs_deliberation().then_some(deliberation),
        }
    }

    fn unit(euros: u32) -> UnitFacts {
        let valuation = Valuation {
            value: Cents::of_euros(euros),
            estimation: Estimation::Market,
            note: "trois annonces de novembre 2026".into(),
        };
        UnitFacts {
            kind: Some(Chassis::Laptop),
            place: LendingState::InStock,
            became: None,
            archived: false,
            battery: Verdict::Healthy,
            erasure: Erasure { proofs: vec![Proof { drive: "S1".into(), record: "1".into() }], gaps: vec![] },
            valuation: Some(valuation),
        }
    }

    fn found(lot: &LotFacts, unit: &UnitFacts) -> Vec<Unmet> {
        conditions(lot, unit, &known(), TODAY)
    }

    #[test]
    fn with_everything_there_nothing_is_missing_under_any_basis() {
        for basis in LegalBasis::ALL {
            for class in basis.classes() {
                let lot = LotFacts { recipient: Some(recipient(*class)), ..lot(*basis) };
                assert_eq!(found(&lot, &unit(100)), [], "{basis} {class}");
            }
        }
    }

    /// Each thing that can be missing, alone: the list is the invariant's own.
    #[test]
    fn each_condition_alone_is_enough_to_refuse() {
        use LegalBasis::{Associations, FamiliesByDeliberation, SolidarityResale};
        type Spoil = fn(&mut LotFacts, &mut UnitFacts);
        let gap = Gap { drive: "S2".into(), why: "level".into() };
        let cases: [(LegalBasis, &str, Spoil); 17] = [
            (Associations, "no_drive_known", |_, unit| unit.erasure.proofs.clear()),
            (Associations, "no_basis", |lot, _| lot.basis = None),
            (FamiliesByDeliberation, "no_deliberation", |lot, _| lot.deliberation = None),
            (FamiliesByDeliberation, "deliberation_in_the_future", |lot, _| {
                lot.deliberation = Some(Deliberation { number: "1".into(), day: date(2026, 11, 30) });
            }),
            (Associations, "no_recipient", |lot, _| lot.recipient = None),
            (Associations, "recipient_ended", |lot, _| {
                lot.recipient.as_mut().unwrap().ended_at = Some(UtcMillis::default());
            }),
            (Associations, "class_not_listed", |lot, _| {
                lot.recipient.as_mut().unwrap().class = RecipientClass::OwnStaff;
            }),
            (SolidarityResale, "class_not_listed", |lot, _| {
                lot.recipient.as_mut().unwrap().class = RecipientClass::ParentsAssociation;
            }),
            (Associations, "no_commitment", |lot, _| lot.recipient.as_mut().unwrap().commitments = None),
            (Associations, "no_proof", |lot, _| lot.recipient.as_mut().unwrap().proof = None),
            (Associations, "no_value", |_, unit| unit.valuation = None),
            (SolidarityResale, "no_ceiling", |_, unit| unit.kind = None),
            (Associations, "over_ceiling", |_, unit| {
                unit.valuation.as_mut().unwrap().value = Cents::new(30_001).unwrap();
            }),
            (SolidarityResale, "over_ceiling", |_, unit| {
                unit.valuation.as_mut().unwrap().value = Cents::new(18_001).unwrap();
            }),
            (SolidarityResale, "no_working_battery", |_, unit| unit.battery = Verdict::Unknown),
            (SolidarityResale, "no_working_battery", |_, unit| unit.battery = Verdict::Failing),
            (Associations, "archived", |_, unit| unit.archived = true),
        ];
        let mut seen: Vec<&str> = vec!["erasure", "elsewhere", "set_aside_for", "basis_not_in_force"];
        for (basis, code, spoil) in cases {
            let (mut lot, mut unit) = (lot(basis), unit(100));
            spoil(&mut lot, &mut unit);
            let codes: Vec<&str> = found(&lot, &unit).iter().map(Unmet::code).collect();
            assert_eq!(codes, [code], "{basis}");
            seen.push(code);
        }
        let mut one = unit(100);
        one.erasure.gaps.push(gap.clone());
        assert_eq!(found(&lot(Associations), &one), [Unmet::Erasure(gap)]);
        let early = conditions(&lot(Associations), &unit(100), &known(), date(2022, 5, 8));
        assert_eq!(early, [Unmet::BasisNotInForce(Associations)]);
        for place in LendingState::ALL {
            let given = matches!(place, LendingState::InStock | LendingState::Intake);
            let there = UnitFacts { place: *place, ..unit(100) };
            assert_eq!(found(&lot(Associations), &there).is_empty(), given, "{place}");
        }
        for disposition in Disposition::ALL {
            let aside = UnitFacts { place: LendingState::SetAside, became: Some(*disposition), ..unit(100) };
            let given = *disposition == Disposition::Donate;
            assert_eq!(found(&lot(Associations), &aside).is_empty(), given, "{disposition}");
        }
        assert!(Unmet::CODES.iter().all(|code| seen.contains(code)), "a code without its case");
    }

    #[test]
    fn the_ceiling_itself_is_within_it() {
        for (basis, kind, euros) in [
            (LegalBasis::Associations, Chassis::Laptop, 300),
            (LegalBasis::SolidarityResale, Chassis::Laptop, 180),
            (LegalBasis::SolidarityResale, Chassis::Tablet, 100),
            (LegalBasis::FamiliesByDeliberation, Chassis::Tablet, 300),
        ] {
            let one = UnitFacts { kind: Some(kind), ..unit(euros) };
            assert_eq!(found(&lot(basis), &one), [], "{basis} {kind}");
            let dearer = UnitFacts { kind: Some(kind), ..unit(euros + 1) };
            assert_eq!(found(&lot(basis), &dearer).len(), 1, "{basis} {kind}");
        }
    }

    fn any_unit() -> impl Strategy<Value = UnitFacts> {
        let erasure = (0..3_usize, 0..3_usize).prop_map(|(proofs, gaps)| Erasure {
            proofs: (0..proofs).map(|n| Proof { drive: format!("P{n}"), record: "1".into() }).collect(),
            gaps: (0..gaps).map(|n| Gap { drive: format!("G{n}"), why: "level".into() }).collect(),
        });
        let value = proptest::option::of((0..60_000_u32).prop_map(|cents| Valuation {
            value: Cents::new(cents).unwrap(),
            estimation: Estimation::Book,
            note: "facture".into(),
        }));
        let of = |all: &'static [LendingState]| proptest::sample::select(all);
        (
            proptest::option::of(proptest::sample::select(Chassis::ALL)),
            of(LendingState::ALL),
            proptest::option::of(proptest::sample::select(Disposition::ALL)),
            any::<bool>(),
            proptest::sample::select(Verdict::ALL),
            erasure,
            value,
        )
            .prop_map(|(kind, place, became, archived, battery, erasure, valuation)| UnitFacts {
                kind,
                place,
                became,
                archived,
                battery,
                erasure,
                valuation,
            })
    }

    fn any_lot() -> impl Strategy<Value = LotFacts> {
        (
            proptest::option::of(proptest::sample::select(RecipientClass::ALL)),
            proptest::option::of(proptest::sample::select(LegalBasis::ALL)),
            any::<[bool; 3]>(),
        )
            .prop_map(|(class, basis, [committed, proved, decided])| LotFacts {
                recipient: class.map(|class| Recipient {
                    commitments: committed.then(|| "x".into()),
                    proof: proved.then(|| "x".into()),
                    ..recipient(class)
                }),
                basis,
                deliberation: decided.then(|| Deliberation { number: "1".into(), day: TODAY }),
            })
    }

    proptest! {
        /// Whatever is known, a unit without findings has each of the invariant's conditions, said here once more in
        /// other words.
        #[test]
        fn nothing_passes_without_all_of_it(lot in any_lot(), unit in any_unit()) {
            if found(&lot, &unit).is_empty() {
                prop_assert!(unit.erasure.gaps.is_empty() && !unit.erasure.proofs.is_empty());
                let (basis, recipient) = (lot.basis.unwrap(), lot.recipient.unwrap());
                prop_assert!(basis.classes().contains(&recipient.class));
                prop_assert!(recipient.commitments.is_some() && recipient.proof.is_some());
                let value = unit.valuation.unwrap().value;
                prop_assert!(value <= ceiling(&known(), basis, unit.kind, TODAY).unwrap());
                prop_assert!(value <= Cents::of_euros(300));
                prop_assert!(!unit.archived);
                prop_assert!(unit.place != LendingState::SetAside || unit.became == Some(Disposition::Donate));
                prop_assert!(basis != LegalBasis::FamiliesByDeliberation || lot.deliberation.is_some());
            }
        }

        /// One more drive without evidence never makes a unit ready, and a lower value never unready.
        #[test]
        fn worse_facts_never_help(lot in any_lot(), unit in any_unit()) {
            let before = found(&lot, &unit);
            let mut worse = unit.clone();
            worse.erasure.gaps.push(Gap { drive: "X".into(), why: "none".into() });
            prop_assert!(!found(&lot, &worse).is_empty());
            let mut cheaper = unit;
            if let Some(valuation) = &mut cheaper.valuation {
                valuation.value = Cents::default();
            }
            prop_assert!(found(&lot, &cheaper).len() <= before.len());
        }
    }
}
