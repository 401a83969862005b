//! What agents ask and answer: a token, a machine that waits, a recovery, an order with its log, a flag, a release.

use anyhow::Context as _;
use cartable_common::{
    ActionId, AgentVersion, DeviceId, EnrolmentId, Text, UtcMillis,
    action::{ActionOutcome, ActionResult, LogLine},
    report::Hardware,
};
use cartable_server::{
    domain::{
        approval::WaitsFor,
        device_action::{Kind as ActionKind, Order},
        enrolment::EnrolmentStatus,
        enrolment_token::{TokenTerms, TokenText},
        flag::{Evidence, Finding, FlagCode, Severity},
        paris,
        policy::Policy,
        recovery::Cause,
        scope::Scope,
        update::PackageKind,
    },
    store::{
        Tx,
        agent_package::{self, Package},
        device_action::{self, Ordered},
        enrolment::{self, NewEnrolment},
        enrolment_token, flag, judgement,
        lending::Clerk,
        newcomer::{self, NewNewcomer},
        recovery,
    },
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub(super) async fn token(tx: &mut Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let terms = TokenTerms::new("6e A", None, 1, 24, now)?;
    let mut random = [0; 17];
    random[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    Ok(enrolment_token::create(tx, &TokenText::from_random(random), &terms, site, "test", now).await?)
}

/// An enrolment that waits for a person.
pub(super) async fn waiting(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> anyhow::Result<EnrolmentId> {
    let (id, request) = (EnrolmentId(Uuid::now_v7()), Uuid::new_v4());
    let mut key = [0; 32];
    key[..16].copy_from_slice(request.as_bytes());
    let status = EnrolmentStatus::Pending;
    let new = NewEnrolment { id, device, request, key: &key, token: None, status };
    enrolment::insert(tx, &new, now).await?;
    Ok(id)
}

/// The enrolment of an agent that speaks for the device.
pub(super) async fn speaking(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> anyhow::Result<EnrolmentId> {
    let (id, request) = (EnrolmentId(Uuid::now_v7()), Uuid::new_v4());
    let mut key = [1; 32];
    key[..16].copy_from_slice(request.as_bytes());
    let status = EnrolmentStatus::Active;
    enrolment::insert(tx, &NewEnrolment { id, device, request, key: &key, token: None, status }, now).await?;
    Ok(id)
}

/// A machine that nobody knows, and that waits for a person.
pub(super) async fn newcomer(tx: &mut Tx, token: Uuid, now: UtcMillis) -> anyhow::Result<Uuid> {
    let request = Uuid::new_v4();
    let mut key = [1; 32];
    key[..16].copy_from_slice(request.as_bytes());
    let hardware = Hardware::default();
    let waits_for = WaitsFor::UnlistedSerial;
    let new = NewNewcomer { request, key: &key, token, waits_for, hardware: &hardware, listed_as: None };
    Ok(newcomer::insert(tx, &new, now).await?)
}

/// A recovery that waits for a person.
pub(super) async fn recovering(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> anyhow::Result<Uuid> {
    let id = speaking(tx, device, now).await?;
    recovery::wait(tx, (id, device), Cause::TooLong, now).await?;
    let waiting = recovery::waiting(tx, &Scope::Everything).await?;
    Ok(waiting.iter().find(|one| one.enrolment == id).context("the recovery that waits")?.id)
}

/// An order to the device's agent that it answered with its log.
pub(super) async fn answered(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> anyhow::Result<Uuid> {
    let order = Order::new(ActionKind::SendLog, None, None, paris::date(now))?;
    let policy = Policy::default();
    let by = Clerk { actor: "test", token: None, scope: &Scope::Everything, policy: &policy, now };
    let Ordered::Given(id) = device_action::order(tx, device, &order, by).await? else {
        anyhow::bail!("the order is not given");
    };
    let rows = device_action::of_device(tx, device).await?;
    let enrolment = rows.first().context("the order")?.enrolment;
    let line = LogLine { words: Text::clean("started"), ..LogLine::default() };
    let result = ActionResult { log: vec![line], ..ActionResult::plain(ActionId(id), ActionOutcome::Done) };
    device_action::answer(tx, enrolment, &[result], now).await?;
    Ok(id)
}

pub(super) async fn flagged(tx: &mut Tx, device: DeviceId, now: UtcMillis) -> anyhow::Result<Uuid> {
    let evidence: Evidence = serde_json::from_value(json!({
        "value": "1", "threshold": null, "source": "x", "evidence_at": null, "sentence_fr": "x", "sentence_en": "x"
    }))?;
    let (code, severity) = (FlagCode::BatteryWorn, Severity::Warning);
    judgement::apply(tx, device, vec![Finding { code, subject: String::new(), severity, evidence }], now).await?;
    Ok(flag::open_of_device(tx, &Scope::Everything, device).await?.remove(0).id)
}

/// A release of the agent that can be offered.
pub(super) async fn release(tx: &mut Tx, now: UtcMillis) -> anyhow::Result<String> {
    let unique = Uuid::new_v4();
    let release = AgentVersion::new(9, u32::try_from(unique.as_u128() % 1_000_000_000)?, 0);
    let package = Package {
        sha256: Sha256::digest(unique.as_bytes()).into(),
        kind: PackageKind::Msi,
        release,
        version: release.to_string(),
        architecture: "x64".to_owned(),
        from: AgentVersion::new(0, 1, 0),
        control: String::new(),
        bytes: 1,
    };
    anyhow::ensure!(agent_package::add(tx, &package, b"x", now).await?, "a release that is new");
    Ok(release.to_string())
}
