//! What a demonstration gives away: a lot to a body of reuse and one to families through a collège, both in preparation,
//! with what is still missing for each unit.

use anyhow::Context as _;
use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        authority::Role,
        donation::{Cents, Estimation, Recipient, RecipientClass, Terms, Valuation, basis::LegalBasis},
        loan::LendingState,
    },
    store::{
        Store, Tx,
        donation_line::{self, Valued},
        donation_lot, donation_recipient, loan, person,
    },
};
use uuid::Uuid;

/// Most units of the larger lot.
const MOST: usize = 6;

/// Writes recipients and lots of the devices that the workshop set aside; the second lot is of what lies in intake. Nobody
/// gives anything away where nobody may sign in to prepare it.
pub async fn write(store: &Store, devices: impl Iterator<Item = DeviceId>, epoch: UtcMillis) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let people = person::list(&mut tx).await?;
    let preparer = people.iter().map(|account| &account.person).find(|person| person.role == Role::Refurbisher);
    let Some(preparer) = preparer else { return Ok(()) };
    let (mut aside, mut waiting) = (vec![], vec![]);
    for id in devices {
        match loan::lending_state(&mut tx, id).await? {
            Some(LendingState::SetAside) => aside.push(id),
            Some(LendingState::Intake) => waiting.push(id),
            _ => {}
        }
    }
    aside.truncate(MOST);
    waiting.truncate(MOST / 2);
    let began = epoch.plus_days(-2);
    let by = (preparer.id, preparer.login.as_str());
    let connect =
        recipient(&mut tx, ("Emmaüs Connect", RecipientClass::ReuseBody, "association loi 1901"), began).await?;
    let to_connect = lot(&mut tx, ("Emmaüs Connect, printemps", connect, LegalBasis::Associations), &aside, by, began);
    let to_connect = to_connect.await?;
    if !aside.is_empty() {
        let value = Valuation {
            value: Cents::of_euros(95),
            estimation: Estimation::Market,
            note: "trois annonces du mois".to_owned(),
        };
        donation_line::value(&mut tx, to_connect, (Valued::AllWithout, &value), by, began).await?;
    }
    let school =
        ("Collège Jean-Moulin", RecipientClass::CollegeForFamilies, "établissement public local d’enseignement");
    let school = recipient(&mut tx, school, began).await?;
    let families = ("Familles du collège Jean-Moulin", school, LegalBasis::FamiliesByDeliberation);
    lot(&mut tx, families, &waiting, by, began).await?;
    Ok(tx.commit().await?)
}

async fn recipient(
    tx: &mut Tx,
    (name, class, legal_form): (&str, RecipientClass, &str),
    now: UtcMillis,
) -> anyhow::Result<Uuid> {
    let made = Recipient {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        class,
        legal_form: legal_form.to_owned(),
        registration: None,
        commitments: Some("réemploi, sans revente".to_owned()),
        proof: Some("convention de la rentrée".to_owned()),
        created_at: now,
        ended_at: None,
    };
    donation_recipient::insert(tx, &made, "cargo demo").await?;
    Ok(made.id)
}

async fn lot(
    tx: &mut Tx,
    (name, recipient, basis): (&str, Uuid, LegalBasis),
    devices: &[DeviceId],
    (preparer, _): (Uuid, &str),
    now: UtcMillis,
) -> anyhow::Result<Uuid> {
    let terms = Terms { recipient: Some(recipient), basis: Some(basis), deliberation: None };
    let id = donation_lot::create(tx, name, &terms, preparer, now).await.context("a lot")?;
    if !devices.is_empty() {
        donation_line::add(tx, id, devices, preparer, now).await.context("its units")?;
    }
    Ok(id)
}
