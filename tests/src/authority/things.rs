//! What the rows' addresses and bodies name: one of each kind, all of one site.

mod agents;

use std::collections::BTreeMap;

use anyhow::Context as _;
use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        borrower::Level,
        campaign::{CampaignState, Choice, Desks},
        device::DeviceStatus,
        donation::{Terms, entry::RecipientEntry},
        erasure::{
            BenchClock, Method,
            evidence::{self, File},
            hand::ByHand,
        },
        exam::NewExam,
        import::Kind,
        language::Language,
        loan::{Condition, LoanState, Return},
        need::{Need, Reasons},
        notice::{Reason, Recipient},
        paris,
        part::{NewPart, PartKind},
        policy::Policy,
        scope::Scope,
        work_order::Move,
    },
    exchange::ledger::{self, Brought},
    store::{
        Tx, allocation,
        campaign::{self, Campaign},
        device::{self, NewDevice},
        donation_line, donation_lot, donation_recipient, erasure,
        erasure_entry::{self, By, Strangers},
        erasure_file, exam,
        lending::Clerk,
        lending_bulk,
        message::{self, Waiting},
        message_attempt::{self, Outcome},
        message_list, need,
        notice::{self, NewNotice},
        part, person,
        site_referent::{self, Referent},
        work_order_act::Bench,
        work_photo::NewPhoto,
    },
};
use serde_json::json;
use uuid::Uuid;

use self::agents::{answered, flagged, newcomer, recovering, release, speaking, token, waiting};
use crate::{erasing::nvme_sanitized, in_process::InProcess, lending, simulator::site::uai_code};

/// Text for each name in braces. Those of a foreign site are named `{foreign-…}`.
#[derive(Clone, Debug, Default)]
pub struct Things(BTreeMap<String, String>);

impl Things {
    fn put(&mut self, name: &str, value: impl ToString) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    /// The text for a name.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// These, and `other` as foreign ones.
    #[must_use]
    pub fn and_foreign(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(name, value)| (format!("foreign-{name}"), value.clone())));
        self
    }

    /// These, but the things that belong to a site, or only exist because somebody made them, are nowhere.
    #[must_use]
    pub fn absent(mut self) -> Self {
        for value in self.0.values_mut().filter(|value| value.parse::<Uuid>().is_ok()) {
            *value = Uuid::new_v4().to_string();
        }
        self.put("uai", uai_code(96, 4000));
        self.put("document", "AGR-2026-999999999");
        self.put("certificate", "ERA-2026-999999999");
        self
    }

    /// The ids of the foreign things.
    pub fn foreign_ids(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().filter(|(name, _)| name.starts_with("foreign-")).filter_map(|(_, value)| value.parse().ok())
    }

    /// `template` with every name in braces filled in.
    pub fn fill(&self, template: &str) -> String {
        let unique = Uuid::new_v4().simple().to_string();
        let text = template.replace("{unique}", &unique[..12]);
        self.0.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// Makes one of each kind at site `number`. Add yours here, and its name in braces works in every row.
pub async fn make(cartable: &InProcess, number: u32) -> anyhow::Result<Things> {
    let site = cartable.site(number).await?;
    let now = clock::now();
    let proposer = format!("proposer-{number}");
    let mut tx = cartable.app.store.read().await?;
    let known = person::by_login(&mut tx, &proposer.parse()?).await?;
    drop(tx);
    if known.is_none() {
        cartable.person(&proposer, Role::ProgrammeManager, Scope::Everything).await?;
    }
    let mut tx = cartable.app.store.write().await?;
    let mut things = Things::default();
    things.put("site", site);
    things.put("uai", uai_code(96, number));
    things.put("free-uai", free_uai());
    things.put("referent", referent(&mut tx, site, now).await?);
    things.put("file", "nothing.css");
    let device = device(&mut tx, site, now).await?;
    things.put("device", device);
    things.put("enrolment", waiting(&mut tx, device, now).await?);
    things.put("exam", exam(&mut tx, site, now).await?);
    things.put("release", release(&mut tx, now).await?);
    let token = token(&mut tx, site, now).await?;
    things.put("token", token);
    things.put("newcomer", newcomer(&mut tx, token, now).await?);
    things.put("recovery", recovering(&mut tx, device, now).await?);
    things.put("action", answered(&mut tx, device, now).await?);
    let programme = lending::programme(&mut tx, now).await?;
    things.put("programme", programme.id);
    things.put("programme-code", programme.code.as_str());
    let borrower = lending::borrower(&mut tx, Some(site), now).await?;
    things.put("borrower", borrower.id);
    things.put("borrower-reference", &borrower.reference);
    things.put("need", need(&mut tx, site, programme.id, now).await?);
    let proposer = person::by_login(&mut tx, &proposer.parse()?).await?.context("the proposer")?.person.id;
    things.put("allocation", allocation::propose(&mut tx, None, &Policy::default(), proposer, now).await?);
    let (lot, recipient, unit) = lot(&mut tx, (site, proposer), now).await?;
    things.put("lot", lot);
    things.put("recipient", recipient);
    things.put("unit", unit);
    let lent = self::device(&mut tx, site, now).await?;
    things.put("lent-device", lent);
    speaking(&mut tx, lent, now).await?;
    let until = now.plus_days(30);
    things.put("lent-until", paris::date(until));
    let state = LoanState::HandedOver(lending::handed(now, Some(until)));
    let loan = lending::loan_of(lent, &borrower, &programme, now, state);
    lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await?;
    things.put("loan", loan.id);
    for (name, state) in [
        ("reservation", LoanState::Reserved),
        ("returned-device", LoanState::Returned(lending::handed(now, None), good(now))),
    ] {
        let device = self::device(&mut tx, site, now).await?;
        let loan = lending::loan_of(device, &borrower, &programme, now, state);
        lending_bulk::record(&mut tx, std::slice::from_ref(&loan), "test").await?;
        things.put(name, if name == "reservation" { loan.id } else { device.0 });
        if name == "returned-device" {
            things.put("returned-loan", loan.id);
        }
    }
    things.put("document", lending::recorded_agreement(&mut tx, loan.id, Some(site), now).await?);
    let (erasure, file) = erased(&mut tx, device, now).await?;
    things.put("erasure", erasure);
    things.put("drive", secret_drive(device));
    things.put("erasure-file", file);
    things.put("today", paris::date(now));
    // What is recorded of a device has it judged anew: its flag is raised after that.
    things.put("flag", flagged(&mut tx, device, now).await?);
    things.put("certificate", lending::recorded_certificate(&mut tx, device, site, now).await?);
    let (order, photo, part);
    (tx, order, photo, part) = workshop(tx, site, now).await?;
    things.put("order", order);
    things.put("photo", photo);
    things.put("part", part);
    things.put("campaign", campaign(&mut tx, (site, programme.id), now).await?);
    things.put("message", message(&mut tx, loan.id, site, now).await?);
    let bounced = message(&mut tx, loan.id, site, now).await?;
    message_list::bounce(&mut tx, &Scope::Everything, bounced, "test", now).await?;
    things.put("bounced-message", bounced);
    tx.commit().await?;
    // The list that the fewest may have.
    things.put("export", "borrowers.csv");
    things.put("lines-file", "lines.csv");
    things.put("rank", 1);
    things.put("packing-file", "packing.csv");
    things.put("figures-year", paris::date(now).year());
    things.put("figures-file", "reused.csv");
    things.put("parts-file", "parts.csv");
    things.put("loans-file", "loans.csv");
    things.put("import", import(cartable, now).await?);
    Ok(things)
}

/// A lot that is being put together, with one unit; and a recipient that has none.
async fn lot(tx: &mut Tx, (site, by): (Uuid, Uuid), now: UtcMillis) -> anyhow::Result<(Uuid, Uuid, DeviceId)> {
    let entry = RecipientEntry {
        name: "Association".into(),
        class: "reuse_body".into(),
        legal_form: "association".into(),
        ..RecipientEntry::default()
    };
    let recipient = entry.read(Uuid::now_v7(), now)?;
    donation_recipient::insert(tx, &recipient, "test").await?;
    let lot = donation_lot::create(tx, "Lot", &Terms::default(), by, now).await?;
    let unit = device(tx, site, now).await?;
    donation_line::add(tx, lot, &[unit], by, now).await?;
    Ok((lot, recipient.id, unit))
}

/// A file that was taken in.
async fn import(cartable: &InProcess, now: UtcMillis) -> anyhow::Result<Uuid> {
    let brought = Brought { kind: Kind::Devices, name: "x.csv", by: "test" };
    let bytes = b"serial\nSECRET-SERIAL\n".to_vec();
    Ok(ledger::take_in(&cartable.app.store, &cartable.app.vault, &brought, bytes, now).await?.id)
}

/// An exam that is still to come, at a time of its own: the same one twice is one.
async fn exam(tx: &mut Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let begins_at = now.plus_days(30).plus_millis(i64::try_from(Uuid::new_v4().as_u128() % 100_000_000_000)?);
    let new = NewExam::new("Brevet blanc", begins_at, begins_at.plus_millis(3_600_000), now)?;
    let added = exam::add(tx, &new, &[Some(site)], "test", now).await?;
    Ok(added.first().context("an exam that is new")?.0)
}

/// The code of a site that is not there yet.
fn free_uai() -> String {
    uai_code(97, u32::try_from(Uuid::new_v4().as_u128() % 9_000).unwrap_or_default())
}

async fn referent(tx: &mut Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let id = Uuid::new_v4();
    let email = format!("{}@college.example", id.simple());
    let new = Referent { id, site, name: "Anne".into(), email, language: Language::French, created_at: now };
    site_referent::add(tx, &new).await?;
    Ok(id)
}

/// A message about the loan that was sent.
async fn message(tx: &mut Tx, loan: Uuid, site: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let (today, person) = (paris::date(now), Recipient::person(Uuid::new_v4()));
    let reason = Reason::HandedOver { loan };
    notice::add(
        tx,
        &NewNotice { recipient: person, site: Some(site), reason, not_before: today, not_after: today },
        now,
    )
    .await?;
    // The matrix leaves thousands waiting: read from just before this one on.
    let before = Recipient::person(Uuid::from_u128(person.id.as_u128().saturating_sub(1)));
    let waiting = message::waiting(tx, Some(before), today).await?;
    let mine: Vec<Waiting> = waiting.into_iter().filter(|one| one.recipient == person).collect();
    message::group(tx, &mine, "test.example", now).await?;
    // Others may be due too: those that an actor of the matrix let leave again.
    for due in message::due(tx, None, now).await? {
        let attempt = message_attempt::begin(tx, due.id, today, now).await?;
        if attempt.is_some_and(|attempt| attempt.recipient == person) {
            message_attempt::finish(tx, due.id, Outcome::Sent { error: None }, now).await?;
            return Ok(due.id);
        }
    }
    anyhow::bail!("the message was not due")
}

/// An order that is being inspected, with a photograph; and a part in stock.
async fn workshop(mut tx: Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<(Tx, Uuid, Uuid, Uuid)> {
    let device = device(&mut tx, site, now).await?;
    let (scope, policy) = (Scope::Everything, Policy::default());
    let mut bench = Bench::within(tx, Clerk { actor: "test", token: None, scope: &scope, policy: &policy, now });
    let (order, _) = bench.take_in(device).await?;
    bench.take(order.id, Move::Begin).await?;
    let picture = NewPhoto { width: 1, height: 1, jpeg: vec![0xff, 0xd8] };
    let photo = bench.add_photo(order.id, Uuid::now_v7(), &picture).await?;
    let part = Uuid::now_v7();
    part::insert(bench.tx(), part, &NewPart::new(PartKind::Battery, "", 100, 1)?, None, now).await?;
    Ok((bench.close().await?, order.id, photo, part))
}

async fn device(tx: &mut Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<DeviceId> {
    let id = DeviceId(Uuid::new_v4());
    let new = NewDevice {
        id,
        status: DeviceStatus::Active,
        hardware: serde_json::from_value(json!({ "serial_number": "SECRET-SERIAL" }))?,
        asset_tag: None,
        programme: None,
        site: Some(site),
        enrolled_at: Some(now),
    };
    device::insert(tx, &new, now).await?;
    Ok(id)
}

/// The drive of a device: each device has another.
fn secret_drive(device: DeviceId) -> String {
    format!("SECRET-DRIVE-{}", device.0.simple())
}

/// An erasure that waits for its witness, and a file of another.
async fn erased(tx: &mut Tx, id: DeviceId, now: UtcMillis) -> anyhow::Result<(Uuid, Uuid)> {
    let found = device::find(tx, &Scope::Everything, id).await?.context("the device")?;
    let policy = Policy::default();
    let by = By { login: "test", now, policy: &policy };
    let typed = ByHand {
        drive: secret_drive(id),
        model: String::new(),
        method: Method::Destruction,
        with: "x".into(),
        on: paris::date(now),
    };
    let (erasure, _) = erasure_entry::enter_by_hand(tx, &found, &typed.read(now)?, by).await?;
    let text = nvme_sanitized(&secret_drive(id), now);
    let files = [File { name: "x.txt", bytes: text.as_bytes() }];
    let readings = evidence::read(&files, BenchClock::Utc, now)?;
    erasure_entry::enter_files(tx, &found, &readings, &files, Strangers::Taken, by).await?;
    let brought = erasure::of_device(tx, id).await?.into_iter().find(|one| one.id != erasure).context("its record")?;
    let other = By { login: "test-2", ..by };
    erasure_entry::witness(tx, &found, brought.id, other).await?;
    let files = erasure_file::of_device(tx, id).await?;
    Ok((erasure, files.first().context("its file")?.id))
}

fn good(at: UtcMillis) -> Return {
    Return { at, condition: Condition::Good, missing: vec![] }
}

/// A campaign that runs, and expects the loan.
async fn campaign(tx: &mut Tx, (site, programme): (Uuid, Uuid), now: UtcMillis) -> anyhow::Result<Uuid> {
    let (id, today) = (Uuid::now_v7(), paris::date(now));
    let running = Campaign {
        id,
        name: "Juin".into(),
        state: CampaignState::Planned,
        // Of this trial's programme alone: each trial adds a loan to the site, and letters are a page for each.
        choice: Choice { programmes: vec![programme], sites: vec![site], ..Choice::default() },
        first: today,
        last: today.checked_add(jiff::ToSpan::days(60))?,
        desks: Desks { desks: 1, slots: 10 },
        created_by: "test".into(),
        created_at: now,
    };
    campaign::insert(tx, &running).await?;
    campaign::start(tx, id, &Policy::default(), now).await?;
    Ok(id)
}

async fn need(tx: &mut Tx, site: Uuid, programme: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let id = Uuid::new_v4();
    let (reasons, level) = (Reasons::default(), Some(Level::Cinquieme));
    let asked = Need { id, site, programme, level, reasons, borrower: None, entered_at: now };
    need::insert(tx, &asked, "test").await?;
    Ok(id)
}
