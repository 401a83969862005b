//! Programmes, borrowers, referents and loans in a test's database, through the store's own functions.

use cartable_common::{DeviceId, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        borrower::{Borrower, BorrowerKind, Guardian, Identity, Reference},
        device::DeviceStatus,
        loan::{Condition, HandedOver, Loan, LoanState, LoanStateName, Return},
        paris,
        programme::{DEFAULT_NOTICE_DAYS, Programme, ProgrammeKind, Term},
        school_calendar::Zone,
        scope::Scope,
    },
    store::{
        Store, borrower,
        device::{self, NewDevice},
        loan::{self, Event},
        programme,
        site::{self, NewSite},
    },
    vault::Vault,
};
use jiff::civil::Date;
use serde_json::Value;
use uuid::Uuid;

use crate::{raw::Raw, simulator::site::uai_code};

/// A database with one site, one programme, and whoever is added.
#[derive(Debug)]
pub struct Lent<'a> {
    store: &'a Store,
    url: &'a str,
    vault: Vault,
    /// The site, in zone A.
    pub site: Uuid,
    /// The programme.
    pub programme: Programme,
}

impl<'a> Lent<'a> {
    /// Adds the site and the programme.
    pub async fn new(store: &'a Store, url: &'a str, vault: &Vault, now: UtcMillis) -> anyhow::Result<Self> {
        let programme = Programme {
            id: Uuid::now_v7(),
            code: "D5".parse()?,
            name: "Prêt".into(),
            kind: ProgrammeKind::IndividualLoan,
            term: Term::SchoolYearEnd,
            renewals_allowed: 2,
            accessories: vec!["chargeur".into()],
            owner: "Département".into(),
            agreement_template: "loan".into(),
            membership: vec![],
            notice_days: DEFAULT_NOTICE_DAYS.to_vec(),
            open: true,
        };
        let uai = uai_code(69, 7).parse().map_err(|error| anyhow::anyhow!("{error}"))?;
        let new = NewSite { uai, name: "Collège des Saules".into(), commune: "Lyon".into(), zone: Zone::A };
        let mut tx = store.write().await?;
        let site = site::put(&mut tx, &new, now).await?;
        programme::put(&mut tx, &programme, now).await?;
        tx.commit().await?;
        Ok(Self { store, url, vault: vault.clone(), site, programme })
    }

    /// A person whose parents have these addresses.
    pub async fn family(&self, number: u8, emails: &[&str], now: UtcMillis) -> anyhow::Result<Uuid> {
        let id = self.borrower(number, BorrowerKind::Person, now).await?;
        let guardian = |email: &&str| Guardian { name: "Parent".into(), email: Some((*email).to_owned()), phone: None };
        let identity = Identity {
            name: "Inès Martin".into(),
            guardians: emails.iter().map(guardian).collect(),
            ..Identity::default()
        };
        let sealed = self.vault.seal_identity(id, &identity)?;
        let mut tx = self.store.write().await?;
        borrower::put_identity(&mut tx, id, &sealed, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A borrower of whom nothing is known.
    pub async fn borrower(&self, number: u8, kind: BorrowerKind, now: UtcMillis) -> anyhow::Result<Uuid> {
        let institution_name = (kind == BorrowerKind::Institution).then(|| "Collège des Saules".to_owned());
        let new = Borrower {
            id: Uuid::now_v7(),
            reference: Reference::from_random([number; 8]),
            kind,
            institution_name,
            site: Some(self.site),
            level: None,
            left_site_day: None,
            created_at: now,
            identity_erased_at: None,
        };
        let mut tx = self.store.write().await?;
        borrower::insert(&mut tx, &new, None).await?;
        tx.commit().await?;
        Ok(new.id)
    }

    /// Somebody who answers for the site.
    pub async fn referent(&self, email: &str) -> anyhow::Result<Uuid> {
        let (id, mut raw) = (Uuid::now_v7(), Raw::connect(self.url).await?);
        let sql = format!(
            "INSERT INTO site_referent (id, site_id, name, email, language, created_at) \
             VALUES ({}, {}, 'Marie Curie', '{email}', 'fr', 0)",
            raw.uuid(id),
            raw.uuid(self.site)
        );
        raw.execute(&sql).await?;
        Ok(id)
    }

    /// A device, labelled `PC-number`, that is handed over at `at` and due on `due`.
    pub async fn lend(&self, number: u32, borrower: Uuid, due: Date, at: UtcMillis) -> anyhow::Result<Loan> {
        let device = DeviceId(Uuid::new_v4());
        let new = NewDevice {
            id: device,
            status: DeviceStatus::Active,
            hardware: Hardware::default(),
            asset_tag: Some(format!("PC-{number:04}")),
            programme: Some("D5".into()),
            site: Some(self.site),
            enrolled_at: Some(at),
        };
        let loan = Loan {
            id: Uuid::now_v7(),
            device,
            borrower,
            programme: self.programme.id,
            site: Some(self.site),
            reserved_at: at,
            state: LoanState::Reserved,
        };
        let handed = HandedOver {
            at,
            due: Some(due),
            extensions: 0,
            accessories: vec![],
            signature: None,
            agreement_version: None,
        };
        let mut tx = self.store.write().await?;
        device::insert(&mut tx, &new, at).await?;
        loan::reserve(&mut tx, &loan, "test", at).await?;
        let loan = loan.hand_over(handed, paris::date(at))?;
        let step = Event { kind: LoanStateName::HandedOver.as_str(), actor: "test", details: Value::Null };
        loan::save(&mut tx, &loan, step, at).await?;
        tx.commit().await?;
        Ok(loan)
    }

    /// Takes a device back at `at`.
    pub async fn take_back(&self, loan: &Loan, at: UtcMillis) -> anyhow::Result<()> {
        let mut tx = self.store.write().await?;
        let found = loan::find_for_update(&mut tx, &Scope::Everything, loan.id).await?;
        let found = found.ok_or_else(|| anyhow::anyhow!("the loan is gone"))?;
        let loan = found.take_back(Return { at, condition: Condition::Good, missing: vec![] })?;
        let step = Event { kind: LoanStateName::Returned.as_str(), actor: "test", details: Value::Null };
        loan::save(&mut tx, &loan, step, at).await?;
        tx.commit().await?;
        Ok(())
    }
}
