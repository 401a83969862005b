//! What a forecast looks at, read in some statements of one consistent state.

use std::collections::HashMap;

use cartable_common::UtcMillis;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    StoreError, Tx,
    clause::Clause,
    forecast_history as history,
    value::{day, from_json, parsed},
};
use crate::domain::{
    device::DeviceStatus,
    disposition::Disposition as Advised,
    fitness::{BatteryRead, Facts},
    forecast::{ForecastInput, Kinds, Place, Shelf, Unit, Wanting, wanting},
    grade::Grade,
    loan::LendingState,
    paris,
    part::PartKind,
    policy::Policy,
    scope::Scope,
    verdict::Verdict,
    work_order::{
        Stage,
        checklist::{Check, Findings},
    },
};

/// Most units that are looked at: ten times the fleet of a département.
pub const MOST_UNITS: i64 = 200_000;
/// Models that are told apart; the others count as one.
const MOST_MODELS: usize = 60;

/// The names of models, and the place of each.
#[derive(Debug, Default)]
pub(super) struct Models {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Models {
    /// The models of which there are most.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<String, (usize, &str)> = HashMap::new();
        for name in names.filter(|name| !name.trim().is_empty()) {
            let count = counts.entry(model_key(name)).or_insert((0, name));
            count.0 += 1;
            // Of several ways to write it, one that does not depend on the order of rows.
            count.1 = count.1.min(name);
        }
        let mut all: Vec<(String, (usize, &str))> = counts.into_iter().collect();
        all.sort_by(|one, other| other.1.0.cmp(&one.1.0).then_with(|| one.0.cmp(&other.0)));
        all.truncate(MOST_MODELS);
        let mut names: Vec<String> = all.iter().map(|(_, (_, name))| name.trim().to_owned()).collect();
        // Those that are few, or that nobody named.
        names.push(String::new());
        let places = all.into_iter().zip(0..).map(|((key, _), place)| (key, place)).collect();
        Self { names, places }
    }

    fn known(&self, name: &str) -> Option<usize> {
        self.places.get(&model_key(name)).copied()
    }

    /// Its place; that of the others where it has none.
    pub(super) fn place(&self, name: Option<&str>) -> usize {
        name.and_then(|name| self.known(name)).unwrap_or(self.places.len())
    }
}

/// What tells models apart, however their names are written.
pub(super) fn model_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What is known at `now` of the units of `scope`.
pub async fn snapshot(
    tx: &mut Tx,
    scope: &Scope,
    policy: &Policy,
    now: UtcMillis,
) -> Result<ForecastInput, StoreError> {
    let mut input = ForecastInput::empty(paris::date(now));
    input.closures.clone_from(&policy.calendar.closures);
    let mut rows = units(tx, scope).await?;
    let most = usize::try_from(MOST_UNITS).unwrap_or(usize::MAX);
    input.more = rows.len() > most;
    rows.truncate(most);
    let models = Models::of(rows.iter().filter_map(|row| row.model.as_deref()));
    let used = history::used(tx, scope, policy, now).await?;
    input.orders = history::orders(tx, scope, (policy, now), &models, &used).await?;
    for row in rows {
        let used = row.order_id.and_then(|order| used.get(&order)).copied().unwrap_or_default();
        match row.read(&models, used, policy)? {
            Read::Unit(unit) => input.units.push(unit),
            Read::ReadyToLend => input.ready_to_lend += 1,
            Read::Neither => {}
        }
    }
    input.ready_to_donate = set_aside(tx, scope).await?;
    (input.loans, input.extended) = history::loans(tx, scope, policy, now).await?;
    input.stages = history::stages(tx, scope, policy, now).await?;
    input.shelf = shelf(tx, &models).await?;
    input.models = models.names;
    Ok(input)
}

/// Parts that are missing today for units on the benches of `scope`, with the names of the models.
pub async fn wanting_today(
    tx: &mut Tx,
    scope: &Scope,
    policy: &Policy,
    now: UtcMillis,
) -> Result<(Vec<Wanting>, Vec<String>), StoreError> {
    let mut clause = Clause::new(UNITS);
    clause
        .sql(" AND d.lending_state = 'refurbishment' AND w.stage IN ('erasure', 'repair')")
        .within("d.site_id", scope);
    clause.sql(" ORDER BY w.opened_at, d.id LIMIT ").value(MOST_UNITS);
    let rows: Vec<Row> = clause.rows(tx).await?;
    let models = Models::of(rows.iter().filter_map(|row| row.model.as_deref()));
    let used = history::used(tx, scope, policy, now).await?;
    let mut needed = Vec::with_capacity(rows.len());
    for row in rows {
        let used = row.order_id.and_then(|order| used.get(&order)).copied().unwrap_or_default();
        if let Read::Unit(unit) = row.read(&models, used, policy)? {
            needed.push((unit.model, unit.needs));
        }
    }
    let shelf = shelf(tx, &models).await?;
    Ok((wanting(needed, &shelf), models.names))
}

#[derive(sqlx::FromRow)]
struct Row {
    model: Option<String>,
    lending_state: String,
    status: String,
    in_lot: i64,
    advised: Option<String>,
    facts: Option<String>,
    drive_verdict: Option<String>,
    battery_verdict: Option<String>,
    due_day: Option<i64>,
    extensions: Option<i64>,
    academic_zone: Option<String>,
    appointed: Option<i64>,
    order_id: Option<Uuid>,
    stage: Option<String>,
    findings: Option<String>,
    grade: Option<String>,
}

const UNITS: &str = "SELECT d.model, d.lending_state, d.status, CAST(CASE WHEN EXISTS (SELECT 1 FROM donation_line p \
         WHERE p.device_id = d.id AND p.state <> 'dropped') THEN 1 ELSE 0 END AS BIGINT) AS in_lot, \
         a.disposition AS advised, CASE WHEN a.disposition = 'repair' THEN a.facts END AS facts, \
         h.drive_verdict, h.battery_verdict, l.due_day, l.extensions, s.academic_zone, (SELECT MIN(n.day) \
         FROM campaign_loan n JOIN campaign c ON c.id = n.campaign_id WHERE n.loan_id = l.id AND n.state = 'expected' \
         AND c.state = 'running') AS appointed, w.id AS order_id, w.stage, w.findings, w.grade FROM device d \
         LEFT JOIN advice a ON a.device_id = d.id LEFT JOIN health h ON h.device_id = d.id \
         LEFT JOIN loan l ON l.device_id = d.id AND l.ended_at IS NULL AND l.state = 'handed_over' \
         LEFT JOIN site s ON s.id = COALESCE(l.site_id, d.site_id) \
         LEFT JOIN work_order w ON w.device_id = d.id AND w.stage <> 'closed' WHERE d.archived_at IS NULL \
         AND d.lending_state IN ('in_stock', 'lent', 'intake', 'refurbishment')";

async fn units(tx: &mut Tx, scope: &Scope) -> Result<Vec<Row>, StoreError> {
    let mut clause = Clause::new(UNITS);
    clause.within("d.site_id", scope).sql(" ORDER BY d.id LIMIT ").value(MOST_UNITS + 1);
    clause.rows(tx).await
}

enum Read {
    Unit(Unit),
    ReadyToLend,
    Neither,
}

impl Row {
    fn read(self, models: &Models, used: Kinds, policy: &Policy) -> Result<Read, StoreError> {
        let advised: Option<Advised> =
            self.advised.as_deref().map(|text| parsed("advice.disposition", text)).transpose()?;
        let mut unit = Unit {
            model: models.place(self.model.as_deref()),
            place: Place::Waiting,
            advised,
            verdict: verdict(self.drive_verdict.as_deref(), self.battery_verdict.as_deref())?,
            needs: Kinds::default(),
            inspected: false,
            given_up: false,
        };
        if let Some(facts) = &self.facts {
            unit.needs = needed(&from_json("advice.facts", facts)?, policy);
        }
        match parsed("device.lending_state", &self.lending_state)? {
            LendingState::Lent => unit.place = self.lent()?,
            // As the desk refuses to lend it.
            LendingState::InStock if self.in_lot != 0 || out_of_service(&self.status)? => return Ok(Read::Neither),
            LendingState::InStock => match advised {
                Some(Advised::Donate | Advised::Parts | Advised::Recycle) => {}
                Some(Advised::Relend | Advised::Repair) | None => return Ok(Read::ReadyToLend),
            },
            LendingState::Refurbishment => self.on_bench(&mut unit, used)?,
            LendingState::Intake => {}
            LendingState::Reserved
            | LendingState::SetAside
            | LendingState::Lost
            | LendingState::Stolen
            | LendingState::WrittenOff
            | LendingState::Ceded => return Ok(Read::Neither),
        }
        Ok(Read::Unit(unit))
    }

    fn lent(&self) -> Result<Place, StoreError> {
        let date = |what, number: Option<i64>| number.map(|number| day(what, number)).transpose();
        let (due, appointed): (Option<Date>, Option<Date>) =
            (date("loan.due_day", self.due_day)?, date("campaign_loan.day", self.appointed)?);
        let zone = self.academic_zone.as_deref().map(|zone| parsed("site.academic_zone", zone)).transpose()?;
        Ok(Place::Lent { due, appointed, extended: self.extensions.unwrap_or_default() > 0, zone })
    }

    /// What staff found stands above what the machine said, and is what is wanting until it is repaired.
    fn on_bench(&self, unit: &mut Unit, used: Kinds) -> Result<(), StoreError> {
        let stage: Stage = parsed("work_order.stage", self.stage.as_deref().unwrap_or_default())?;
        let grade: Option<Grade> = self.grade.as_deref().map(|grade| parsed("work_order.grade", grade)).transpose()?;
        unit.place = Place::Bench(stage);
        unit.given_up = grade == Some(Grade::D);
        let Some(findings) = &self.findings else { return Ok(()) };
        let findings: Findings = from_json("work_order.findings", findings)?;
        unit.inspected = true;
        unit.needs = match stage {
            Stage::Erasure | Stage::Repair => findings.faults().map(part_for).collect(),
            Stage::Intake
            | Stage::Inspection
            | Stage::Reinstallation
            | Stage::FinalTest
            | Stage::Grading
            | Stage::Disposition
            | Stage::Quarantine => Kinds::default(),
        };
        used.each().for_each(|kind| unit.needs.remove(kind));
        Ok(())
    }
}

/// Whether a device was shut out, or has left the programme.
fn out_of_service(status: &str) -> Result<bool, StoreError> {
    Ok(matches!(parsed("device.status", status)?, DeviceStatus::Revoked | DeviceStatus::Released))
}

/// The verdict on a machine as a whole.
pub(super) fn verdict(drives: Option<&str>, batteries: Option<&str>) -> Result<Verdict, StoreError> {
    let read = |what, text: Option<&str>| text.map_or(Ok(Verdict::Unknown), |text| parsed(what, text));
    let drives: Verdict = read("health.drive_verdict", drives)?;
    Ok(drives.worse(read("health.battery_verdict", batteries)?))
}

/// The parts that the advice would put in before a loan.
fn needed(facts: &Facts, policy: &Policy) -> Kinds {
    let mut needs = Kinds::default();
    let Some(machine) = &facts.machine else { return needs };
    if matches!(machine.drives, Verdict::Worn | Verdict::Failing) {
        needs.add(PartKind::Drive);
    }
    let weak = match machine.battery {
        BatteryRead::Left(left) => u32::from(left) < policy.battery.relend_percent,
        BatteryRead::Gone | BatteryRead::Swollen => true,
        BatteryRead::NoneExpected | BatteryRead::NotRead => false,
    };
    if weak {
        needs.add(PartKind::Battery);
    }
    needs
}

/// The part that mends a fault.
pub(super) const fn part_for(check: Check) -> PartKind {
    match check {
        Check::Screen => PartKind::Screen,
        Check::Keyboard => PartKind::Keyboard,
        Check::Trackpad => PartKind::Trackpad,
        Check::Hinges => PartKind::Hinges,
        Check::Ports => PartKind::Ports,
        Check::Camera => PartKind::Camera,
        Check::Sound => PartKind::Sound,
        Check::WiFi => PartKind::WiFi,
        Check::Charger => PartKind::Charger,
        Check::Casing => PartKind::Casing,
        Check::Battery => PartKind::Battery,
    }
}

/// Units that were set aside to be given and are still here.
async fn set_aside(tx: &mut Tx, scope: &Scope) -> Result<u32, StoreError> {
    let mut clause = Clause::new(
        "SELECT count(*) FROM device d WHERE d.archived_at IS NULL AND d.lending_state = 'set_aside' AND (SELECT \
         w.disposition FROM work_order w WHERE w.device_id = d.id ORDER BY w.opened_at DESC, w.id DESC LIMIT 1) = 'donate'",
    );
    clause.within("d.site_id", scope);
    Ok(u32::try_from(clause.number(tx).await?).unwrap_or(u32::MAX))
}

/// The shelf, what came last first: its price is the one to go by. Parts for a model of which there are few units, or
/// none, serve nobody here.
async fn shelf(tx: &mut Tx, models: &Models) -> Result<Vec<Shelf>, StoreError> {
    let clause =
        Clause::new("SELECT p.kind, p.model, p.count, p.unit_cents FROM part p ORDER BY p.created_at DESC, p.id");
    let rows: Vec<(String, Option<String>, i64, i64)> = clause.rows(tx).await?;
    let mut shelf = Vec::with_capacity(rows.len());
    for (kind, model, count, cents) in rows {
        let place = model.as_deref().map(|name| models.known(name));
        if place == Some(None) {
            continue;
        }
        shelf.push(Shelf {
            kind: parsed("part.kind", &kind)?,
            model: place.flatten(),
            count: u32::try_from(count).unwrap_or_default(),
            unit_cents: u32::try_from(cents).unwrap_or_default(),
        });
    }
    Ok(shelf)
}
