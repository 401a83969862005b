//! The programmes, collèges, borrowers and devices with which the simulated year begins.

use cartable_common::{DeviceId, EnrolmentId, report::Hardware};
use cartable_server::{
    domain::{
        device::DeviceStatus,
        enrolment::EnrolmentStatus,
        language::Language,
        programme::{DEFAULT_NOTICE_DAYS, Programme, ProgrammeKind, Term},
        school_calendar::Zone,
    },
    store::{
        Store, Tx, borrower,
        device::{self, NewDevice},
        enrolment::{self, NewEnrolment},
        lending_bulk, programme,
        site::{self, NewSite},
        site_referent::{self, Referent},
    },
};
use jiff::civil::{Date, date};
use uuid::Uuid;

use super::{
    fate::{Fate, LEFT, WARRANTY},
    morning,
};
use crate::{
    fleet::Enrolled,
    lending::{individual, pupil},
    simulator::site::uai_code,
};

/// When the devices were delivered.
const DELIVERY: Date = date(2026, 8, 24);
/// Devices of one collège.
const OF_A_SITE: usize = 170;

/// A device with what is done to it.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) fate: Fate,
    /// Its asset tag.
    pub(super) name: String,
    pub(super) enrolled: Enrolled,
    pub(super) borrower: Uuid,
    pub(super) programme: Uuid,
    /// The collège.
    pub(super) site: Uuid,
    /// Its loan, once there is one.
    pub(super) loan: Uuid,
    /// Reports that it has sent.
    pub(super) reports: u64,
}

/// Records everything that is there in August.
pub(super) async fn stock(store: &Store, devices: usize) -> anyhow::Result<Vec<Unit>> {
    let mut tx = store.write().await?;
    let mut sites = vec![];
    for number in 0..devices.div_ceil(OF_A_SITE) {
        let zone = Zone::ALL[number % Zone::ALL.len()];
        let new = NewSite {
            uai: uai_code(96, u32::try_from(number)?).parse().map_err(|error| anyhow::anyhow!("{error}"))?,
            name: format!("Collège {number}"),
            commune: "Valmarin".to_owned(),
            zone,
        };
        let site = site::put(&mut tx, &new, morning(DELIVERY)).await?;
        let referent = Referent {
            id: Uuid::now_v7(),
            site,
            name: format!("Référent {number}"),
            email: format!("referent-{number}@college.example"),
            language: Language::French,
            created_at: morning(DELIVERY),
        };
        site_referent::add(&mut tx, &referent).await?;
        sites.push(site);
    }
    let pupils = programme(&mut tx, "D2", ProgrammeKind::IndividualLoan, Term::SchoolYearEnd).await?;
    let teachers = programme(&mut tx, "D4", ProgrammeKind::StaffLoan, Term::Days(1_460)).await?;
    let gifts = programme(&mut tx, "D7", ProgrammeKind::Gift, Term::Open).await?;
    let mut units = vec![];
    for number in 0..devices {
        let fate = Fate::of(number);
        let programme = match fate {
            Fate::Staff => &teachers,
            Fate::Given | Fate::GivenHeard => &gifts,
            _ => &pupils,
        };
        units.push(unit(&mut tx, number, fate, programme, sites[number / OF_A_SITE]).await?);
    }
    let of =
        |wanted: fn(Fate) -> bool| units.iter().filter(move |unit| wanted(unit.fate)).map(|unit| unit.enrolled.device);
    lending_bulk::expect_no_contact(&mut tx, of(|fate| !fate.has_agent())).await?;
    let warranties = of(|fate| fate == Fate::Warranty).map(|id| (id, WARRANTY));
    lending_bulk::set_warranties(&mut tx, warranties).await?;
    tx.commit().await?;
    Ok(units)
}

async fn programme(tx: &mut Tx, code: &str, kind: ProgrammeKind, term: Term) -> anyhow::Result<Programme> {
    let made = Programme {
        name: code.to_owned(),
        kind,
        term,
        renewals_allowed: 3,
        notice_days: DEFAULT_NOTICE_DAYS.to_vec(),
        ..individual(code)?
    };
    programme::put(tx, &made, morning(DELIVERY)).await?;
    Ok(made)
}

async fn unit(tx: &mut Tx, number: usize, fate: Fate, programme: &Programme, site: Uuid) -> anyhow::Result<Unit> {
    let now = morning(DELIVERY);
    let enrolled = Enrolled { device: DeviceId(Uuid::now_v7()), enrolment: EnrolmentId(Uuid::now_v7()) };
    let name = format!("{fate:?}-{number}");
    let new = NewDevice {
        id: enrolled.device,
        status: DeviceStatus::Active,
        hardware: Hardware::default(),
        asset_tag: Some(name.clone()),
        programme: Some(programme.code.as_str().to_owned()),
        site: Some(site),
        enrolled_at: fate.has_agent().then_some(now),
    };
    device::insert(tx, &new, now).await?;
    if fate.has_agent() {
        let mut key = [0; 32];
        key[..16].copy_from_slice(enrolled.enrolment.0.as_bytes());
        let new = NewEnrolment {
            id: enrolled.enrolment,
            device: enrolled.device,
            request: Uuid::now_v7(),
            key: &key,
            token: None,
            status: EnrolmentStatus::Active,
        };
        enrolment::insert(tx, &new, now).await?;
    }
    let mut borrower = pupil(Some(site), now);
    if fate == Fate::Left {
        borrower.left_site_day = Some(morning(LEFT).day_number());
    }
    borrower::insert(tx, &borrower, None).await?;
    Ok(Unit {
        fate,
        name,
        enrolled,
        borrower: borrower.id,
        programme: programme.id,
        site,
        loan: Uuid::nil(),
        reports: 0,
    })
}
