//! What a demonstration plans: what its collèges need, a proposal that was approved and one that waits for a second
//! person, and a return campaign in its second week.

use anyhow::Context as _;
use cartable_common::UtcMillis;
use cartable_server::{
    domain::{
        authority::Role,
        borrower::{Level, Reference},
        campaign::{CampaignState, Choice, Desks, ReturnState},
        loan::Condition,
        need::{Need, NeedReason, Reasons},
        paris,
        policy::Policy,
        programme::Programme as Scheme,
        scope::Scope,
    },
    store::{
        Store, allocation, allocation_approval,
        campaign::{self, Campaign},
        campaign_excuse,
        campaign_list::{self, ReturnQuery},
        lending::{Clerk, Lending},
        need, person, programme,
    },
};
use jiff::civil::Date;
use uuid::Uuid;

use crate::simulator::{programme::Programme, random::Random};

/// Who did what nobody signed in did.
const ACTOR: &str = "cargo demo";
/// Needs of each collège that were met in autumn, and that wait.
const NEEDS: [(i64, usize); 2] = [(40, 1), (6, 3)];
/// How long ago the campaign began, in days.
const CAMPAIGN_BEGAN_DAYS: i64 = 8;

/// Writes needs, proposals and a campaign of a new fleet whose loans are in the database.
pub async fn write(store: &Store, sites: &[Uuid], epoch: UtcMillis) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    let schemes = programme::list(&mut tx).await?;
    let mut people = person::list(&mut tx).await?;
    drop(tx);
    people.sort_by_key(|account| account.person.role != Role::ProgrammeManager);
    let mut deciders = people
        .iter()
        .map(|account| &account.person)
        .filter(|person| matches!(person.role, Role::ProgrammeManager | Role::Administrator));
    let (proposer, approver) = (deciders.next(), deciders.next());
    let pupils = of(&schemes, Programme::PupilLaptops)?;
    for (ago, each) in NEEDS {
        let asked_at = epoch.plus_days(-ago);
        let mut tx = store.write().await?;
        for (place, site) in (0..).zip(sites) {
            for number in 0..each {
                let mut random = Random::of(place, "need", ago.unsigned_abs() * 10 + number as u64);
                need::insert(&mut tx, &asked(&mut random, *site, pupils.id, asked_at)?, ACTOR).await?;
            }
        }
        let Some(proposer) = proposer else {
            tx.commit().await?;
            continue;
        };
        let policy = Policy::default();
        let proposed_at = asked_at.plus_days(2);
        let id = allocation::propose(&mut tx, None, &policy, proposer.id, proposed_at).await?;
        tx.commit().await?;
        // The first proposal was approved, if there is somebody else to do it; the newest waits.
        if let Some(approver) = approver.filter(|_| ago == NEEDS[0].0) {
            let login = approver.login.to_string();
            let clerk = Clerk {
                actor: &login,
                token: None,
                scope: &Scope::Everything,
                policy: &policy,
                now: proposed_at.plus_days(1),
            };
            let mut random = Random::of(0, "reference", 0);
            let mut reference = || Some(Reference::from_random(random.draw().to_be_bytes()));
            allocation_approval::approve(store, id, approver.id, clerk, &mut reference).await?;
        }
    }
    run_campaign(store, of(&schemes, Programme::PupilTablets)?.id, epoch).await
}

fn of(schemes: &[Scheme], kind: Programme) -> anyhow::Result<&Scheme> {
    schemes.iter().find(|scheme| scheme.code.as_str() == kind.code()).context("a programme of the demonstration")
}

fn asked(random: &mut Random, site: Uuid, programme: Uuid, entered_at: UtcMillis) -> anyhow::Result<Need> {
    const REASONS: [&[NeedReason]; 6] = [
        &[NeedReason::NoComputer],
        &[NeedReason::Shared, NeedReason::Band1],
        &[NeedReason::NoComputer, NeedReason::Band3],
        &[NeedReason::Ulis],
        &[NeedReason::Replacement],
        &[],
    ];
    let reasons = *random.pick(&REASONS);
    let ulis = reasons.contains(&NeedReason::Ulis);
    let levels = [Level::Sixieme, Level::Cinquieme, Level::Quatrieme, Level::Troisieme];
    Ok(Need {
        id: random.uuid(),
        site,
        programme,
        level: Some(if ulis { Level::Ulis } else { *random.pick(&levels) }),
        reasons: Reasons::new(reasons.iter().copied())?,
        borrower: None,
        entered_at,
    })
}

/// A campaign that takes tablets back: most of those expected so far are there, some excused.
async fn run_campaign(store: &Store, programme: Uuid, epoch: UtcMillis) -> anyhow::Result<()> {
    let day = |days: i64| -> Date { paris::date(epoch.plus_days(days)) };
    let (began, policy) = (epoch.plus_days(-CAMPAIGN_BEGAN_DAYS), Policy::default());
    let planned = Campaign {
        id: Uuid::now_v7(),
        name: "Échange des tablettes".to_owned(),
        state: CampaignState::Planned,
        choice: Choice { programmes: vec![programme], ..Choice::default() },
        first: day(-CAMPAIGN_BEGAN_DAYS),
        last: day(CAMPAIGN_BEGAN_DAYS),
        desks: Desks { desks: 1, slots: 30 },
        created_by: ACTOR.to_owned(),
        created_at: began.plus_days(-10),
    };
    let mut tx = store.write().await?;
    campaign::insert(&mut tx, &planned).await?;
    campaign::start(&mut tx, planned.id, &policy, began.plus_days(-9)).await?;
    let query = ReturnQuery { state: ReturnState::Expected, site: None, after: None, limit: usize::from(u16::MAX) };
    let expected = campaign_list::list(&mut tx, &Scope::Everything, planned.id, &query).await?.rows;
    let today = paris::date(epoch);
    let clerk =
        Clerk { actor: ACTOR, token: None, scope: &Scope::Everything, policy: &policy, now: epoch.plus_days(-1) };
    let mut lending = Lending::within(tx, clerk);
    let mut excused = Vec::new();
    for (number, row) in (0..).zip(expected.iter().filter(|row| row.slot.day < today)) {
        let mut random = Random::of(number, "campaign", 0);
        match random.below(100) {
            0..72 => {
                let worn = if random.happens(150) { Condition::Worn } else { Condition::Good };
                lending.take_back(row.loan, worn, vec![]).await?;
            }
            72..78 => excused.push(row.loan),
            _ => {}
        }
    }
    let mut tx = lending.close().await?;
    for loan in excused {
        let why = ("Absent cette semaine, rendra à la rentrée", ACTOR);
        campaign_excuse::excuse(&mut tx, &Scope::Everything, (planned.id, loan), why, epoch.plus_days(-1)).await?;
    }
    Ok(tx.commit().await?)
}
