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

use crate::simulator::{Keyring, Roster, condition::Contact, fleet::Tokens, site::SimulatedSite};

/// Who made the tokens, in the console's list.
const MAKER: &str = "cargo demo";

/// Writes sites and tokens into the database at `url`; gives the tokens.
pub async fn database(url: &str, roster: &Roster, keyring: &Keyring, now: UtcMillis) -> anyhow::Result<Tokens> {
    let store = Store::open(url).await?;
    let mut tx = store.write().await?;
    let mut sites = Vec::new();
    for simulated in &roster.sites {
        sites.push(put_site(&mut tx, simulated, now).await?);
    }
    let tokens = make_tokens(&mut tx, roster, keyring, &sites, now).await?;
    tx.commit().await?;
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
