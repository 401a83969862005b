//! Samples of the pages of needs, proposals and campaigns; looked at by the tests of [`super::samples`].

use std::collections::BTreeMap;

use askama::Template as _;
use cartable_common::DeviceId;
use jiff::civil::date;
use uuid::Uuid;

use super::{
    allocation::{self, AllocationPage, AllocationsPage, Approval, LinesAsked},
    campaign::{self, CampaignPage, CampaignsPage, ReturnsAsked},
    campaign_form::CampaignForm,
    need::{Around, Asked, NeedForm, NeedsPage},
    need_change::NeedChangePage,
    samples::Samples,
    shell::Section,
};
use crate::{
    auth::{Person, Role},
    domain::{
        allocation::{Given, Part, Place, SiteShare, Stock, Unfit},
        borrower::Level,
        campaign::{CampaignState, Choice, Desks, ReturnState, Slot},
        device_record::ContactExpected,
        flag::FlagCode,
        grade::Grade,
        need::{NeedReason, NeedState, Reasons},
        scope::Scope,
        verdict::Verdict,
    },
    store::{
        allocation::{AllocationRow, AllocationState, Explanation, LineState, Who},
        allocation_line::{LineDevice, LineQuery, LineRow},
        campaign::Campaign,
        campaign_count::SiteProgress,
        campaign_list::ReturnRow,
        need_list::{NeedQuery, NeedSummary, NeedTotal},
        page::{Cursor, CursorKey, Page, Total},
    },
};

/// A page of `rows`, which is not the last one.
fn page<T>(rows: Vec<T>) -> Page<T> {
    let next = (!rows.is_empty()).then(|| Cursor { key: CursorKey::Number(50), id: Uuid::from_u128(1) });
    Page { total: Total::Exact(i64::try_from(rows.len()).unwrap()), rows, next }
}

/// A page's name, and the page.
type Rendered = (&'static str, askama::Result<String>);

impl Samples<'_> {
    /// Every one of them.
    pub(super) fn planning(&self) -> Vec<Rendered> {
        vec![
            ("needs", self.needs(true).render()),
            ("needs-empty", self.needs(false).render()),
            ("need-change", self.need_change().render()),
            ("allocations", self.allocations(true).render()),
            ("allocations-empty", self.allocations(false).render()),
            ("allocation-draft", self.one_allocation(AllocationState::Draft, true).render()),
            ("allocation-own", self.one_allocation(AllocationState::Draft, false).render()),
            ("allocation-approved", self.one_allocation(AllocationState::Approved, true).render()),
            ("campaigns", self.campaigns(true).render()),
            ("campaigns-empty", self.campaigns(false).render()),
            ("campaign-planned", self.one_campaign(CampaignState::Planned, ReturnState::Expected).render()),
            ("campaign-running", self.one_campaign(CampaignState::Running, ReturnState::Expected).render()),
            ("campaign-excused", self.one_campaign(CampaignState::Running, ReturnState::Excused).render()),
            ("campaign-closed", self.one_campaign(CampaignState::Closed, ReturnState::Expected).render()),
        ]
    }

    fn manager(&self) -> Person {
        Person {
            id: Uuid::from_u128(61),
            login: "anne".parse().unwrap(),
            display_name: self.told("Anne Martin"),
            role: Role::ProgrammeManager,
            scope: Scope::Everything,
            language: None,
        }
    }

    fn need(&self, state: NeedState) -> NeedSummary {
        let reasons: &[NeedReason] =
            if state == NeedState::Open { &[NeedReason::Ulis, NeedReason::NoComputer, NeedReason::Band2] } else { &[] };
        NeedSummary {
            id: Uuid::from_u128(70 + state as u128),
            site: Uuid::from_u128(42),
            site_uai: self.told("0961234X"),
            site_name: self.told("Collège Exemple"),
            programme: Uuid::from_u128(41),
            level: (state != NeedState::Withdrawn).then_some(Level::Sixieme),
            reasons: Reasons::new(reasons.iter().copied()).unwrap(),
            borrower: (state == NeedState::Met).then(|| (Uuid::from_u128(43), self.told("B-7K3M-Q2ZD"))),
            state,
            entered_by: self.told("referent.tilleuls"),
            entered_at: self.now.plus_days(-9),
            loan: None,
        }
    }

    fn needs(&self, some: bool) -> NeedsPage {
        let shell = self.shell(Section::Needs, &self.words.say("needs-title"));
        let rows = if some { NeedState::ALL.iter().map(|state| self.need(*state)).collect() } else { Vec::new() };
        let total = NeedTotal {
            site_id: Uuid::from_u128(42),
            site_name: self.told("Collège Exemple"),
            programme_id: Uuid::from_u128(41),
            open: 1_204,
            met: 31,
            withdrawn: 2,
        };
        let form = NeedForm { borrower: self.told("B-7K3M"), count: self.told("2"), ..NeedForm::default() };
        let around = Around {
            totals: if some { vec![total] } else { Vec::new() },
            sites: if some { vec![self.site_row()] } else { Vec::new() },
            programmes: vec![self.programme()],
            form,
            problem: some.then(|| self.words.say("need-problem-count")),
        };
        let (asked, query) = (Asked::default(), NeedQuery::default());
        NeedsPage::new(shell, (&self.manager(), true), (&asked, &query), page(rows), around, self.now)
    }

    fn need_change(&self) -> NeedChangePage {
        let shell = self.shell(Section::Needs, &self.words.say("need-change-title"));
        let form = NeedForm { borrower: self.told("B-7K3M"), level: "6e".to_owned(), ..NeedForm::default() };
        let of = (Uuid::from_u128(44), self.told("Collège Exemple"));
        NeedChangePage::new(shell, of, &[self.programme()], (form, Some("need-problem-not-open")))
    }

    fn allocation(&self, state: AllocationState) -> AllocationRow {
        let who = |number| Who { id: Uuid::from_u128(number), name: self.told("Marie Durand") };
        let decided = state != AllocationState::Draft;
        AllocationRow {
            id: Uuid::from_u128(80),
            state,
            programme: decided.then(|| Uuid::from_u128(41)),
            proposed_by: who(62),
            proposed_at: self.now.plus_days(-2),
            adjusted_by: Some(who(62)),
            decided_by: decided.then(|| who(61)),
            decided_at: decided.then_some(self.now),
            stock: Stock {
                in_stock: 1_480,
                suitable: 1_390,
                reserve: 70,
                unfit: Unfit::ALL.iter().map(|why| (*why, 15)).collect(),
            },
            needs: 1_520,
            given: 1_320,
        }
    }

    fn allocations(&self, some: bool) -> AllocationsPage {
        let shell = self.shell(Section::Allocations, &self.words.say("allocations-title"));
        let states = AllocationState::ALL.iter().map(|state| self.allocation(*state));
        let rows: Vec<AllocationRow> = if some { states.collect() } else { Vec::new() };
        AllocationsPage::new(shell, &rows, &[self.programme()], (Role::ProgrammeManager, true), self.now)
    }

    fn line(&self, rank: i64, state: LineState) -> LineRow {
        let with_device = matches!(state, LineState::Proposed | LineState::Reserved | LineState::Refused);
        let given = Given {
            device: DeviceId(Uuid::from_u128(1)),
            place: Place::ALL[usize::try_from(rank).unwrap() % Place::ALL.len()],
            of_programme: rank % 2 == 0,
            grade: (rank % 2 == 1).then_some(Grade::A),
            battery: Some(87),
            drive: (rank != 2).then_some(Verdict::Healthy),
        };
        let part = |reason, points| Part { reason, points };
        let device = LineDevice {
            id: Uuid::from_u128(1),
            serial: self.some("PF2ABCDE"),
            asset_tag: self.some("CD72-004512"),
            model: self.some("ThinkPad X13"),
        };
        let mut line = LineRow::sample(state);
        line.rank = rank;
        line.site_uai = self.told("0961234X");
        line.site_name = self.told("Collège Exemple");
        line.level = Some(Level::Sixieme);
        line.score = 70;
        line.explanation = Explanation {
            parts: vec![part(NeedReason::Ulis, 40), part(NeedReason::NoComputer, 30)],
            by_floor: rank == 1,
            given: with_device.then_some(given),
        };
        line.device = with_device.then_some(device);
        line.cause = match state {
            LineState::Unmet => Some("exhausted".to_owned()),
            LineState::Dropped => Some("dropped".to_owned()),
            LineState::Refused => Some("not_in_stock".to_owned()),
            LineState::Proposed | LineState::Reserved => None,
        };
        line.remark = (state == LineState::Dropped).then(|| self.told("en réparation"));
        line.stale = (state == LineState::Proposed).then_some("not_in_stock");
        line
    }

    fn one_allocation(&self, state: AllocationState, other: bool) -> AllocationPage {
        let shell = self.shell(Section::Allocations, &self.words.say("allocation-title"));
        let draft = state == AllocationState::Draft;
        let lines = (1..).zip(LineState::ALL).map(|(rank, state)| self.line(rank, *state)).collect();
        let site = self.site_row();
        let found = allocation::Found {
            row: self.allocation(state),
            counts: LineState::ALL.iter().map(|state| (*state, 264)).collect(),
            stale: 3,
            shares: vec![SiteShare::of(site.id, 40, 31, 1_234)],
            page: page(lines),
            sites: vec![site],
            programmes: vec![self.programme()],
        };
        let approve = match state {
            AllocationState::Draft if other => Approval::Open,
            AllocationState::Approved if other => Approval::Unfinished,
            AllocationState::Draft | AllocationState::Approved | AllocationState::Dropped => Approval::Closed,
        };
        let may = allocation::May { role: Role::ProgrammeManager, adjust: draft, approve, own: !other };
        let problem = if other { String::new() } else { "unfit".to_owned() };
        let (asked, query) = (LinesAsked { problem, ..LinesAsked::default() }, LineQuery::default());
        AllocationPage::new(shell, (&asked, &query), found, may, self.now)
    }

    fn campaign(&self, state: CampaignState) -> Campaign {
        let all = state == CampaignState::Closed;
        let choice = Choice {
            programmes: vec![Uuid::from_u128(41)],
            levels: vec![Level::Quatrieme, Level::Troisieme],
            sites: vec![Uuid::from_u128(42)],
            leaving: true,
        };
        Campaign {
            id: Uuid::from_u128(90),
            name: self.told("Restitutions de juin"),
            state,
            choice: if all { Choice::default() } else { choice },
            first: date(2027, 6, 14),
            last: date(2027, 6, 25),
            desks: Desks { desks: 1, slots: 40 },
            created_by: self.told("anne"),
            created_at: self.now,
        }
    }

    fn campaigns(&self, some: bool) -> CampaignsPage {
        let shell = self.shell(Section::Campaigns, &self.words.say("campaigns-title"));
        let campaigns = CampaignState::ALL.iter().map(|state| self.campaign(*state));
        let campaigns: Vec<Campaign> = if some { campaigns.collect() } else { Vec::new() };
        let ticked = BTreeMap::from([(format!("programme-{}", Uuid::from_u128(41)), "on".to_owned())]);
        let form = CampaignForm { name: self.told("Juin"), ticked, ..CampaignForm::default() };
        // More than are shown at once, so that the list folds.
        let sites: Vec<_> = (0..20)
            .map(|number| crate::store::site::SiteRow { id: Uuid::from_u128(200 + number), ..self.site_row() })
            .collect();
        let (sites, problem) = if some { (sites, None) } else { (Vec::new(), "campaign-problem-window".into()) };
        let problem = problem.map(|key: &str| self.words.say(key));
        CampaignsPage::new(shell, &campaigns, (&sites, &[self.programme()]), (true, problem, form))
    }

    fn one_campaign(&self, state: CampaignState, shown: ReturnState) -> CampaignPage {
        let shell = self.shell(Section::Campaigns, &self.told("Restitutions de juin"));
        let site = self.site_row();
        let progress = SiteProgress {
            site_id: site.id,
            site_name: self.told("Collège Exemple"),
            uai: self.told("0961234X"),
            expected: 1_212,
            returned: 340,
            overdue: 12,
            excused: 3,
            ended: 1,
        };
        let row = |number: u32| ReturnRow {
            loan: Uuid::from_u128(300 + u128::from(number)),
            site: site.id,
            site_uai: self.told("0961234X"),
            site_name: self.told("Collège Exemple"),
            reference: self.told("B-7K3M-Q2ZD"),
            level: Some(Level::Troisieme),
            device: Uuid::from_u128(1),
            serial: self.some("PF2ABCDE"),
            asset_tag: self.some("CD72-004512"),
            slot: Slot { day: date(2027, 6, 15), desk: 1, slot: number },
            due: Some(date(2027, 7, 2)),
            last_contact_day: (number > 1).then_some(20_980),
            contact_expected: if number == 3 { ContactExpected::None } else { ContactExpected::Agent },
            open_flags: i64::from(number > 1) * 2,
            flags: if number > 1 { vec![FlagCode::OverdueAlive, FlagCode::BatteryWorn] } else { Vec::new() },
            excuse: (number == 2).then(|| self.told("absent, rendu par la poste")),
        };
        let planned = state == CampaignState::Planned;
        let rows: Vec<ReturnRow> = if planned { Vec::new() } else { (1..=3).map(row).collect() };
        let found = campaign::Found {
            campaign: self.campaign(state),
            progress: if planned { Vec::new() } else { vec![progress] },
            page: page(rows),
            sites: vec![site],
            programmes: vec![self.programme()],
            problem: planned.then(|| {
                self.words.with_two("campaign-problem-too-few", &self.told("Collège Exemple"), &self.told("4"))
            }),
            form: None,
        };
        let may = campaign::May { change: true, excuse: true, see_borrowers: true, see_identities: true };
        let asked = ReturnsAsked { state: shown.as_str().to_owned(), ..ReturnsAsked::default() };
        let query = asked.query().unwrap();
        CampaignPage::new(shell, (&asked, &query), found, may)
    }
}
