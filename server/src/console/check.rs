//! The public page of an erasure certificate: whether it is ours, whether it was altered, and whether it still holds.
//! Nobody signs in, and nothing personal is shown. Without the signature that stands on the paper nothing is shown but
//! that a certificate of that number exists: numbers can be counted, signatures cannot be guessed.

use askama::Template;
use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Path, Query, Request, State, multipart::MultipartError},
    http::StatusCode,
    response::Response,
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    component::{Badge, Tone},
    error::{Refusal, size},
    facts::{Fact, fact},
    i18n::Words,
    shell::{self, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    domain::{
        document::{DocumentKind, DocumentNumber},
        erasure::{
            certificate::{CertifiedDrive, Facts},
            gap::Demand,
        },
        scope::Scope,
    },
    store::{
        Tx, device,
        erasure_certificate::{self, Certificate},
        erasure_gap,
    },
};

/// Largest PDF that is compared: those that are made have about 60 KB.
pub(super) const LARGEST_PDF: usize = 4 << 20;

/// The page.
#[derive(Debug, Template)]
#[template(path = "check.html")]
pub(super) struct CheckPage {
    shell: Shell,
    /// Where a file is compared; none where there is nothing to compare it with.
    path: Option<String>,
    badge: Badge,
    explained: String,
    facts: Vec<Fact>,
    drives: Vec<(String, Vec<Fact>)>,
    key: String,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The number exists; nothing was compared.
    Exists,
    /// The signature, or the file, is the one that was made.
    Genuine,
    /// It was genuine; the device was used since, or something else changed.
    NoLonger,
    /// The signature, or the file, is not the one that was made.
    Altered,
    /// No certificate has this number.
    Unknown,
    /// The file is larger than any that is made: it was not compared.
    TooLarge,
}

impl Found {
    #[cfg(test)]
    const ALL: [Self; 6] = [Self::Exists, Self::Genuine, Self::NoLonger, Self::Altered, Self::Unknown, Self::TooLarge];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Genuine => "genuine",
            Self::NoLonger => "no-longer",
            Self::Altered => "altered",
            Self::Unknown => "unknown",
            Self::TooLarge => "too-large",
        }
    }

    /// Every code, for the catalogues.
    #[cfg(test)]
    pub(super) fn codes() -> Vec<&'static str> {
        Self::ALL.map(Self::as_str).to_vec()
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Exists => Tone::Info,
            Self::Genuine => Tone::Good,
            Self::NoLonger | Self::TooLarge => Tone::Warning,
            Self::Altered | Self::Unknown => Tone::Critical,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Exists | Self::Genuine | Self::NoLonger | Self::Altered => StatusCode::OK,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }

    /// What it means, in a sentence or two.
    fn explained(self, words: Words) -> String {
        if self == Self::TooLarge {
            return words.with("check-explained-too-large", &size(LARGEST_PDF, words));
        }
        words.word("check-explained", self.as_str())
    }
}

impl CheckPage {
    /// The page; `facts` only where the paper's own signature, or the file itself, was shown.
    pub(super) fn new(shell: Shell, number: DocumentNumber, found: Found, facts: Option<&Facts>, key: String) -> Self {
        let words = shell.words;
        Self {
            path: (found != Found::Unknown).then(|| format!("/check/{number}")),
            badge: Badge::new(found.tone(), words.word("check", found.as_str())),
            explained: found.explained(words),
            facts: facts.map(|facts| of_device(facts, words)).unwrap_or_default(),
            drives: facts
                .map(|facts| facts.drives.iter().map(|drive| (drive.serial.clone(), of_drive(drive, words))).collect())
                .unwrap_or_default(),
            key,
            shell,
        }
    }
}

fn of_device(facts: &Facts, words: Words) -> Vec<Fact> {
    let absent = Some(facts.absent.join(", ")).filter(|text| !text.is_empty());
    let lines = [
        ("check-made", Some(facts.made_on.clone())),
        ("device-asset-tag", facts.device_label.clone()),
        ("fact-model", facts.device_model.clone()),
        ("fact-serial", facts.device_serial.clone()),
        ("check-demand", Some(words.word("erasure-demand", &facts.demand))),
        ("check-absent", absent),
    ];
    lines.into_iter().filter_map(|(key, value)| value.map(|value| fact(words, key, Some(value)))).collect()
}

fn of_drive(drive: &CertifiedDrive, words: Words) -> Vec<Fact> {
    let lines = [
        ("fact-model", drive.model.clone()),
        ("erasure-level-name", Some(words.word("erasure-level", &drive.level))),
        ("check-method", Some(words.word("erasure-method", &drive.method))),
        ("erasure-tool", Some(drive.tool.clone())),
        ("erasure-started", Some(drive.started_at.clone())),
        ("erasure-ended", Some(drive.ended_at.clone())),
        ("erasure-passes", Some(drive.passes.to_string())),
        ("erasure-bytes", drive.bytes_erased.map(|bytes| bytes.to_string())),
        ("erasure-verification", Some(words.word("erasure-verified", &drive.verification))),
    ];
    lines.into_iter().filter_map(|(key, value)| value.map(|value| fact(words, key, Some(value)))).collect()
}

/// The signature, as the address has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    s: Option<String>,
}

/// `GET /check/{number}`
pub(super) async fn check(
    visitor: Visitor,
    State(app): State<App>,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let (number, certificate) = match named(&mut tx, &number).await? {
        Ok(named) => named,
        Err(number) => return unknown(&visitor, &app, number),
    };
    let found = match asked.s {
        None => Found::Exists,
        Some(shown) => {
            let signature = BASE64URL_NOPAD.decode(shown.as_bytes()).unwrap_or_default();
            if app.vault.signed_document(certificate.facts.as_bytes(), &signature) {
                standing(&mut tx, &app, &certificate).await?
            } else {
                Found::Altered
            }
        }
    };
    show(&visitor, &app, number, found, &certificate)
}

/// `POST /check/{number}`: whether a file is the certificate, byte for byte. It is compared and forgotten.
pub(super) async fn compare(
    visitor: Visitor,
    State(app): State<App>,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let (number, certificate) = match named(&mut tx, &number).await? {
        Ok(named) => named,
        Err(number) => return unknown(&visitor, &app, number),
    };
    let made = erasure_certificate::pdf_sha256(&mut tx, number).await?.ok_or(Refusal::NotFound)?;
    drop(tx);
    let brought = match brought(request).await {
        Ok(brought) => brought,
        Err(Refusal::TooLarge(_)) => return show(&visitor, &app, number, Found::TooLarge, &certificate),
        Err(refusal) => return Err(refusal),
    };
    // Our own record of the facts must be sound too: it is not the database that is believed, but the key.
    let sound = app.vault.signed_document(certificate.facts.as_bytes(), &certificate.signature);
    let found = if sound && Sha256::digest(&brought).as_slice() == made.as_slice() {
        let mut tx = app.store.read().await?;
        standing(&mut tx, &app, &certificate).await?
    } else {
        Found::Altered
    };
    show(&visitor, &app, number, found, &certificate)
}

/// The file of a form that holds one.
async fn brought(request: Request) -> Result<Bytes, Refusal> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Refusal::Nonsense)?;
    let mut brought = None;
    while let Some(part) = form.next_field().await.map_err(|error| unread(&error))? {
        if part.name() == Some("file") {
            brought = Some(part.bytes().await.map_err(|error| unread(&error))?);
        }
    }
    brought.filter(|bytes| !bytes.is_empty()).ok_or(Refusal::Nonsense)
}

fn unread(error: &MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge(Some(LARGEST_PDF))
    } else {
        Refusal::Nonsense
    }
}

/// The certificate of that number; the number where it is nobody's. What is no number of a certificate at all has no page.
async fn named(tx: &mut Tx, number: &str) -> Result<Result<(DocumentNumber, Certificate), DocumentNumber>, Refusal> {
    let number: DocumentNumber = number.parse().map_err(|_| Refusal::NotFound)?;
    if number.kind != DocumentKind::ErasureCertificate {
        return Err(Refusal::NotFound);
    }
    let found = erasure_certificate::find(tx, number).await?;
    Ok(found.map(|found| (number, found)).ok_or(number))
}

/// Whoever holds a paper with that number learns that it is not one of ours.
fn unknown(visitor: &Visitor, app: &App, number: DocumentNumber) -> Result<Response, Refusal> {
    page(visitor, app, number, (Found::Unknown, None))
}

fn facts_of(certificate: &Certificate) -> Option<Facts> {
    serde_json::from_str(&certificate.facts).ok()
}

/// Whether what a genuine certificate says still holds: no drive was used since, none came in.
async fn standing(tx: &mut Tx, app: &App, certificate: &Certificate) -> Result<Found, Refusal> {
    let demand: Option<Demand> = facts_of(certificate).and_then(|facts| facts.demand.parse().ok());
    let device = device::find(tx, &Scope::Everything, certificate.device).await?;
    let (Some(demand), Some(device)) = (demand, device) else { return Ok(Found::NoLonger) };
    let gap = erasure_gap::of_device(tx, &device, demand, &app.policy.erasure).await?;
    Ok(if gap.is_empty() { Found::Genuine } else { Found::NoLonger })
}

fn show(
    visitor: &Visitor,
    app: &App,
    number: DocumentNumber,
    found: Found,
    certificate: &Certificate,
) -> Result<Response, Refusal> {
    let shown = matches!(found, Found::Genuine | Found::NoLonger);
    let facts = facts_of(certificate).filter(|_| shown);
    page(visitor, app, number, (found, facts.as_ref()))
}

fn page(
    visitor: &Visitor,
    app: &App,
    number: DocumentNumber,
    (found, facts): (Found, Option<&Facts>),
) -> Result<Response, Refusal> {
    let key = HEXLOWER.encode(&app.vault.document_public_key().map_err(Refusal::from)?);
    let title = visitor.words.with("check-title", &number.to_string());
    let page = CheckPage::new(visitor.bare(title), number, found, facts, key);
    Ok(shell::page(found.status(), &page))
}
