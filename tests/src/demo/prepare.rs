//! Brings the database of the demonstration up to what its fleet needs, before the server starts: collèges, enrolment
//! tokens for devices that are not enrolled yet, and once, when the fleet is new, its past.

use std::collections::HashMap;

use anyhow::Context as _;
use cartable_common::UtcMillis;
use cartable_server::{
    domain::enrolment_token::{MAX_BULK_HOURS, MAX_ONE_TIME_HOURS, RANDOM_BYTES, TokenTerms, TokenText},
    store::{Store, Tx, enrolment_token, site},
};
use uuid::Uuid;

use super::past;
use crate::simulator::{Keyring, Roster, condition::Contact, fleet::Tokens, site::SimulatedSite};

/// Who made the tokens, in the console's list.
const MAKER: &str = "cargo demo";

/// Whether a fleet is made now or was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Made now: it gets a past.
    New,
    /// There before.
    Resumed,
}

/// Writes sites, tokens and, for a new fleet, its past into the database at `url`; gives the tokens.
pub async fn database(
    url: &str,
    roster: &Roster,
    keyring: &Keyring,
    age: Age,
    now: UtcMillis,
) -> anyhow::Result<Tokens> {
    let store = Store::open(url).await?;
    let mut tx = store.write().await?;
    let mut sites = Vec::new();
    for simulated in &roster.sites {
        sites.push(put_site(&mut tx, simulated, now).await?);
    }
    let tokens = make_tokens(&mut tx, roster, keyring, &sites, now).await?;
    tx.commit().await?;
    if age == Age::New {
        past::write(&store, roster, keyring, &sites).await?;
    }
    store.close().await;
    Ok(tokens)
}

async fn put_site(tx: &mut Tx, simulated: &SimulatedSite, now: UtcMillis) -> anyhow::Result<Uuid> {
    let new = site::NewSite {
        uai: simulated.uai.parse()?,
        name: simulated.name.clone(),
        commune: simulated.commune.clone(),
        zone: simulated.zone.parse()?,
    };
    Ok(site::put(tx, &new, now).await?)
}

/// One token for each collège and scheme that still waits for devices, for exactly as many.
async fn make_tokens(
    tx: &mut Tx,
    roster: &Roster,
    keyring: &Keyring,
    sites: &[Uuid],
    now: UtcMillis,
) -> anyhow::Result<Tokens> {
    let mut missing: HashMap<(usize, &'static str), u32> = HashMap::new();
    for machine in roster.machines.iter().filter(|machine| machine.condition.contact == Contact::Live) {
        if keyring.identity(machine.index)?.granted.is_none() {
            *missing.entry((machine.site, machine.programme.code())).or_default() += 1;
        }
    }
    let mut tokens = Tokens::new();
    for ((place, programme), cap) in missing {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).context("the system's random source")?;
        let text = TokenText::from_random(random);
        let hours = if cap == 1 { MAX_ONE_TIME_HOURS } else { MAX_BULK_HOURS };
        let label = format!("{programme} · {}", roster.sites[place].commune);
        let terms = TokenTerms::new(&label, Some(programme), cap, hours, now)?;
        enrolment_token::create(tx, &text, &terms, sites[place], MAKER, now).await?;
        tokens.insert((place, programme), text.to_string());
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use cartable_server::{
        domain::scope::Scope,
        store::{device_list, history, overview},
    };

    use super::*;
    use crate::simulator::keyring::FleetHeader;

    #[tokio::test]
    async fn a_new_fleet_has_a_past_and_a_resumed_one_gets_no_second() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("t.db").display());
        let epoch = cartable_agent::clock::now();
        let header = FleetHeader { seed: 1, devices: 120, epoch };
        let keyring = Keyring::open(&directory.path().join("keys"), header).unwrap();
        let roster = Roster::drawn(1, 120);
        let tokens = database(&url, &roster, &keyring, Age::New, epoch).await.unwrap();
        assert!(tokens.len() > roster.sites.len());
        database(&url, &roster, &keyring, Age::Resumed, epoch).await.unwrap();

        let store = Store::open(&url).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let page = device_list::list(&mut tx, &Scope::Everything, &device_list::DeviceQuery::default()).await.unwrap();
        let seen = overview::read(&mut tx, &Scope::Everything, epoch).await.unwrap();
        assert_eq!(seen.devices(), 120, "{seen:?}");
        let with_days = {
            let mut found = 0;
            for row in &page.rows {
                found += history::daily_of(&mut tx, &Scope::Everything, row.id, 0).await.unwrap().len();
            }
            found
        };
        assert!(with_days > page.rows.len() * 6, "{with_days} days for {} devices", page.rows.len());
        assert!(!seen.by_code.is_empty(), "flags are raised from reports of the past: {seen:?}");
    }
}
