//! Samples of the page of one device, with everything, with little and without a battery; looked at by the tests of
//! [`super::samples`].

use cartable_common::{
    ContentHash, DeviceId, EnrolmentId, ReportId, Text,
    action::ActionOutcome,
    protocol::Disclosure,
    report::{Chassis, HealthReport, Subject, Unread, UnreadReason},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    design::sample_flag,
    device::{Allowed, DevicePage, DeviceRead},
    device_action::OrdersRead,
    device_correction::Offered,
    samples::Samples,
    shell::Section,
};
use crate::{
    domain::{
        change::Change,
        daily::DailyFigures,
        device::DeviceStatus,
        device_action::{Kind, Order},
        device_record::ContactExpected,
        flag::Severity,
        grade::Grade,
        policy::Policy,
        recovery::Cause,
        verdict::Verdict,
    },
    store::{
        contact::Contact,
        detail::{self, DeviceDetail},
        device::DeviceRow,
        device_action::ActionRow,
        device_record::Recorded,
        enrolment::Waiting,
        flag::FlagRow,
        health::Health,
        history::{ChangeRow, Day},
        recovery,
    },
};

impl Samples<'_> {
    fn report(&self) -> HealthReport {
        let text = |ordinary| self.told(ordinary);
        let value = json!({
            "hardware": { "manufacturer": text("Lenovo"), "model": text("ThinkPad X13"), "chassis": "laptop",
                "serial_number": text("PF2ABCDE"), "system_uuid": "4C4C4544-0035-3810-8051-B4C04F473332" },
            "processor": { "model": text("AMD Ryzen 5 PRO 4650U"), "cores": 6, "threads": 12 },
            "memory": { "total_bytes": 8_226_816_000_u64 },
            "firmware": { "vendor": text("LENOVO"), "version": text("R1CET63W"), "date": text("2023-05-04"),
                "secure_boot": "on", "tpm_version": 2, "key_protection": "tpm" },
            "operating_system": { "family": "windows", "name": text("windows"), "version": text("11 23H2"),
                "build": text("22631.4460"), "architecture": text("x86_64"), "reboot_pending": true },
            "volumes": [
                { "role": "system", "file_system": text("ntfs"), "total_bytes": 255_000_000_000_u64,
                  "available_bytes": 9_400_000_000_u64, "encryption": "on" },
                { "role": "removable" } ],
            "drives": [
                { "model": text("SAMSUNG MZVLB256HBHQ"), "serial_number": text("S4GXNX0N"), "firmware": text("4L2QEXH7"),
                  "kind": "nvme", "capacity_bytes": 256_060_514_304_u64, "self_assessment": "passed",
                  "power_on_hours": 4_321, "power_cycles": 2_100, "temperature_celsius": 41, "logged_errors": 3,
                  "nvme": { "critical_warning": 0, "available_spare_percent": 100,
                    "available_spare_threshold_percent": 10, "percentage_used_percent": 12, "media_errors": 7 } },
                { "kind": "hdd", "ata_attributes": [
                    { "id": 5, "name": text("Reallocated_Sector_Ct"), "value": 98, "worst": 98, "threshold": 36, "raw": 40 } ] } ],
            "batteries": [ { "manufacturer": text("SMP"), "model": text("5B10W13932"), "design_milliwatt_hours": 48_000,
                "full_milliwatt_hours": 31_200, "cycle_count": 412, "technology": text("Li-ion") } ],
            "temperatures": [ { "sensor": "processor", "celsius": 61 } ],
            "uptime_hours": 130,
            "unread": [ { "subject": "encryption", "reason": "permission_denied", "detail": text("access denied") },
                { "subject": "tpm", "reason": "not_present" } ],
        });
        serde_json::from_value(value).unwrap()
    }

    fn detail(&self) -> DeviceDetail {
        let id = DeviceId(Uuid::from_u128(0x0192_f3a0));
        let site = Uuid::from_u128(2);
        let device = DeviceRow {
            id,
            status: DeviceStatus::Quarantined,
            serial_number: self.some("PF2ABCDE"),
            system_uuid: self.some("4c4c4544-0035-3810-8051-b4c04f473332"),
            manufacturer: self.some("Lenovo"),
            model: self.some("ThinkPad X13"),
            chassis: Some("laptop".to_owned()),
            asset_tag: self.some("CD72-004512"),
            programme: self.some("ULIS"),
            site: Some(site),
            baseline: None,
            created_at: self.now.plus_days(-400),
            enrolled_at: Some(self.now.plus_days(-399)),
            archived_at: Some(self.now),
            archive_reason: self.some("écran cassé"),
            last_contact_day: Some(self.now.day_number()),
            worst_severity: 3,
            open_flags: 3,
        };
        let enrolment_id = EnrolmentId(Uuid::from_u128(3));
        DeviceDetail {
            device,
            site: Some(detail::SiteName {
                id: site,
                uai: "0720001A".to_owned(),
                name: self.told("Collège Les Tilleuls"),
                commune: self.told("Le Mans"),
            }),
            contact: Some(Contact {
                enrolment_id,
                first_at: self.now.plus_days(-399),
                last_at: self.now.plus_millis(-7_200_000),
                check_ins: 5_321,
                skew_millis: -3_200,
                agent_version: self.told("0.1.0"),
                content_hash: None,
            }),
            health: Some(Health {
                enrolment_id,
                report_id: ReportId(Uuid::from_u128(4)),
                sequence: 9,
                measured_at: self.now.plus_millis(-7_300_000),
                received_at: self.now.plus_millis(-7_200_000),
                content_hash: ContentHash::of(b"x").to_string(),
                drive_verdict: Verdict::Failing,
                battery_verdict: Verdict::Worn,
                past: Vec::new(),
                report: self.report(),
            }),
            brought_of: None,
            reported_by: None,
            foreign_agent: None,
            flags: self.flags(),
        }
    }

    pub(super) fn device(&self) -> DevicePage {
        let change = |before, after| ChangeRow {
            received_at: self.now,
            measured_at: self.now,
            report_id: ReportId(Uuid::from_u128(4)),
            change: Change { path: self.told("drives[S4GXNX0N].nvme.media_errors"), before, after },
        };
        let day = |day: i64| Day {
            day: self.now.day_number() - day,
            figures: DailyFigures {
                system_volume_available_percent: Some(4 + day),
                battery_health_percent: Some(65 + day / 20),
                drive_wear_percent: Some(12 - day / 15),
                hottest_celsius: Some(45 + day % 17),
            },
        };
        let cleared = FlagRow { cleared_at: Some(self.now), ..sample_flag(Severity::Warning, self.now) };
        let read = DeviceRead {
            detail: self.detail(),
            changes: vec![change(None, self.some("7")), change(self.some("3"), None)],
            days: (0..120).rev().map(day).collect(),
            flags_ever: vec![cleared],
            loans: Some(super::loan_samples::card(self.now, self.text)),
            advice: Some(self.advice()),
            decided: Some(self.decided()),
            disclosed: self.disclosed(),
            given: false,
            recorded: Recorded {
                contact_expected: ContactExpected::None,
                warranty_until: Some(jiff::civil::date(2028, 8, 31)),
                grade: Some(Grade::B),
            },
            offered: Some(self.offered()),
            orders: self.orders(),
            waiting: vec![Waiting {
                enrolment: EnrolmentId(Uuid::from_u128(46)),
                device: DeviceId(Uuid::from_u128(7)),
                serial_number: None,
                model: None,
                since: self.now.plus_days(-1),
            }],
            askers: 2,
            recoveries: vec![recovery::Waiting {
                id: Uuid::from_u128(47),
                enrolment: EnrolmentId(Uuid::from_u128(48)),
                device: DeviceId(Uuid::from_u128(7)),
                site: None,
                serial_number: None,
                model: None,
                cause: Cause::TooLong,
                since: self.now.plus_days(-2),
                last_contact: Some(self.now.plus_days(-450)),
            }],
        };
        let allowed = Allowed { change: true, admit: true };
        let title = super::device::title(&read.detail);
        DevicePage::new(self.shell(Section::Devices, &title), read, allowed, &Policy::default(), self.now)
    }

    /// A machine on mains, or a laptop whose battery is gone.
    pub(super) fn device_without_battery(&self, chassis: Chassis) -> DevicePage {
        let mut detail = self.detail();
        if let Some(health) = &mut detail.health {
            health.report.hardware.chassis = Some(chassis);
            health.report.batteries.clear();
            let reason = Some(UnreadReason::NotPresent);
            health.report.unread = vec![Unread { subject: Some(Subject::Batteries), reason, detail: None }];
            health.battery_verdict = Verdict::Unknown;
        }
        let title = super::device::title(&detail);
        let read = DeviceRead {
            detail,
            changes: Vec::new(),
            days: Vec::new(),
            flags_ever: Vec::new(),
            loans: None,
            advice: None,
            decided: None,
            disclosed: Disclosure::default(),
            given: false,
            orders: OrdersRead::default(),
            recorded: Recorded::default(),
            offered: None,
            waiting: Vec::new(),
            askers: 0,
            recoveries: Vec::new(),
        };
        let shell = self.shell(Section::Devices, &title);
        DevicePage::new(shell, read, Allowed::default(), &Policy::default(), self.now)
    }

    pub(super) fn bare_device(&self) -> DevicePage {
        let mut detail = self.detail();
        detail.site = None;
        detail.contact = None;
        detail.health = None;
        detail.flags = Vec::new();
        detail.device = DeviceRow {
            status: DeviceStatus::Pending,
            serial_number: None,
            system_uuid: None,
            manufacturer: None,
            model: None,
            chassis: None,
            asset_tag: None,
            programme: None,
            enrolled_at: None,
            archived_at: None,
            archive_reason: None,
            ..detail.device
        };
        let read = DeviceRead {
            detail,
            changes: Vec::new(),
            days: Vec::new(),
            flags_ever: Vec::new(),
            advice: None,
            decided: None,
            disclosed: Disclosure::default(),
            given: false,
            orders: OrdersRead::default(),
            recorded: Recorded::default(),
            offered: Some(self.offered()),
            waiting: Vec::new(),
            askers: 0,
            recoveries: Vec::new(),
            loans: None,
        };
        let allowed = Allowed { change: true, admit: true };
        let title = super::device::title(&read.detail);
        DevicePage::new(self.shell(Section::Devices, &title), read, allowed, &Policy::default(), self.now)
    }

    /// An order that waits, and one whose log came.
    fn orders(&self) -> OrdersRead {
        let row = |id: u128, kind: Kind, answer: Option<ActionOutcome>| ActionRow {
            id: Uuid::from_u128(id),
            device: DeviceId(Uuid::from_u128(7)),
            enrolment: EnrolmentId(Uuid::from_u128(49)),
            order: Order::stored(kind, None),
            counter: 1,
            ordered_at: self.now.plus_days(-1),
            ordered_by: self.told("technicienne"),
            expires_at: self.now.plus_days(6),
            told_at: answer.map(|_| self.now),
            answer: answer.map(|outcome| (outcome, self.now)),
            closed_at: answer.map(|_| self.now),
            drives: Vec::new(),
            has_log: answer.is_some(),
        };
        OrdersRead {
            rows: vec![row(51, Kind::SelfTest, None), row(50, Kind::SendLog, Some(ActionOutcome::Done))],
            may: Kind::ALL.to_vec(),
            reads_logs: true,
            has_agent: true,
            due: Some(jiff::civil::date(2027, 7, 2)),
        }
    }

    fn disclosed(&self) -> Disclosure {
        Disclosure {
            organisation: Text::meaningful(&self.told("Département de Valmarin")),
            contact: Text::meaningful(&self.told("numerique@valmarin.example")),
            until: Some(self.now.plus_days(90)),
            mark: None,
        }
    }

    fn offered(&self) -> Offered {
        Offered { sites: vec![self.site_row()], programmes: vec![self.programme()], depot: true }
    }
}
