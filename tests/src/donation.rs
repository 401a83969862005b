//! Donations for tests: devices whose drives were erased, a recipient that promised and proved, a lot that only needs a
//! second person.

use anyhow::Context as _;
use cartable_common::{DeviceId, UtcMillis, report::Chassis};
use cartable_server::{
    auth::{Person, Role, account},
    domain::{
        device::DeviceStatus,
        document::{DocumentKind, DocumentNumber},
        donation::{Cents, Deliberation, Estimation, Recipient, RecipientClass, Terms, Valuation, basis::LegalBasis},
        erasure::{Method, hand::ByHand},
        loan::LendingState,
        paris,
        policy::Policy,
        scope::Scope,
    },
    store::{
        Store, Tx,
        device::{self, NewDevice},
        document::Subject,
        donation_approval,
        donation_delivery::{self, HandOver},
        donation_line::{self, Valued},
        donation_lot::{self, LotError, LotRefused},
        donation_recipient,
        erasure_entry::{self, By},
        lending::Clerk,
        loan,
    },
};
use jiff::civil::date;
use serde_json::json;
use uuid::Uuid;

use crate::lending::recorded;

/// Who puts lots together, and who approves them.
#[derive(Clone, Debug)]
pub struct People {
    /// Puts them together.
    pub bruno: Uuid,
    /// Approves them.
    pub anne: Uuid,
    /// The rules.
    pub policy: Policy,
}

/// Both of them, in a fresh store.
pub async fn people(store: &Store, now: UtcMillis) -> anyhow::Result<People> {
    let (bruno, anne) = (person(store, "bruno", now).await?, person(store, "anne", now).await?);
    Ok(People { bruno, anne, policy: Policy::default() })
}

async fn person(store: &Store, login: &str, now: UtcMillis) -> anyhow::Result<Uuid> {
    let id = Uuid::new_v4();
    let who = Person {
        id,
        login: login.parse()?,
        display_name: login.to_owned(),
        role: Role::ProgrammeManager,
        scope: Scope::Everything,
        language: None,
    };
    account::create(store, "test", who, "correct-cheval-pile-agrafe", now).await?;
    Ok(id)
}

impl People {
    /// The one with that login, as the store's clerk at `now`.
    pub fn clerk<'a>(&'a self, actor: &'a str, now: UtcMillis) -> Clerk<'a> {
        Clerk { actor, token: None, scope: &Scope::Everything, policy: &self.policy, now }
    }
}

/// Each of these in a unit of work of its own.
impl People {
    /// A laptop whose one drive, `SERIAL-DISK`, was purged.
    pub async fn ready(&self, store: &Store, serial: &str, now: UtcMillis) -> anyhow::Result<DeviceId> {
        let mut tx = store.write().await?;
        let id = laptop(&mut tx, serial, now.plus_days(-2)).await?;
        let drive = format!("{serial}-DISK");
        erased(&mut tx, id, (&drive, Method::NvmeSanitizeCrypto), &self.policy, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A draft of these devices in which nothing is missing, if nothing is of them.
    pub async fn draft(&self, store: &Store, devices: &[DeviceId], now: UtcMillis) -> anyhow::Result<Uuid> {
        let mut tx = store.write().await?;
        let id = lot(&mut tx, self, devices, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Anne approves it.
    pub async fn approve(&self, store: &Store, lot: Uuid, now: UtcMillis) -> Result<(), LotError> {
        let mut tx = store.write().await?;
        donation_approval::approve(&mut tx, lot, self.anne, self.clerk("anne", now)).await?;
        Ok(tx.commit().await?)
    }

    /// Its deed is printed.
    pub async fn print(&self, store: &Store, lot: Uuid, now: UtcMillis) -> anyhow::Result<DocumentNumber> {
        let mut tx = store.write().await?;
        let number = deed(&mut tx, lot, now).await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Bruno records its hand-over, of the day of `now`.
    pub async fn deliver(
        &self,
        store: &Store,
        lot: Uuid,
        deed: DocumentNumber,
        now: UtcMillis,
    ) -> Result<usize, LotError> {
        let mut tx = store.write().await?;
        let hand_over = HandOver { day: paris::date(now), deed };
        let given = donation_delivery::deliver(&mut tx, lot, self.bruno, hand_over, self.clerk("bruno", now)).await?;
        tx.commit().await?;
        Ok(given)
    }

    /// All of it: these devices are somebody else's.
    pub async fn give(&self, store: &Store, devices: &[DeviceId], now: UtcMillis) -> anyhow::Result<()> {
        let lot = self.draft(store, devices, now).await?;
        self.approve(store, lot, now).await?;
        let deed = self.print(store, lot, now).await?;
        self.deliver(store, lot, deed, now).await?;
        Ok(())
    }
}

/// Records a laptop in stock that no agent ever reported from.
pub async fn laptop(tx: &mut Tx, serial: &str, now: UtcMillis) -> anyhow::Result<DeviceId> {
    let id = DeviceId(Uuid::now_v7());
    let hardware =
        json!({ "serial_number": serial, "manufacturer": "Lenovo", "model": "L13", "chassis": Chassis::Laptop });
    let new = NewDevice {
        id,
        status: DeviceStatus::Active,
        hardware: serde_json::from_value(hardware)?,
        asset_tag: None,
        programme: None,
        site: None,
        enrolled_at: None,
    };
    device::insert(tx, &new, now).await?;
    Ok(id)
}

/// Records that the drive of a device was purged on the day before `now`, by hand, and confirmed by another person; gives
/// the record.
pub async fn erased(
    tx: &mut Tx,
    device: DeviceId,
    (drive, method): (&str, Method),
    policy: &Policy,
    now: UtcMillis,
) -> anyhow::Result<Uuid> {
    let row = device::find(tx, &Scope::Everything, device).await?.ok_or_else(|| anyhow::anyhow!("no device"))?;
    let entry = ByHand {
        drive: drive.to_owned(),
        model: String::new(),
        method,
        with: "atelier".to_owned(),
        on: paris::date(now.plus_days(-1)),
    };
    let (id, _) = erasure_entry::enter_by_hand(tx, &row, &entry.read(now)?, By { login: "bruno", now, policy }).await?;
    erasure_entry::witness(tx, &row, id, By { login: "anne", now, policy }).await?;
    Ok(id)
}

/// Records a recipient of that class, with its commitment and its proof.
pub async fn recipient(tx: &mut Tx, class: RecipientClass, now: UtcMillis) -> anyhow::Result<Uuid> {
    let made = Recipient {
        id: Uuid::now_v7(),
        name: "Emmaüs Connect".to_owned(),
        class,
        legal_form: "association loi 1901".to_owned(),
        registration: None,
        commitments: Some("réemploi, sans revente".to_owned()),
        proof: Some("convention du 2 septembre 2026".to_owned()),
        created_at: now,
        ended_at: None,
    };
    donation_recipient::insert(tx, &made, "bruno").await?;
    Ok(made.id)
}

/// Terms under which nothing is missing.
pub fn terms(recipient: Uuid, basis: LegalBasis) -> Terms {
    let deliberation = Deliberation { number: "CD-2026-118".to_owned(), day: date(2026, 10, 16) };
    Terms {
        recipient: Some(recipient),
        basis: Some(basis),
        deliberation: basis.needs_deliberation().then_some(deliberation),
    }
}

/// A value of that many euros.
pub fn worth(euros: u32) -> Valuation {
    Valuation {
        value: Cents::of_euros(euros),
        estimation: Estimation::Market,
        note: "trois annonces de novembre 2026".to_owned(),
    }
}

/// A lot of these devices that Bruno put together and that only needs Anne: a reuse body, 85 € for each.
pub async fn lot(tx: &mut Tx, who: &People, devices: &[DeviceId], now: UtcMillis) -> anyhow::Result<Uuid> {
    let to = recipient(tx, RecipientClass::ReuseBody, now).await?;
    let id = donation_lot::create(tx, "Lot 1", &terms(to, LegalBasis::Associations), who.bruno, now).await?;
    donation_line::add(tx, id, devices, who.bruno, now).await?;
    donation_line::value(tx, id, (Valued::AllWithout, &worth(85)), (who.bruno, "bruno"), now).await?;
    Ok(id)
}

/// Records a deed of the lot, as if it had been printed.
pub async fn deed(tx: &mut Tx, lot: Uuid, now: UtcMillis) -> anyhow::Result<DocumentNumber> {
    recorded(tx, DocumentKind::DonationDeed, Subject::Lot(lot), now).await
}

/// Where a device is.
pub async fn place(store: &Store, device: DeviceId) -> anyhow::Result<LendingState> {
    let mut tx = store.read().await?;
    loan::lending_state(&mut tx, device).await?.context("a device")
}

/// Why it was refused; an error if it was done.
pub fn refusal<T>(done: Result<T, LotError>) -> anyhow::Result<LotRefused> {
    match done {
        Err(LotError::Refused(refused)) => Ok(refused),
        Err(LotError::Store(error)) => Err(error.into()),
        Ok(_) => anyhow::bail!("it was done"),
    }
}
