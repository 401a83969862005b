//! Sample data for each kind of document: what templates are checked with, short and long, whole and with gaps.

use jiff::civil::date;
use serde_json::Value;

use super::{
    Template,
    data::{
        self, Agreement, Back, CampaignNamed, Device, Holder, Label, Labels, Lent, Letter, Letterhead, Letters,
        Measures, Receipt, Row, Site, SiteList, Title, millimetres,
    },
    donation,
    erasure::{ErasureSheet, SheetDrive},
    report, symbol,
};
use crate::domain::{
    document::{DocumentKind, DocumentNumber},
    erasure::{Level, Method, Verification, certificate::CertifiedDrive},
    label::SheetFormat,
    language::Language,
};

/// A stroke up and down, as a signature.
const DRAWN: &str = "60,140 120,60 180,150 240,50 300,140 360,70 420,130 520,90";

/// Samples of `kind`, in `language`.
pub(super) fn of(kind: DocumentKind, language: Language, template: &Template) -> Vec<Value> {
    let letterhead = Letterhead {
        issuer: Some("Département de Valmarin".into()),
        contact: Some("dpo@valmarin.example".into()),
        console: Some("https://cartable.valmarin.example".into()),
    };
    let bare = Letterhead::default();
    let number = DocumentNumber { kind, year: 2026, serial: 123 };
    let date = date(2026, 11, 29);
    let owner = Some("Département de Valmarin");
    let full = Title { number, language, template, letterhead: &letterhead, owner, date, link: None, name: None };
    let empty = Title { letterhead: &bare, owner: None, ..full };
    match kind {
        DocumentKind::Agreement => {
            vec![data::data(full, agreement(true)), data::data(empty, agreement(false))]
        }
        DocumentKind::Receipt => vec![data::data(full, receipt(true)), data::data(empty, receipt(false))],
        DocumentKind::SiteList => {
            vec![data::data(full, list(60)), data::data(full, list(1)), data::data(empty, list(0))]
        }
        DocumentKind::CampaignLetter => {
            vec![data::data(full, letters(3, language)), data::data(empty, letters(1, language))]
        }
        DocumentKind::ErasureCertificate => {
            vec![data::data(full, erasure(true)), data::data(empty, erasure(false))]
        }
        DocumentKind::DonationDeed | DocumentKind::PackingList => {
            vec![data::data(full, donation::sample(true)), data::data(empty, donation::sample(false))]
        }
        DocumentKind::YearlyReport => {
            vec![data::data(full, report::sample(true, language)), data::data(empty, report::sample(false, language))]
        }
        DocumentKind::Labels => {
            SheetFormat::ALL.iter().map(|format| data::data(full, labels(*format, &letterhead))).collect()
        }
    }
}

fn device(whole: bool) -> Device {
    if whole {
        Device {
            asset_tag: Some("CD72-004512".into()),
            serial: Some("PF2ABCDE".into()),
            model: Some("Lenovo ThinkPad X13 Gen 2".into()),
        }
    } else {
        Device::default()
    }
}

fn holder(whole: bool) -> Holder {
    let some = |text: &str| whole.then(|| text.to_owned());
    Holder { reference: "B-7K3M-Q2ZD".into(), kind: "person", name: some("Inès Martin"), class: some("5e B") }
}

fn site() -> Site {
    Site { name: "Collège Les Tilleuls".into(), uai: "0720001A".into(), commune: "Valmarin".into() }
}

fn lent(whole: bool) -> Lent {
    if !whole {
        return Lent::default();
    }
    Lent {
        handed_over: Some("2026-09-07".into()),
        due: Some("2027-07-02".into()),
        accessories: vec!["Chargeur".into(), "Sacoche".into(), "Souris".into()],
        signature: Some("drawn"),
        drawing: DRAWN.parse().ok().as_ref().map(symbol::signature),
    }
}

fn agreement(whole: bool) -> Agreement {
    let names = ["Anne Martin", "Paul Martin"];
    Agreement {
        loan: lent(whole),
        device: device(whole),
        borrower: holder(whole),
        site: whole.then(site),
        guardians: whole,
        signatories: if whole { names.map(|name| Some(name.to_owned())).to_vec() } else { vec![None] },
    }
}

fn receipt(whole: bool) -> Receipt {
    let missing = if whole { vec!["Souris".to_owned()] } else { Vec::new() };
    Receipt {
        loan: lent(whole),
        device: device(whole),
        borrower: holder(whole),
        site: whole.then(site),
        returned: Back {
            on: "2027-07-02".into(),
            time: "10:05".into(),
            condition: if whole { "worn" } else { "good" },
            missing,
            by: "Bruno Petit".into(),
        },
    }
}

fn list(rows: usize) -> SiteList {
    let row = |index: usize| Row {
        device: device(!index.is_multiple_of(7)),
        borrower: Some(holder(!index.is_multiple_of(3))),
        handed_over: (!index.is_multiple_of(11)).then(|| "2026-09-07".to_owned()),
        due: (!index.is_multiple_of(5)).then(|| "2026-11-01".to_owned()),
        overdue: index.is_multiple_of(4),
    };
    SiteList { site: site(), borrowers: rows != 1, more: rows > 50, rows: (0..rows).map(row).collect() }
}

fn letters(count: usize, own: Language) -> Letters {
    let whole = count > 1;
    let other = if own == Language::French { Language::English } else { Language::French };
    let letter = |index: usize| Letter {
        // One page in the other language, and one without anything that may be missing.
        language: if index == 1 { other } else { own }.as_str(),
        borrower: holder(index.is_multiple_of(2) && whole),
        device: device(index < 2 && whole),
        accessories: if index < 2 { lent(whole).accessories } else { Vec::new() },
        day: "2027-06-15".into(),
        desk: 1,
        slot: u32::try_from(index + 1).unwrap_or(1),
    };
    let campaign = CampaignNamed {
        name: "Restitutions de juin".into(),
        first: "2027-06-14".into(),
        last: if whole { "2027-06-25" } else { "2027-06-14" }.into(),
    };
    let referents = if whole { vec!["Claire Roux".to_owned(), "Bruno Petit".to_owned()] } else { Vec::new() };
    Letters { site: site(), campaign, referents, letters: (0..count).map(letter).collect() }
}

fn erasure(whole: bool) -> ErasureSheet {
    let drive = |method: &str, level: &str, verification: &str| SheetDrive {
        facts: CertifiedDrive {
            serial: "S5GXNX0R123456".into(),
            model: whole.then(|| "Samsung SSD 980 500GB".into()),
            medium: "flash".into(),
            method: method.into(),
            level: level.into(),
            tool: "nvme-cli 2.3".into(),
            passes: 1,
            capacity_bytes: whole.then_some(500_107_862_016),
            bytes_erased: whole.then_some(500_107_862_016),
            errors: 0,
            verification: verification.into(),
            started_at: "2026-11-29T20:24:04Z".into(),
            ended_at: "2026-11-29T20:26:41Z".into(),
            evidence_sha256: if whole { vec!["9f".repeat(32), "c1".repeat(32)] } else { Vec::new() },
        },
        started_on: "2026-11-29".into(),
        ended_on: "2026-11-29".into(),
        operator: "rosa".into(),
        witness: whole.then(|| "anne".into()),
    };
    let drives = if whole {
        // Every word that the template has.
        let methods = Method::ALL.iter().zip(Verification::ALL.iter().cycle()).zip(Level::ALL.iter().cycle());
        methods.map(|((method, seen), level)| drive(method.as_str(), level.as_str(), seen.as_str())).collect()
    } else {
        vec![drive("overwrite", "clear", "last_pass")]
    };
    ErasureSheet {
        device: device(whole),
        demand: if whole { "leave" } else { "relend" }.into(),
        drives,
        absent: if whole { vec!["WD-WCC7K1234567".into()] } else { Vec::new() },
        signature: "A".repeat(86),
        key: "0f".repeat(32),
    }
}

fn labels(format: SheetFormat, letterhead: &Letterhead) -> Labels {
    let sheet = format.sheet();
    let label = |index: u32| {
        let (place, name) = (sheet.place(index, 2), format!("CD72-00{:04}", 4512 + index));
        let link = letterhead.address("devices/0192f3a0-1111-7000-8000-000000000001").unwrap_or_default();
        Label {
            x: millimetres(place.x),
            y: millimetres(place.y),
            serial: Some("PF2ABCDE".into()),
            model: Some("Lenovo ThinkPad X13 Gen 2".into()),
            qr: symbol::qr(if format.has_bar_code() { &link } else { &name }, true),
            bar_code: symbol::bar_code(&name),
            name,
        }
    };
    Labels { sheet: Measures::new(format, &sheet), pages: vec![(0..5).map(label).collect()] }
}
