//! Brings the database of the demonstration up to what its fleet needs, before the server starts: collèges, enrolment
//! tokens for devices that are not enrolled yet, and once, when the fleet is new, its lending and its past.

use std::collections::HashMap;

use anyhow::Context as _;
use cartable_common::UtcMillis;
use cartable_server::{
    domain::{
        enrolment_token::{MAX_BULK_HOURS, MAX_ONE_TIME_HOURS, RANDOM_BYTES, TokenTerms, TokenText},
        language::Language,
    },
    store::{
        Store, Tx, enrolment_token, site,
        site_referent::{self, Referent},
    },
    vault::Vault,
};
use uuid::Uuid;

use super::{lending, lots, past, planning, workshop};
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
    vault: &Vault,
    age: Age,
    now: UtcMillis,
) -> anyhow::Result<Tokens> {
    let store = Store::open(url).await?;
    let mut tx = store.write().await?;
    let sites = put_sites(&mut tx, roster, now).await?;
    if age == Age::New {
        for (site, simulated) in sites.iter().zip(&roster.sites) {
            site_referent::add(&mut tx, &referent(*site, simulated, now)).await?;
        }
    }
    let tokens = make_tokens(&mut tx, roster, keyring, &sites, now).await?;
    tx.commit().await?;
    if age == Age::New {
        let past = past::write(&store, roster, keyring, &sites).await?;
        lending::write(&store, vault, roster, &sites, &past.placed, keyring.header().epoch).await?;
        let devices = past.placed.iter().map(|(_, device)| *device);
        workshop::write(&store, devices, keyring.header().epoch).await?;
        past::replay(&store, &past, keyring.header().epoch).await?;
        planning::write(&store, &sites, keyring.header().epoch).await?;
        let devices = past.placed.iter().map(|(_, device)| *device);
        lots::write(&store, devices, keyring.header().epoch).await?;
    }
    store.close().await;
    Ok(tokens)
}

/// Writes the sites alone, for the people who each see one of them.
pub async fn sites(url: &str, roster: &Roster, now: UtcMillis) -> anyhow::Result<()> {
    let store = Store::open(url).await?;
    let mut tx = store.write().await?;
    put_sites(&mut tx, roster, now).await?;
    tx.commit().await?;
    store.close().await;
    Ok(())
}

async fn put_sites(tx: &mut Tx, roster: &Roster, now: UtcMillis) -> anyhow::Result<Vec<Uuid>> {
    let mut sites = Vec::new();
    for simulated in &roster.sites {
        sites.push(put_site(tx, simulated, now).await?);
    }
    Ok(sites)
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

/// Who gets a collège's digests. Addresses below `.invalid` belong to nobody, ever (RFC 2606).
fn referent(site: Uuid, simulated: &SimulatedSite, now: UtcMillis) -> Referent {
    Referent {
        id: Uuid::now_v7(),
        site,
        name: "Référent numérique".to_owned(),
        email: format!("referent@{}.invalid", simulated.uai.to_lowercase()),
        language: Language::French,
        created_at: now,
    }
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
        // Neutral, as people are told to write labels: which scheme a device is of is not everybody's to know.
        let label = format!("Préparation de {cap} appareils · {}", roster.sites[place].commune);
        let terms = TokenTerms::new(&label, Some(programme), cap, hours, now)?;
        enrolment_token::create(tx, &text, &terms, sites[place], MAKER, now).await?;
        tokens.insert((place, programme), text.to_string());
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cartable_server::{
        auth::{Person, Role, account},
        domain::{flag::FlagCode, loan::LendingState, scope::Scope},
        pki::MasterKey,
        store::{device_list, history, overview, programme},
    };

    use super::*;
    use crate::{
        raw::Raw,
        simulator::{Machine, keyring::FleetHeader, programme::Programme},
    };

    /// Each scheme of the real programme by its code: its kind, and how many loans a tenth of it has at least.
    const SCHEMES: [(&str, &str, i64); 8] = [
        (Programme::FirstPupilLaptops.code(), "individual_loan", 50),
        (Programme::PupilLaptops.code(), "individual_loan", 200),
        (Programme::SchoolPool.code(), "institutional_pool", 500),
        (Programme::Teachers.code(), "staff_loan", 200),
        (Programme::PupilTablets.code(), "individual_loan", 150),
        (Programme::CareTablets.code(), "individual_loan", 30),
        (Programme::RecycledToPupils.code(), "gift", 30),
        (Programme::RecycledToAssociations.code(), "gift", 20),
    ];

    #[tokio::test]
    async fn a_new_fleet_has_a_past_and_a_resumed_one_gets_no_second() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("t.db").display());
        let epoch = cartable_agent::clock::now();
        let header = FleetHeader { seed: 1, devices: 120, epoch };
        let keyring = Keyring::open(&directory.path().join("keys"), header).unwrap();
        let roster = Roster::drawn(1, 120);
        let vault = Vault::new(&MasterKey::of([3; 32]));
        let tokens = database(&url, &roster, &keyring, &vault, Age::New, epoch).await.unwrap();
        assert!(tokens.len() > roster.sites.len());
        database(&url, &roster, &keyring, &vault, Age::Resumed, epoch).await.unwrap();

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
        assert!(with_days > page.rows.len() * 4, "{with_days} days for {} devices", page.rows.len());
        assert!(!seen.by_code.is_empty(), "flags are raised from reports of the past: {seen:?}");
    }

    /// A demonstration of the usual size shows every programme, every place that a device can be in, and every flag
    /// about loans; only what is lent is in somebody's hands.
    #[tokio::test]
    async fn two_thousand_devices_show_the_whole_of_lending() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("t.db").display());
        // A Tuesday of term.
        let epoch = UtcMillis::new(1_795_521_600_000).unwrap();
        let header = FleetHeader { seed: 2021, devices: 2_000, epoch };
        let keyring = Keyring::open(&directory.path().join("keys"), header).unwrap();
        let roster = Roster::drawn(2021, 2_000);
        let vault = Vault::new(&MasterKey::of([3; 32]));
        let store = Store::open(&url).await.unwrap();
        for (login, role) in [("anne", Role::ProgrammeManager), ("marc", Role::Administrator)] {
            let person = Person {
                id: Uuid::now_v7(),
                login: login.parse().unwrap(),
                display_name: login.to_owned(),
                role,
                scope: Scope::Everything,
                language: None,
            };
            account::create(&store, "test", person, "correct-cheval-pile-agrafe", epoch).await.unwrap();
        }
        store.close().await;
        database(&url, &roster, &keyring, &vault, Age::New, epoch).await.unwrap();

        let store = Store::open(&url).await.unwrap();
        let mut tx = store.read().await.unwrap();
        assert_eq!(programme::list(&mut tx).await.unwrap().len(), 8);
        let seen = overview::read(&mut tx, &Scope::Everything, epoch).await.unwrap();
        let raised: BTreeSet<FlagCode> = seen.by_code.iter().map(|(code, _)| *code).collect();
        for code in [
            FlagCode::LoanDueSoon,
            FlagCode::LoanOverdue,
            FlagCode::OverdueAlive,
            FlagCode::OverdueSilent,
            FlagCode::ReturnedInUse,
            FlagCode::StockInUse,
            FlagCode::MissingCheckedIn,
            FlagCode::BorrowerLeft,
            FlagCode::WarrantyEnding,
            FlagCode::NotToRelend,
        ] {
            assert!(raised.contains(&code), "no {code} among {raised:?}");
        }
        let silent = seen.by_code.iter().find(|(code, _)| *code == FlagCode::Silent).map_or(0, |(_, count)| *count);
        let fell_silent = |machine: &&Machine| matches!(machine.condition.contact, Contact::Silent(_));
        let fell_silent = i64::try_from(roster.machines.iter().filter(fell_silent).count()).unwrap();
        assert!(
            silent <= fell_silent,
            "of {silent} only {fell_silent} fell silent: the fleet has yet to have its turn"
        );
        drop(tx);
        let mut raw = Raw::connect(&url).await.unwrap();
        let labels = raw.texts("SELECT label FROM enrolment_token").await.unwrap();
        let codes: Vec<&str> = Programme::SIZES.iter().map(|(kind, _)| kind.code()).collect();
        let told = |label: &String| label.split_whitespace().any(|word| codes.contains(&word));
        assert!(!labels.is_empty() && !labels.iter().any(told), "a label tells who is in which scheme: {labels:?}");
        let sites = i64::try_from(roster.sites.len()).unwrap();
        assert_eq!(raw.number("SELECT COUNT(*) FROM site_referent").await.unwrap(), sites, "each site has a referent");
        let states = raw.texts("SELECT DISTINCT lending_state FROM device").await.unwrap();
        for state in [
            LendingState::InStock,
            LendingState::Lent,
            LendingState::Intake,
            LendingState::Refurbishment,
            LendingState::Lost,
            LendingState::Stolen,
        ] {
            assert!(states.iter().any(|found| found == state.as_str()), "no device is {state}: {states:?}");
        }
        let open = raw.number("SELECT COUNT(*) FROM loan WHERE ended_at IS NULL").await.unwrap();
        let lent = "SELECT COUNT(*) FROM device WHERE lending_state IN ('lent', 'reserved')";
        let lent = raw.number(lent).await.unwrap();
        assert_eq!(open, lent);
        // Every scheme of the real programme has its loans, each of the kind it is.
        for (code, kind, at_least) in SCHEMES {
            let sql = format!(
                "SELECT COUNT(*) FROM loan l JOIN programme p ON p.id = l.programme_id \
                 WHERE p.code = '{code}' AND p.kind = '{kind}'"
            );
            let lent = raw.number(&sql).await.unwrap();
            assert!(lent >= at_least, "{lent} loans under {code}");
        }
        let pupils = "SELECT COUNT(*) FROM loan l JOIN programme p ON p.id = l.programme_id \
            JOIN borrower b ON b.id = l.borrower_id WHERE p.name = 'Tablettes' AND b.level <> 'ulis'";
        assert_eq!(raw.number(pupils).await.unwrap(), 0, "the tablets are the ULIS pupils'");
        for (what, sql) in [
            ("a need waits", "SELECT COUNT(*) FROM need WHERE state = 'open'"),
            ("a proposal waits", "SELECT COUNT(*) FROM allocation WHERE state = 'draft'"),
            ("a proposal was approved", "SELECT COUNT(*) FROM allocation WHERE state = 'approved'"),
            ("a device is reserved", "SELECT COUNT(*) FROM device WHERE lending_state = 'reserved'"),
            ("the campaign expects somebody", "SELECT COUNT(*) FROM campaign_loan WHERE state = 'expected'"),
            ("some are back", "SELECT COUNT(*) FROM campaign_loan WHERE state = 'returned'"),
            ("some are excused", "SELECT COUNT(*) FROM campaign_loan WHERE state = 'excused'"),
        ] {
            assert!(raw.number(sql).await.unwrap() > 0, "{what}");
        }
        let named = raw.number("SELECT COUNT(*) FROM borrower_identity WHERE sealed LIKE '%nvalid%'").await.unwrap();
        assert_eq!(named, 0, "identities are sealed");
    }
}
