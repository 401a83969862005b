//! One device: who it is, what stands against it and why, what it last said, and how that changed.

use askama::Template;
use cartable_common::{Text, UtcMillis, protocol::Disclosure};

use super::{
    advice::AdviceCard,
    change::{Described, described},
    chart::{Legend, Line},
    component::{Badge, Tone, When},
    device_action::{OrdersCard, OrdersRead},
    device_correction::{Fields, Offered},
    device_list::{device_name, model_name},
    facts::{Fact, Group, Reader, fact},
    flag::FlagCard,
    foreign_agent, format,
    i18n::Words,
    loan::{CardRead, LoanCard},
    recovery::RecoveryCard,
    shell::Shell,
    waiting,
};
use crate::{
    domain::{
        battery::{self, Batteries},
        device::DeviceStatus,
        device_record::ContactExpected,
        disposition::Advice,
        policy::Policy,
        verdict::Verdict,
    },
    store::{
        advice::Kept,
        detail::DeviceDetail,
        device_record::Recorded,
        enrolment::Waiting,
        flag::FlagRow,
        history::{ChangeRow, Day},
        recovery,
    },
};

/// Days that the charts show.
pub(super) const CHART_DAYS: i64 = 180;

/// Everything about one device, as read in one unit of work.
#[derive(Clone, Debug)]
pub(super) struct DeviceRead {
    pub(super) detail: DeviceDetail,
    pub(super) changes: Vec<ChangeRow>,
    pub(super) days: Vec<Day>,
    pub(super) flags_ever: Vec<FlagRow>,
    /// Its loans, for those who may see loans.
    pub(super) loans: Option<CardRead>,
    pub(super) recorded: Recorded,
    /// What its record may be corrected to, for those who may.
    pub(super) offered: Option<Offered>,
    /// What it should become, where anything is to be advised.
    pub(super) advice: Option<Advice>,
    /// The decision that lists show.
    pub(super) decided: Option<Kept>,
    /// Enrolments that wait for a person.
    pub(super) waiting: Vec<Waiting>,
    /// How many machines wait for a person that showed a key of it.
    pub(super) askers: i64,
    /// What the family reads of those who run the agent.
    pub(super) disclosed: Disclosure,
    /// Recoveries that wait for a person.
    pub(super) recoveries: Vec<recovery::Waiting>,
    /// What was ordered of its agent.
    pub(super) orders: OrdersRead,
    /// Whether it was given away: it stays in the archive.
    pub(super) given: bool,
}

/// What the person may do to the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Set its tag, accept its hardware, put it away.
    pub(super) change: bool,
    /// Let it in, shut it out.
    pub(super) admit: bool,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one form of the page, shown or not")]
struct Actions {
    id: String,
    csrf: String,
    asset_tag: String,
    can_accept_baseline: bool,
    can_approve: bool,
    can_revoke: bool,
    can_archive: bool,
    can_unarchive: bool,
    correct: Option<Fields>,
}

#[derive(Debug)]
struct Trend {
    title: String,
    chart: Line,
    rows: Vec<(String, String)>,
}

#[derive(Debug)]
struct Change {
    when: When,
    change: Described,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "device.html")]
pub(super) struct DevicePage {
    shell: Shell,
    subtitle: String,
    badges: Vec<Badge>,
    flags: Vec<FlagCard>,
    no_flags: String,
    advice: Option<AdviceCard>,
    groups: Vec<Group>,
    charts: Vec<Trend>,
    changes: Vec<Change>,
    past_flags: Vec<String>,
    identity: Vec<Fact>,
    loan: Option<LoanCard>,
    /// What the family reads, each with what it is; empty where no agent is expected to say it.
    disclosed: Vec<(String, String)>,
    /// Which enrolment, since when, and what letting it in takes back.
    waiting: Vec<(String, When, Option<String>)>,
    /// That other machines wait which showed a key of it.
    askers: Option<String>,
    recoveries: Vec<RecoveryCard>,
    orders: Option<OrdersCard>,
    /// Whether another system's agent has a certificate that this person may end.
    ends_foreign_agent: bool,
    path: String,
    csrf: String,
    actions: Option<Actions>,
}

/// The heading of a device's page.
pub(super) fn title(detail: &DeviceDetail) -> String {
    let device = &detail.device;
    device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id)
}

impl DevicePage {
    /// The page for what was read.
    pub(super) fn new(shell: Shell, read: DeviceRead, allowed: Allowed, policy: &Policy, now: UtcMillis) -> Self {
        let words = shell.words;
        let DeviceRead { detail, changes, days, flags_ever, loans, recorded, offered, advice, decided, .. } = read;
        let DeviceRead { waiting, askers, recoveries, disclosed, given, orders, .. } = read;
        let csrf = shell.csrf();
        let next = format!("/devices/{}", detail.device.id);
        let groups = detail.health.as_ref().map_or_else(Vec::new, |health| {
            let at = format::date_time(health.measured_at, words);
            let dated = match (detail.brought_of, detail.reported_by) {
                (None, None) => words.with("measured-on", &at),
                (Some(tool), _) => words.with_two("device-inventory-of", tool.name(), &at),
                (None, Some(tool)) => words.with_two("device-reported-by", tool.name(), &at),
            };
            Reader { words, policy }.groups(health, &dated)
        });
        Self {
            subtitle: subtitle(&detail, words),
            badges: badges(&detail, policy, words),
            flags: detail.flags.iter().map(|flag| FlagCard::new(flag, &csrf, &next, now, words)).collect(),
            no_flags: words.say(if detail.health.is_some() { "device-flags-none" } else { "device-never-reported" }),
            advice: advice.map(|advice| AdviceCard::new(&advice, decided.as_ref(), now, words)),
            groups,
            charts: trends(&days, words),
            changes: changes.into_iter().map(|change| changed(change, words)).collect(),
            past_flags: flags_ever.iter().filter_map(|flag| past(flag, words)).collect(),
            loan: loans.map(|loans| LoanCard::new(loans, &csrf, words)),
            disclosed: family_reads(&disclosed, detail.device.status, words),
            identity: identity(&detail, recorded, now, words),
            waiting: waiting
                .iter()
                .filter(|_| allowed.admit)
                .map(|one| asks(one, detail.device.status, now, words))
                .collect(),
            askers: (allowed.admit && askers > 0).then(|| words.count("device-askers-explained", askers)),
            recoveries: recoveries
                .iter()
                .filter(|_| allowed.admit)
                .map(|one| RecoveryCard::new(one, now, words))
                .collect(),
            orders: OrdersCard::new(&orders, &detail, &csrf, (now, words)),
            ends_foreign_agent: allowed.admit && detail.foreign_agent.is_some(),
            path: next,
            csrf: csrf.clone(),
            actions: actions(&detail, (allowed, given), (recorded, offered.as_ref()), words, csrf),
            shell,
        }
    }
}

fn asks(one: &Waiting, status: DeviceStatus, now: UtcMillis, words: Words) -> (String, When, Option<String>) {
    (one.enrolment.to_string(), When::relative(one.since, now, words), waiting::lifts(status, words))
}

/// What the agent's page on the laptop says of those who run it.
fn family_reads(disclosed: &Disclosure, status: DeviceStatus, words: Words) -> Vec<(String, String)> {
    if !matches!(status, DeviceStatus::Active | DeviceStatus::Quarantined) {
        return Vec::new();
    }
    let or = |text: Option<&Text>, none: &str| text.map_or_else(|| words.say(none), |text| text.as_str().to_owned());
    let until = disclosed.until.map(|until| format::date(until, words));
    vec![
        (words.say("disclosure-organisation"), or(disclosed.organisation.as_ref(), "disclosure-organisation-none")),
        (words.say("disclosure-contact"), or(disclosed.contact.as_ref(), "disclosure-contact-none")),
        (words.say("disclosure-until"), until.unwrap_or_else(|| words.say("disclosure-until-none"))),
    ]
}

fn subtitle(detail: &DeviceDetail, words: Words) -> String {
    let device = &detail.device;
    let model = model_name(device.manufacturer.as_deref(), device.model.as_deref(), words);
    match &detail.site {
        Some(site) => words.with_two("device-subtitle", &model, &site.name),
        None => model,
    }
}

fn badges(detail: &DeviceDetail, policy: &Policy, words: Words) -> Vec<Badge> {
    let mut badges = vec![Badge::status(detail.device.status, words)];
    if detail.device.archived_at.is_some() {
        badges.push(Badge::new(Tone::Plain, words.say("archived")));
    }
    if let Some(health) = &detail.health {
        let drives = words.word("verdict", health.drive_verdict.as_str());
        badges.push(Badge::new(health.drive_verdict, words.with("drives-are", &drives)));
        badges.push(of_batteries(battery::known(&health.report, policy), words));
    }
    badges
}

/// None to expect is neither good nor bad; one that is missing or was not read is not known.
fn of_batteries(batteries: Batteries, words: Words) -> Badge {
    let verdict = |verdict: Verdict| words.with("batteries-are", &words.word("verdict", verdict.as_str()));
    match batteries {
        Batteries::Judged(judged) => Badge::new(judged, verdict(judged)),
        Batteries::NoneExpected(_) => Badge::new(Tone::Plain, words.say("batteries-none-expected")),
        Batteries::NoneFound => Badge::new(Tone::Unknown, words.say("batteries-none-found")),
        Batteries::NotRead => Badge::new(Tone::Unknown, verdict(Verdict::Unknown)),
    }
}

fn identity(detail: &DeviceDetail, recorded: Recorded, now: UtcMillis, words: Words) -> Vec<Fact> {
    let device = &detail.device;
    let chassis = device.chassis.as_deref().map(|chassis| words.word("chassis", chassis));
    let site = detail.site.as_ref().map(|site| words.with_two("site-named", &site.name, &site.uai));
    let moment = |key: &str, at: Option<UtcMillis>| Fact {
        name: words.say(key),
        value: if at.is_some() { String::new() } else { words.say("never") },
        when: at.map(|at| When::exact(at, words)),
        ..Fact::default()
    };
    let mut facts = vec![
        fact(words, "fact-serial", device.serial_number.clone()),
        fact(words, "device-asset-tag", device.asset_tag.clone().or_else(|| Some(words.say("device-no-asset-tag")))),
        fact(words, "fact-manufacturer", device.manufacturer.clone()),
        fact(words, "fact-model", device.model.clone()),
        fact(words, "fact-chassis", chassis),
        fact(words, "fact-uuid", device.system_uuid.clone()),
        fact(words, "devices-site", site.or_else(|| Some(words.say("no-site")))),
        fact(words, "token-programme", device.programme.clone().or_else(|| Some(words.say("programme-not-shown")))),
        fact(
            words,
            "device-warranty",
            recorded.warranty_until.map(|day| format::civil_date(day, words)).or_else(|| Some(words.say("not-known"))),
        ),
        fact(words, "device-grade", Some(grade(recorded, words))),
        moment("device-created", Some(device.created_at)),
        moment("device-enrolled", device.enrolled_at),
        moment("devices-contact", detail.contact.as_ref().map(|contact| contact.last_at)),
    ];
    if recorded.contact_expected == ContactExpected::None {
        facts.push(fact(words, "device-agent", Some(words.say("device-no-agent"))));
    }
    if let Some(contact) = &detail.contact {
        let ago = format::relative(contact.last_at, now, words);
        facts.push(fact(words, "device-contact-ago", Some(ago)));
        facts.push(fact(words, "device-check-ins", Some(format::number(contact.check_ins, words.language))));
        facts.push(fact(words, "device-skew", Some(words.count("seconds", contact.skew_millis / 1000))));
        facts.push(fact(words, "device-agent", Some(contact.agent_version.clone())));
    }
    facts.extend(detail.foreign_agent.as_ref().map(|agent| foreign_agent::shown(agent, words)));
    if let Some(health) = &detail.health {
        facts.push(moment("device-received", Some(health.received_at)));
    }
    if let Some(at) = device.archived_at {
        facts.push(moment("device-archived-at", Some(at)));
        facts.push(fact(words, "device-archive-reason", device.archive_reason.clone()));
    }
    facts
}

fn grade(recorded: Recorded, words: Words) -> String {
    recorded.grade.map_or_else(|| words.say("grade-none"), |grade| words.word("grade", grade.as_str()))
}

fn actions(
    detail: &DeviceDetail,
    (allowed, given): (Allowed, bool),
    (recorded, offered): (Recorded, Option<&Offered>),
    words: Words,
    csrf: String,
) -> Option<Actions> {
    let device = &detail.device;
    let archived = device.archived_at.is_some();
    let standing = !matches!(device.status, DeviceStatus::Revoked | DeviceStatus::Released);
    (allowed.change || allowed.admit).then(|| Actions {
        id: device.id.to_string(),
        csrf,
        asset_tag: device.asset_tag.clone().unwrap_or_default(),
        can_accept_baseline: allowed.change && detail.health.is_some() && !archived,
        can_approve: allowed.admit && matches!(device.status, DeviceStatus::Pending | DeviceStatus::Quarantined),
        can_revoke: allowed.admit && standing,
        can_archive: allowed.change && !archived,
        can_unarchive: allowed.change && archived && !given,
        correct: offered
            .filter(|_| allowed.change && !archived)
            .map(|offered| Fields::new(device, recorded, offered, words)),
    })
}

fn changed(row: ChangeRow, words: Words) -> Change {
    Change { when: When::exact(row.received_at, words), change: described(row.change, words) }
}

fn past(flag: &FlagRow, words: Words) -> Option<String> {
    let cleared = flag.cleared_at?;
    let period = words.with_two("flag-period", &format::date(flag.since, words), &format::date(cleared, words));
    Some(words.with_two("flag-past", &words.word("flag", flag.code.as_str()), &period))
}

/// One figure of a day.
type Figure = fn(&Day) -> Option<i64>;

fn trends(days: &[Day], words: Words) -> Vec<Trend> {
    let language = words.language;
    let share = |value| format::percent(value, language);
    let degrees = |value| format::with_unit(value, "°C", language);
    let figures: [(&str, Figure); 4] = [
        ("trend-free", |day| day.figures.system_volume_available_percent),
        ("trend-battery", |day| day.figures.battery_health_percent),
        ("trend-wear", |day| day.figures.drive_wear_percent),
        ("trend-heat", |day| day.figures.hottest_celsius),
    ];
    figures
        .into_iter()
        .filter_map(|(key, figure)| {
            let points: Vec<(i64, i64)> = days.iter().filter_map(|day| Some((day.day, figure(day)?))).collect();
            let write: &dyn Fn(i64) -> String = if key == "trend-heat" { &degrees } else { &share };
            let (first, last) = (points.first()?, points.last()?);
            let title = words.say(key);
            let label = words.with_two("trend-label", &title, &write(last.1));
            let legend = Legend {
                label,
                from: format::day(first.0, words),
                peak: words.with_two("trend-scale", &write(0), &write(100)),
                to: format::day(last.0, words),
            };
            let rows = points.iter().rev().map(|(day, value)| (format::day(*day, words), write(*value))).collect();
            Some(Trend { title, chart: Line::new(&points, 100, legend), rows })
        })
        .collect()
}
