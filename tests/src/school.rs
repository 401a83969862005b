//! A programme with devices in borrowers' hands, as a desk meets them: for tests of lending.

use cartable_common::{DeviceId, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        borrower::{Borrower, BorrowerKind, Level, Reference},
        device::DeviceStatus,
        policy::Policy,
        programme::{Programme, ProgrammeKind, Term},
        school_calendar::Zone,
        scope::Scope,
    },
    store::{
        Store, Tx, borrower,
        device::{self, NewDevice},
        lending::{Clerk, Handing, Lending, Wish},
        programme,
        site::{self, NewSite},
    },
};
use uuid::Uuid;

use crate::simulator::site::uai_code;

/// What goes with each device.
pub const ACCESSORIES: [&str; 2] = ["chargeur", "sacoche"];

/// One site with its programme and its borrowers.
#[derive(Clone, Debug)]
pub struct School {
    /// The site.
    pub site: Uuid,
    /// The programme.
    pub programme: Uuid,
    /// Its borrowers.
    pub borrowers: Vec<Borrower>,
}

impl School {
    /// Makes the `number`th site with a programme of its own, seen by referents, and that many borrowers.
    pub async fn found(store: &Store, number: u32, borrowers: usize, now: UtcMillis) -> anyhow::Result<Self> {
        let mut tx = store.write().await?;
        let new = NewSite {
            uai: uai_code(96, number).parse().map_err(|error| anyhow::anyhow!("{error}"))?,
            name: format!("Collège {number}"),
            commune: "Valmarin".to_owned(),
            zone: Zone::B,
        };
        let site = site::put(&mut tx, &new, now).await?;
        let programme = Programme {
            id: Uuid::new_v4(),
            code: format!("D{number}").parse()?,
            name: "Prêt individuel".into(),
            kind: ProgrammeKind::IndividualLoan,
            term: Term::SchoolYearEnd,
            renewals_allowed: 2,
            accessories: ACCESSORIES.map(str::to_owned).to_vec(),
            owner: "Département".into(),
            agreement_template: "agreement".into(),
            membership: vec![cartable_server::auth::Role::Referent],
            notice_days: vec![],
            open: true,
        };
        programme::put(&mut tx, &programme, now).await?;
        let mut made = Vec::new();
        for _ in 0..borrowers {
            made.push(borrower(&mut tx, site, now).await?);
        }
        tx.commit().await?;
        Ok(Self { site, programme: programme.id, borrowers: made })
    }

    /// Records devices in stock whose labels are `labels`.
    pub async fn stock(&self, store: &Store, labels: &[String], now: UtcMillis) -> anyhow::Result<Vec<DeviceId>> {
        let mut tx = store.write().await?;
        let mut made = Vec::new();
        for label in labels {
            let id = DeviceId(Uuid::new_v4());
            let new = NewDevice {
                id,
                status: DeviceStatus::Active,
                hardware: Hardware {
                    serial_number: cartable_common::SerialNumber::parse(&format!("SN{label}")).into(),
                    model: cartable_common::Text::meaningful("ThinkPad L13"),
                    ..Hardware::default()
                },
                asset_tag: Some(label.clone()),
                programme: None,
                site: Some(self.site),
                enrolled_at: Some(now),
            };
            device::insert(&mut tx, &new, now).await?;
            made.push(id);
        }
        tx.commit().await?;
        Ok(made)
    }

    /// Hands devices over to the borrowers in turn.
    pub async fn lend(&self, store: &Store, devices: &[DeviceId], now: UtcMillis) -> anyhow::Result<()> {
        let (scope, policy) = (Scope::Everything, Policy::default());
        let clerk = Clerk { actor: "test", token: None, scope: &scope, policy: &policy, now };
        let mut lending = Lending::begin(store, clerk).await?;
        for (device, borrower) in devices.iter().zip(self.borrowers.iter().cycle()) {
            let wish = Wish { device: *device, borrower: borrower.id, programme: self.programme };
            let handing = Handing { accessories: ACCESSORIES.map(str::to_owned).to_vec(), ..Handing::default() };
            lending.lend(wish, handing).await?;
        }
        Ok(lending.commit().await?)
    }
}

/// Labels `CD-0001` and so on.
#[must_use]
pub fn labels(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("CD-{number:04}")).collect()
}

async fn borrower(tx: &mut Tx, site: Uuid, now: UtcMillis) -> anyhow::Result<Borrower> {
    let id = Uuid::new_v4();
    let mut random = [0; 8];
    random.copy_from_slice(&id.as_bytes()[..8]);
    let made = Borrower {
        id,
        reference: Reference::from_random(random),
        kind: BorrowerKind::Person,
        institution_name: None,
        site: Some(site),
        level: Some(Level::Cinquieme),
        left_site_day: None,
        created_at: now,
        identity_erased_at: None,
    };
    borrower::insert(tx, &made, None).await?;
    Ok(made)
}
