//! Samples of the pages of the fleet: overview, devices, flags; looked at by the tests of [`super::samples`].

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    design::sample_flag,
    device_list::{self, DevicesPage},
    flag_list::{self, FlagsPage},
    overview::OverviewPage,
    samples::Samples,
    shell::Section,
};
use crate::{
    domain::{
        device::DeviceStatus,
        flag::{FlagCode, Severity},
        verdict::Verdict,
    },
    store::{
        device_list::{DeviceQuery, DeviceSummary, SiteName},
        flag::{FlagRow, Remark},
        flag_list::{FlagQuery, FlagSummary},
        overview::{HOURS, Hour, LastHeard, Overview},
        page::{Cursor, CursorKey, Page, Total},
    },
};

impl Samples<'_> {
    pub(super) fn flags(&self) -> Vec<FlagRow> {
        Severity::ALL
            .iter()
            .rev()
            .map(|severity| {
                let mut flag = sample_flag(*severity, self.now);
                flag.subject = self.told("S4GXNX0N");
                flag.evidence.value = self.told("7 erreurs");
                flag.evidence.source = self.told("NVM Express Base Specification 2.0");
                flag.evidence.sentence_fr = self.told("Le disque S4GXNX0N signale un risque : 7 erreurs de lecture.");
                flag.evidence.sentence_en = self.told("Drive S4GXNX0N reports a risk: 7 read errors.");
                flag.evidence.missing = vec![self.told("smartctl")];
                if *severity == Severity::Warning {
                    flag.acknowledged =
                        Some(Remark { at: self.now, by: self.told("anne"), reason: self.told("pièce commandée") });
                }
                if *severity == Severity::Info {
                    flag.snoozed_until = Some(self.now.plus_days(7));
                    flag.snoozed = Some((self.told("anne"), self.told("au retour des vacances")));
                }
                flag
            })
            .collect()
    }

    pub(super) fn devices(&self, some: bool) -> DevicesPage {
        let device = |(index, status): (usize, &DeviceStatus)| DeviceSummary {
            id: DeviceId(Uuid::from_u128(index as u128)),
            status: *status,
            serial_number: self.some("PF2ABCDE"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            chassis: self.some("laptop"),
            asset_tag: self.some("CD72-004512"),
            site: (index != 1).then(|| SiteName {
                id: Uuid::nil(),
                uai: "0720001A".to_owned(),
                name: self.told("Collège Les Tilleuls"),
                commune: self.told("Le Mans"),
            }),
            archived_at: (index == 4).then_some(self.now),
            last_contact_at: (index != 0).then(|| self.now.plus_days(-1)),
            os_name: self.some("windows"),
            os_version: self.some("11 23H2"),
            memory: None,
            drives: Some(Verdict::Healthy),
            batteries: Some(Verdict::Unknown),
            worst_severity: Some(Severity::Critical),
            open_flags: 2,
            flags: if index == 2 {
                vec![]
            } else {
                vec![(FlagCode::DriveFailing, Severity::Critical), (FlagCode::BatteryWorn, Severity::Warning)]
            },
        };
        let rows = if some { DeviceStatus::ALL.iter().enumerate().map(device).collect() } else { Vec::new() };
        let cursor = Cursor { key: CursorKey::Text(self.told("pf2abcde")), id: Uuid::nil() };
        let asked = device_list::Asked { q: self.told("tilleuls"), ..device_list::Asked::default() };
        let query = DeviceQuery { after: some.then(|| cursor.clone()), ..DeviceQuery::default() };
        let page = Page {
            rows,
            next: some.then_some(cursor),
            total: if some { Total::MoreThan(1_000) } else { Total::Exact(0) },
        };
        DevicesPage::new(self.shell(Section::Devices, &self.words.say("devices-title")), &asked, &query, page, self.now)
    }

    fn flag_summaries(&self) -> Vec<FlagSummary> {
        self.flags()
            .into_iter()
            .map(|flag| FlagSummary {
                id: flag.id,
                device_id: flag.device_id,
                code: flag.code,
                severity: flag.severity,
                since: flag.since,
                evidence: flag.evidence,
                acknowledged_at: flag.acknowledged.map(|remark| remark.at),
                acknowledged_by: self.some("anne"),
                snoozed_until: flag.snoozed_until,
                serial_number: self.some("PF2ABCDE"),
                manufacturer: self.some("Lenovo"),
                model: self.some("ThinkPad X13"),
                asset_tag: None,
                site_name: self.some("Collège Les Tilleuls"),
                commune: self.some("Le Mans"),
            })
            .collect()
    }

    pub(super) fn flag_list(&self, some: bool) -> FlagsPage {
        let rows = if some { self.flag_summaries() } else { Vec::new() };
        let page = Page { rows, next: None, total: Total::Exact(if some { 3 } else { 0 }) };
        let (asked, query) = (flag_list::Asked::default(), FlagQuery::default());
        FlagsPage::new(self.shell(Section::Flags, &self.words.say("flags-title")), &asked, &query, page, self.now)
    }

    pub(super) fn overview(&self, some: bool) -> OverviewPage {
        let hour = |hour: i64| Hour {
            starts: self.now.plus_millis((hour - HOURS) * 3_600_000),
            check_ins: (hour * 37) % 900,
            reports: hour,
        };
        let overview = if some {
            Overview {
                by_status: DeviceStatus::ALL
                    .iter()
                    .zip([12, 17_930, 3, 41, 800])
                    .map(|(status, count)| (*status, count))
                    .collect(),
                archived: 122,
                by_code: FlagCode::ALL
                    .iter()
                    .zip([931, 212, 640, 96, 310, 1_204, 402, 7, 12, 30])
                    .map(|(code, count)| (*code, count))
                    .collect(),
                by_severity: vec![(Severity::Critical, 118), (Severity::Warning, 1_402), (Severity::Info, 300)],
                hourly: Some((0..HOURS).map(hour).collect()),
                last_heard: LastHeard { fresh: 15_210, week: 1_480, month: 760, older: 310, never: 170 },
            }
        } else {
            Overview::default()
        };
        let waiting = if some { self.flag_summaries() } else { Vec::new() };
        OverviewPage::new(
            self.shell(Section::Overview, &self.words.say("overview-title")),
            &overview,
            waiting,
            self.now,
        )
        .with_asking(Total::Exact(if some { 34 } else { 0 }))
    }
}
