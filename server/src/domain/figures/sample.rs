//! A year that never was, for templates and pages to be looked at: every list has some units.

use cartable_common::{DeviceId, UtcMillis, report::Chassis};
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use uuid::Uuid;

use super::{
    age::Birth,
    fact::{Facts, Left, Lent, LotUnit, Order, PartUsed, Step, StepKind, Unit, Way},
};
use crate::domain::{
    donation::basis::LegalBasis,
    paris,
    work_order::{Disposition, Stage},
};

const MODELS: [&str; 4] =
    ["Lenovo ThinkPad X13 Gen 2", "HP ProBook 445 G8", "Dell Latitude 5320", "Acer TravelMate B3"];
const MINUTE: i64 = 60_000;

/// The year 2026 of sixty units.
#[must_use]
pub fn a_year() -> Facts {
    (1..=60).fold(Facts::default(), add)
}

fn add(mut facts: Facts, number: u32) -> Facts {
    let id = DeviceId(Uuid::from_u128(number.into()));
    let place = usize::try_from(number).unwrap_or_default();
    let bought = date(2013, 9, 1).checked_add(i64::from(number % 10).years()).unwrap_or(date(2020, 9, 1));
    facts.units.push(Unit {
        id,
        asset_tag: (!number.is_multiple_of(5)).then(|| format!("CD72-00{number:04}")),
        serial: Some(format!("PF2ABC{number:02}")),
        model: (!number.is_multiple_of(13)).then(|| MODELS[place % MODELS.len()].to_owned()),
        kind: if number.is_multiple_of(11) { Some(Chassis::Tablet) } else { Some(Chassis::Laptop) },
        owner: None,
        birth: Birth {
            recorded: date(2025, 2, 3),
            warranty_until: (!number.is_multiple_of(7)).then(|| bought.checked_add(3.years()).unwrap_or(bought)),
            processor_year: None,
        },
    });
    let year = if number.is_multiple_of(3) { 2025 } else { 2026 };
    let day = date(year, 3, 1).checked_add(i64::from(number).days()).unwrap_or(date(year, 3, 1));
    let became = Disposition::ALL[(place / 2) % Disposition::ALL.len()];
    facts.orders.push(order((number, id), day, became));
    match became {
        Disposition::Relend => facts.loans.push(Lent { device: id, at: paris::midnight(date(2026, 9, 7)) }),
        Disposition::Donate if number % 4 != 3 => facts.lots.push(LotUnit {
            device: id,
            lot: "Printemps 2026".to_owned(),
            basis: if number.is_multiple_of(5) { LegalBasis::PublicBody } else { LegalBasis::Associations },
            recipient: "Emmaüs Connect".to_owned(),
            approved: date(2026, 6, 1),
            dropped: None,
            delivered: Some(date(2026, 6, 15)),
        }),
        Disposition::Recycle if number.is_multiple_of(2) => {
            facts.left.push(Left { device: id, day: date(2026, 10, 1), way: Way::Archived });
        }
        Disposition::Donate | Disposition::Parts | Disposition::Recycle => {}
    }
    facts
}

fn order((number, device): (u32, DeviceId), day: Date, became: Disposition) -> Order {
    let begun = paris::midnight(day).plus_millis(9 * 60 * MINUTE);
    let at = |number: i64, minutes: i64, stage| Step {
        number,
        at: begun.plus_millis(minutes * MINUTE),
        kind: StepKind::Other,
        stage: Some(stage),
    };
    let long = i64::from(number % 9) * 12;
    let end: UtcMillis = begun.plus_millis((200 + long) * MINUTE);
    let mut steps = vec![
        at(1, 0, Stage::Inspection),
        at(2, 12, Stage::Erasure),
        at(3, 60, Stage::Repair),
        at(4, 60 + long, Stage::Reinstallation),
        at(5, 180 + long, Stage::FinalTest),
        at(6, 190 + long, Stage::Grading),
        at(7, 191 + long, Stage::Disposition),
        Step { number: 8, at: end, kind: StepKind::Closed(became), stage: None },
    ];
    if number.is_multiple_of(17) {
        let at = end.plus_days(2);
        steps.push(Step { number: 9, at, kind: StepKind::Reopened, stage: Some(Stage::Inspection) });
    }
    let part = PartUsed { at: begun.plus_millis(61 * MINUTE), count: 1, unit_cents: 3_490 };
    let parts = if number.is_multiple_of(2) { vec![part] } else { Vec::new() };
    Order { id: Uuid::from_u128(u128::from(number) + 1_000), device, steps, parts }
}
