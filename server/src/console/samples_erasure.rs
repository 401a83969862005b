//! Samples of the pages of erasures; looked at by the tests of [`super::samples`].

use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    check::{CheckPage, Found},
    erasure::{ErasureRead, ErasuresPage, May},
    samples::Samples,
    shell::{Section, Shell},
};
use crate::{
    domain::{
        document::{DocumentKind, DocumentNumber},
        erasure::{
            Level, Medium, Method, Outcome, Reading, Source, Verification,
            certificate::{CertifiedDrive, FORM, Facts},
            gap::{Absence, SeenDrive},
        },
        policy::Policy,
    },
    store::{
        erasure::{Declared, Erasure},
        erasure_certificate::Certificate,
        erasure_file::EvidenceFile,
        erasure_gap::Drives,
    },
};

impl Samples<'_> {
    fn erasure(&self, number: u128, (method, source): (Method, Source), outcome: Outcome) -> Erasure {
        Erasure {
            id: Uuid::from_u128(number),
            device: DeviceId(Uuid::from_u128(7)),
            level: Level::Clear,
            reading: Reading {
                drive: self.told("S5GXNX0R123456").parse().unwrap(),
                model: self.some("Samsung SSD 980"),
                medium: Medium::Flash,
                capacity_bytes: Some(500_107_862_016),
                method,
                method_name: self.told("Fill With Zeros"),
                tool: self.told("nwipe"),
                tool_version: self.told("0.38"),
                started_at: self.now.plus_days(-3),
                ended_at: self.now.plus_days(-3),
                passes: 2,
                bytes_erased: Some(500_107_862_016),
                errors: 0,
                verification: Verification::LastPass,
                outcome,
                host: self.some("PF2ABCDE"),
                source,
            },
            operator: self.told("rosa"),
            witness: None,
            recorded_at: self.now.plus_days(-2),
            used_again: false,
        }
    }

    pub(super) fn erasures(&self, some: bool) -> ErasuresPage {
        let erasures = vec![
            self.erasure(1, (Method::Overwrite, Source::NwipeLogAndPdf), Outcome::Erased),
            self.erasure(2, (Method::Destruction, Source::Hand), Outcome::Erased),
            self.erasure(3, (Method::NvmeSanitizeBlock, Source::Nvme), Outcome::Failed),
        ];
        let seen = SeenDrive {
            key: self.told("S5GXNX0R123456").parse().unwrap(),
            model: self.some("Samsung SSD 980"),
            medium: Medium::Flash,
            capacity_bytes: Some(500_107_862_016),
            last_seen: self.now.plus_days(-5),
        };
        let absence =
            Absence { key: self.told("WD-1").parse().unwrap(), declared_at: self.now.plus_days(-1), seen_again: false };
        let declared = Declared { absence, reason: self.told("Retiré pour pièces"), by: self.told("anne") };
        let file = EvidenceFile {
            id: Uuid::from_u128(9),
            name: self.told("nwipe.log"),
            sha256: [7; 32],
            proves: vec![Uuid::from_u128(1)],
            by: self.told("rosa"),
            at: self.now,
        };
        let certificate = Certificate {
            number: "ERA-2026-000123".to_owned(),
            device: DeviceId(Uuid::from_u128(7)),
            facts: "{}".to_owned(),
            signature: [7; 64],
            made_at: self.now,
        };
        let read = ErasureRead {
            device: DeviceId(Uuid::from_u128(7)),
            name: self.told("PF2ABCDE"),
            drives: if some {
                Drives { seen: vec![seen], erasures, declared: vec![declared], lent: None }
            } else {
                Drives::default()
            },
            files: if some { vec![file] } else { Vec::new() },
            certificates: if some { vec![certificate] } else { Vec::new() },
        };
        let shell = self.shell(Section::Devices, &self.words.say("erasure-title"));
        let problem = some.then(|| self.told("?"));
        ErasuresPage::new(
            shell,
            &read,
            &Policy::default().erasure,
            ("bruno", May { record: some, declare: some }),
            (problem, self.now),
        )
    }

    pub(super) fn checked(&self, found: Found) -> CheckPage {
        let number = DocumentNumber { kind: DocumentKind::ErasureCertificate, year: 2026, serial: 123 };
        let drive = CertifiedDrive {
            serial: self.told("S5GXNX0R123456"),
            model: self.some("Samsung SSD 980"),
            medium: "flash".to_owned(),
            method: "nvme_sanitize_block".to_owned(),
            level: "purge".to_owned(),
            tool: self.told("nvme-cli 2.3"),
            passes: 1,
            capacity_bytes: Some(500_107_862_016),
            bytes_erased: None,
            errors: 0,
            verification: "device_status".to_owned(),
            started_at: "2026-11-29T20:24:04Z".to_owned(),
            ended_at: "2026-11-29T20:26:41Z".to_owned(),
            evidence_sha256: vec!["9f".repeat(32)],
        };
        let facts = Facts {
            form: FORM.to_owned(),
            number: number.to_string(),
            made_on: "2026-11-29".to_owned(),
            device_serial: self.some("PF2ABCDE"),
            device_label: self.some("CD72-004512"),
            device_model: self.some("Lenovo ThinkPad X13"),
            demand: "leave".to_owned(),
            drives: vec![drive],
            absent: vec![self.told("WD-1")],
        };
        let title = self.words.with("check-title", &number.to_string());
        let shell = Shell { person: None, ..self.shell(Section::Elsewhere, &title) };
        CheckPage::new(shell, number, found, (found == Found::Genuine).then_some(&facts), "0f".repeat(32))
    }
}
