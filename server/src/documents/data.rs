//! What templates are given, as plain values: docs/documents.md describes each field. No value ever becomes template
//! text, and no value leads to a file.

use serde::Serialize;
use serde_json::Value;

use super::{symbol, text};
use crate::domain::{
    borrower::{Borrower, BorrowerKind, Identity},
    document::DocumentNumber,
    label::{Sheet, SheetFormat},
    language::Language,
    loan::{HandedOver, Loan, Return},
    paris,
    signature::Drawing,
};

/// Who gives documents out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Letterhead {
    pub(super) issuer: Option<String>,
    pub(super) contact: Option<String>,
    /// Where the console is reached, without a slash at its end.
    pub(super) console: Option<String>,
}

impl Letterhead {
    /// What the QR code of a document holds: the address of its record; its number where the console has no address.
    pub(super) fn record_of(&self, number: DocumentNumber) -> String {
        self.address(&format!("documents/{number}")).unwrap_or_else(|| number.to_string())
    }

    /// The address of a page of the console.
    pub(super) fn address(&self, path: &str) -> Option<String> {
        self.console.as_ref().map(|console| format!("{console}/{path}"))
    }
}

/// What every document has.
#[derive(Debug, Serialize)]
struct Envelope<'a, T> {
    language: &'static str,
    document: Head<'a>,
    issuer: Issuer<'a>,
    #[serde(flatten)]
    rest: T,
}

#[derive(Debug, Serialize)]
struct Head<'a> {
    number: String,
    kind: &'static str,
    date: String,
    template: &'a str,
    version: &'a str,
    link: String,
    qr: Option<String>,
}

#[derive(Debug, Serialize)]
struct Issuer<'a> {
    name: &'a str,
    owner: &'a str,
    contact: Option<&'a str>,
}

/// Which document it is, and in whose name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Title<'a> {
    pub(super) number: DocumentNumber,
    pub(super) language: Language,
    pub(super) template: &'a super::Template,
    pub(super) letterhead: &'a Letterhead,
    /// Who owns the devices; stands in for a letterhead that is not configured.
    pub(super) owner: Option<&'a str>,
    pub(super) date: jiff::civil::Date,
    /// Where its QR code leads, where that is not its record.
    pub(super) link: Option<&'a str>,
    /// What stands in the place of its number, where it is not recorded.
    pub(super) name: Option<&'a str>,
}

/// The data of a document: `rest` within what every document has, each text made printable.
pub(super) fn data<T: Serialize>(title: Title<'_>, rest: T) -> Value {
    let Title { number, language, template, letterhead, owner, date, link, name } = title;
    let link = link.map_or_else(|| letterhead.record_of(number), str::to_owned);
    let shown = name.map_or_else(|| number.to_string(), str::to_owned);
    let name = letterhead.issuer.as_deref().or(owner).unwrap_or("Cartable");
    let whole = Envelope {
        language: language.as_str(),
        document: Head {
            number: shown,
            kind: number.kind.as_str(),
            date: date.to_string(),
            template: &template.name,
            version: &template.version,
            qr: symbol::qr(&link, false),
            link,
        },
        issuer: Issuer { name, owner: owner.unwrap_or(name), contact: letterhead.contact.as_deref() },
        rest,
    };
    // These types hold nothing that JSON cannot.
    let mut value = serde_json::to_value(whole).unwrap_or_default();
    text::make_printable(&mut value);
    value
}

/// A device, as documents name it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Device {
    pub(super) asset_tag: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) model: Option<String>,
}

/// A site.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) uai: String,
    pub(super) commune: String,
}

/// A borrower: who it is only where that was opened.
#[derive(Clone, Serialize)]
pub(super) struct Holder {
    pub(super) reference: String,
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
    pub(super) class: Option<String>,
}

impl Holder {
    pub(super) fn new(borrower: &Borrower, identity: Option<&Identity>) -> Self {
        Self {
            reference: borrower.reference.to_string(),
            kind: borrower.kind.as_str(),
            name: borrower.institution_name.clone().or_else(|| identity.map(|identity| identity.name.clone())),
            class: identity.and_then(|identity| identity.class.clone()),
        }
    }
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holder({})", self.reference)
    }
}

/// A loan.
#[derive(Clone, Default, Serialize)]
pub(super) struct Lent {
    pub(super) handed_over: Option<String>,
    pub(super) due: Option<String>,
    pub(super) accessories: Vec<String>,
    pub(super) signature: Option<&'static str>,
    pub(super) drawing: Option<String>,
}

impl Lent {
    pub(super) fn of(loan: &Loan, drawing: Option<&Drawing>) -> Self {
        loan.state.handed_over().map(|handed| Self::handed(handed, drawing)).unwrap_or_default()
    }

    fn handed(handed: &HandedOver, drawing: Option<&Drawing>) -> Self {
        Self {
            handed_over: Some(paris::date(handed.at).to_string()),
            due: handed.due.map(|due| due.to_string()),
            accessories: handed.accessories.clone(),
            signature: handed.signature.map(crate::domain::loan::Signature::as_str),
            drawing: drawing.map(symbol::signature),
        }
    }
}

/// How a device came back.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Back {
    pub(super) on: String,
    pub(super) time: String,
    pub(super) condition: &'static str,
    pub(super) missing: Vec<String>,
    pub(super) by: String,
}

impl Back {
    pub(super) fn new(back: &Return, by: String) -> Self {
        let at = paris::date_time(back.at);
        Self {
            on: at.date().to_string(),
            time: at.strftime("%H:%M").to_string(),
            condition: back.condition.as_str(),
            missing: back.missing.clone(),
            by,
        }
    }
}

/// An agreement.
#[derive(Serialize)]
pub(super) struct Agreement {
    pub(super) loan: Lent,
    pub(super) device: Device,
    pub(super) borrower: Holder,
    pub(super) site: Option<Site>,
    /// Whether those who sign are holders of parental authority.
    pub(super) guardians: bool,
    /// Who signs; none where the name is not known and a line is left for it.
    pub(super) signatories: Vec<Option<String>>,
}

/// A receipt.
#[derive(Serialize)]
pub(super) struct Receipt {
    pub(super) loan: Lent,
    pub(super) device: Device,
    pub(super) borrower: Holder,
    pub(super) site: Option<Site>,
    pub(super) returned: Back,
}

/// A line of a list of loans.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) device: Device,
    pub(super) borrower: Option<Holder>,
    pub(super) handed_over: Option<String>,
    pub(super) due: Option<String>,
    pub(super) overdue: bool,
}

/// The loans of a site.
#[derive(Serialize)]
pub(super) struct SiteList {
    pub(super) site: Site,
    /// Whether borrowers are shown at all.
    pub(super) borrowers: bool,
    /// Whether there are more loans than rows.
    pub(super) more: bool,
    pub(super) rows: Vec<Row>,
}

/// A campaign, as its letters name it.
#[derive(Serialize)]
pub(super) struct CampaignNamed {
    pub(super) name: String,
    pub(super) first: String,
    pub(super) last: String,
}

/// The letter about one loan.
#[derive(Serialize)]
pub(super) struct Letter {
    /// The borrower's language.
    pub(super) language: &'static str,
    pub(super) borrower: Holder,
    pub(super) device: Device,
    /// What went with the device and is to be brought.
    pub(super) accessories: Vec<String>,
    pub(super) day: String,
    pub(super) desk: u32,
    pub(super) slot: u32,
}

/// The letters of a site in a campaign.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the template reads `letters`")]
pub(super) struct Letters {
    pub(super) site: Site,
    pub(super) campaign: CampaignNamed,
    /// Who answers for the site's loans: whom to ask.
    pub(super) referents: Vec<String>,
    pub(super) letters: Vec<Letter>,
}

/// One label; lengths in millimetres.
#[derive(Debug, Serialize)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name: String,
    pub(super) serial: Option<String>,
    pub(super) model: Option<String>,
    pub(super) qr: Option<String>,
    pub(super) bar_code: Option<String>,
}

/// Sheets of labels.
#[derive(Debug, Serialize)]
pub(super) struct Labels {
    pub(super) sheet: Measures,
    pub(super) pages: Vec<Vec<Label>>,
}

/// A sheet's measures in millimetres.
#[derive(Debug, Serialize)]
pub(super) struct Measures {
    format: &'static str,
    width: f64,
    height: f64,
    bar_code: bool,
}

impl Measures {
    pub(super) fn new(format: SheetFormat, sheet: &Sheet) -> Self {
        let (width, height) = (millimetres(sheet.width), millimetres(sheet.height));
        Self { format: format.as_str(), width, height, bar_code: format.has_bar_code() }
    }
}

pub(super) fn millimetres(micrometres: u32) -> f64 {
    f64::from(micrometres) / 1_000.0
}

/// Who signs an agreement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signatories {
    /// All holders of parental authority; the borrower where it is no pupil.
    #[default]
    All,
    /// One of them, from 1.
    One(usize),
}

/// There is no such holder of parental authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this borrower has no such holder of parental authority")]
pub struct NoSuchHolder;

impl Signatories {
    /// The names under an agreement, and whether they are those of holders of parental authority. Where none are known,
    /// lines are left: two for all, one for one. Institutions and staff sign for themselves.
    pub(super) fn names(
        self,
        borrower: &Borrower,
        identity: Option<&Identity>,
    ) -> Result<(Vec<Option<String>>, bool), NoSuchHolder> {
        let staff = borrower.level == Some(crate::domain::borrower::Level::Staff);
        if borrower.kind == BorrowerKind::Institution || staff {
            return Ok((vec![identity.filter(|_| staff).map(|identity| identity.name.clone())], false));
        }
        let known: Vec<Option<String>> =
            identity.map(|who| who.guardians.iter().map(|one| Some(one.name.clone())).collect()).unwrap_or_default();
        match self {
            Self::All if known.is_empty() => Ok((vec![None, None], true)),
            Self::All => Ok((known, true)),
            Self::One(1) if known.is_empty() => Ok((vec![None], true)),
            Self::One(place) => {
                let name = place.checked_sub(1).and_then(|index| known.into_iter().nth(index));
                Ok((vec![name.ok_or(NoSuchHolder)?], true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::UtcMillis;

    use super::*;
    use crate::domain::borrower::{Guardian, Level};

    fn borrower(kind: BorrowerKind, level: Option<Level>) -> Borrower {
        Borrower {
            id: uuid::Uuid::nil(),
            reference: "B-7K3M-Q2ZD".parse().unwrap(),
            kind,
            institution_name: None,
            site: None,
            level,
            left_site_day: None,
            created_at: UtcMillis::default(),
            identity_erased_at: None,
        }
    }

    #[test]
    fn whoever_answers_for_the_borrower_signs() {
        let guardian = |name: &str| Guardian { name: name.into(), ..Guardian::default() };
        let family = Identity {
            name: "Inès".into(),
            guardians: vec![guardian("Anne"), guardian("Paul")],
            ..Identity::default()
        };
        let pupil = borrower(BorrowerKind::Person, Some(Level::Cinquieme));
        let some = |name: &str| Some(name.to_owned());
        let all = Signatories::All;
        assert_eq!(all.names(&pupil, Some(&family)), Ok((vec![some("Anne"), some("Paul")], true)));
        assert_eq!(Signatories::One(2).names(&pupil, Some(&family)), Ok((vec![some("Paul")], true)));
        for place in [0, 3, usize::MAX] {
            assert_eq!(Signatories::One(place).names(&pupil, Some(&family)), Err(NoSuchHolder));
        }
        assert_eq!(all.names(&pupil, None), Ok((vec![None, None], true)));
        assert_eq!(Signatories::One(1).names(&pupil, None), Ok((vec![None], true)));
        let teacher = borrower(BorrowerKind::Person, Some(Level::Staff));
        assert_eq!(all.names(&teacher, Some(&family)), Ok((vec![some("Inès")], false)));
        assert_eq!(all.names(&borrower(BorrowerKind::Institution, None), None), Ok((vec![None], false)));
    }
}
