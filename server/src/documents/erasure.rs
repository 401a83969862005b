//! Certificates of erasure: made only of a device whose drives are all proven erased or gone, numbered, and signed.
//!
//! The signature covers the facts, as canonical JSON; it stands on the paper and in the address of its QR code, which leads
//! to a page that anybody may open. What the paper says of people (who did it, who saw it) is not in the facts.

use cartable_common::{DeviceId, UtcMillis};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    Documents,
    data::{self, Device, Title},
    make::{Made, MakeError, Maker},
};
use crate::{
    domain::{
        device::full_model,
        document::{DocumentKind, DocumentNumber},
        erasure::{
            Reading, Source,
            certificate::{CertifiedDrive, FORM, Facts},
            gap::{self, Demand, Standing},
        },
        language::Language,
        paris,
        policy::ErasurePolicy,
        scope::Scope,
    },
    store::{
        Tx,
        device::{self, DeviceRow},
        document::{self, Document, Subject},
        erasure::Erasure,
        erasure_certificate::{self, Certificate},
        erasure_file::{self, EvidenceFile},
        erasure_gap::{self, Drives},
    },
};

/// What the template is given besides what every document has.
#[derive(Serialize)]
pub(super) struct ErasureSheet {
    pub(super) device: Device,
    pub(super) demand: String,
    pub(super) drives: Vec<SheetDrive>,
    pub(super) absent: Vec<String>,
    /// Base64url.
    pub(super) signature: String,
    /// The public key, hexadecimal.
    pub(super) key: String,
}

/// A drive on the paper.
#[derive(Serialize)]
pub(super) struct SheetDrive {
    #[serde(flatten)]
    pub(super) facts: CertifiedDrive,
    /// The days on which it began and ended.
    pub(super) started_on: String,
    pub(super) ended_on: String,
    pub(super) operator: String,
    pub(super) witness: Option<String>,
}

/// What is certified, as read in one unit of work.
struct Proven {
    device: DeviceRow,
    drives: Vec<(CertifiedDrive, Erasure)>,
    absent: Vec<String>,
}

impl Documents {
    /// The certificate of a device, for what `demand` says: the one that exists where its facts are the same, in that
    /// language and byte for byte; else another.
    pub async fn erasure_certificate(
        &self,
        by: Maker<'_>,
        id: DeviceId,
        (demand, policy): (Demand, &ErasurePolicy),
        language: Language,
    ) -> Result<Made, MakeError> {
        let mut tx = by.store.read().await?;
        let device = device::find(&mut tx, by.scope, id).await?.ok_or(MakeError::NotFound)?;
        let drives = erasure_gap::drives(&mut tx, &device).await?;
        let files = erasure_file::of_device(&mut tx, id).await?;
        let proven = proven(device, &drives, &files, (demand, policy))?;
        let before = made_before(&mut tx, by, (&proven, demand), language).await?;
        drop(tx);
        let unlike = before.as_ref().map(|before| before.document.number);
        if let Some(before) = before
            && let Some(made) = self.again(by, before, (&proven, demand)).await?
        {
            return Ok(made);
        }
        self.certified_anew(by, (&proven, demand), language, unlike).await
    }

    /// Another certificate; `unlike` is one that states the same and cannot be printed again.
    async fn certified_anew(
        &self,
        by: Maker<'_>,
        (proven, demand): (&Proven, Demand),
        language: Language,
        unlike: Option<DocumentNumber>,
    ) -> Result<Made, MakeError> {
        let id = proven.device.id;
        let date = paris::date(by.now);
        let mut tx = by.store.write().await?;
        let number = document::next_number(&mut tx, DocumentKind::ErasureCertificate, date.year()).await?;
        tx.commit().await?;
        let facts = proven.facts(number, demand, date).canonical();
        let signature = by.vault.sign_document(facts.as_bytes())?;
        let (link, sheet) = self.signed(by, number, (proven, demand), &signature)?;
        let title = self.titled(number, language, date, link.as_deref())?;
        let subject = Subject::Erasure { device: id.0, site: proven.device.site };
        let details = json!({ "demand": demand.as_str() });
        let (made, mut tx) = self.printed(by, title, (subject, details), sheet).await?;
        // Several asked at once: whoever comes second gives what the first made, and leaves a number unused.
        device::lock(&mut tx, [id.0]).await?;
        let meanwhile = made_before(&mut tx, by, (proven, demand), language).await?;
        if let Some(meanwhile) = meanwhile.filter(|one| Some(one.document.number) != unlike) {
            drop(tx);
            return self.again(by, meanwhile, (proven, demand)).await?.ok_or(MakeError::Busy);
        }
        let certificate = Certificate { number: number.to_string(), device: id, facts, signature, made_at: by.now };
        erasure_certificate::insert(&mut tx, &certificate).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Prints a certificate again; none where it would not be the same file, for its template or its letterhead is another.
    async fn again(
        &self,
        by: Maker<'_>,
        before: Before,
        (proven, demand): (&Proven, Demand),
    ) -> Result<Option<Made>, MakeError> {
        let Before { document, signature, date } = before;
        let (link, sheet) = self.signed(by, document.number, (proven, demand), &signature)?;
        let title = self.titled(document.number, document.language, date, link.as_deref())?;
        let pdf = self.print(title.template, data::data(title, sheet)).await?;
        let same = <[u8; 32]>::from(Sha256::digest(&pdf)) == document.pdf_sha256;
        Ok(same.then_some(Made { document, pdf }))
    }

    /// Where the code of a certificate leads, and what stands on it.
    fn signed(
        &self,
        by: Maker<'_>,
        number: DocumentNumber,
        (proven, demand): (&Proven, Demand),
        signature: &[u8; 64],
    ) -> Result<(Option<String>, ErasureSheet), MakeError> {
        let shown = BASE64URL_NOPAD.encode(signature);
        let key = HEXLOWER.encode(&by.vault.document_public_key()?);
        let link = self.letterhead().address(&format!("check/{number}?s={shown}"));
        Ok((link, proven.sheet(demand, shown, key)))
    }

    fn titled<'t>(
        &'t self,
        number: DocumentNumber,
        language: Language,
        date: jiff::civil::Date,
        link: Option<&'t str>,
    ) -> Result<Title<'t>, MakeError> {
        let template = self.templates().of_kind(number.kind, None).ok_or(MakeError::Broken)?;
        Ok(Title { number, language, template, letterhead: self.letterhead(), owner: None, date, link, name: None })
    }
}

/// A certificate that was made before.
struct Before {
    document: Document,
    signature: [u8; 64],
    /// The day on which it was made.
    date: jiff::civil::Date,
}

/// The newest certificate of the device that states what is proven now, in that language.
async fn made_before(
    tx: &mut Tx,
    by: Maker<'_>,
    (proven, demand): (&Proven, Demand),
    language: Language,
) -> Result<Option<Before>, MakeError> {
    for one in erasure_certificate::of_device(tx, proven.device.id).await? {
        let Ok(number) = one.number.parse::<DocumentNumber>() else { continue };
        let Ok(stated) = serde_json::from_str::<Facts>(&one.facts) else { continue };
        let Ok(date) = stated.made_on.parse::<jiff::civil::Date>() else { continue };
        let same = proven.facts(number, demand, date) == stated;
        if !same || !by.vault.signed_document(one.facts.as_bytes(), &one.signature) {
            continue;
        }
        // The caller has found the device within its scope; the paper may be of a site where it was before.
        let document = document::find(tx, &Scope::Everything, number).await?;
        if let Some(document) = document.filter(|document| document.language == language) {
            return Ok(Some(Before { document, signature: one.signature, date }));
        }
    }
    Ok(None)
}

/// What is proven of a device; an error where something is missing.
fn proven(
    device: DeviceRow,
    drives: &Drives,
    files: &[EvidenceFile],
    (demand, policy): (Demand, &ErasurePolicy),
) -> Result<Proven, MakeError> {
    if !drives.gap(demand, policy).is_empty() {
        return Err(MakeError::NotErased);
    }
    let (proofs, absences) = (drives.proofs(), drives.absences());
    let mut proven = Proven { device, drives: Vec::new(), absent: Vec::new() };
    for drive in gap::standing(&drives.seen, &proofs, &absences) {
        let proof = drive.proof(demand, policy);
        match proof.and_then(|proof| drives.erasures.iter().find(|erasure| erasure.id == proof.id)) {
            Some(erasure) => proven.drives.push((certified(&drive, erasure, files), erasure.clone())),
            None => proven.absent.push(drive.key.to_string()),
        }
    }
    Ok(proven)
}

fn certified(drive: &Standing<'_>, erasure: &Erasure, files: &[EvidenceFile]) -> CertifiedDrive {
    let reading = &erasure.reading;
    let proving = files.iter().filter(|file| file.proves.contains(&erasure.id));
    CertifiedDrive {
        serial: reading.drive.to_string(),
        model: reading.model.clone().or_else(|| drive.model.map(str::to_owned)),
        medium: drive.medium.as_str().to_owned(),
        method: reading.method.as_str().to_owned(),
        level: reading.method.level(drive.medium).as_str().to_owned(),
        tool: format!("{} {}", reading.tool, reading.tool_version).trim().to_owned(),
        passes: reading.passes,
        capacity_bytes: reading.capacity_bytes,
        bytes_erased: reading.bytes_erased,
        errors: reading.errors,
        verification: match &erasure.witness {
            Some(_) if reading.source == Source::Hand => "witnessed".to_owned(),
            Some(_) | None => reading.verification.as_str().to_owned(),
        },
        started_at: when(reading, reading.started_at),
        ended_at: when(reading, reading.ended_at),
        evidence_sha256: proving.map(|file| HEXLOWER.encode(&file.sha256)).collect(),
    }
}

/// A moment of a reading, as the certificate states it. What was entered by hand has a day and no hour.
fn when(reading: &Reading, at: UtcMillis) -> String {
    if reading.source == Source::Hand { paris::date(at).to_string() } else { utc(at) }
}

/// `2026-11-29T20:24:04Z`
fn utc(at: UtcMillis) -> String {
    let seconds = jiff::Timestamp::from_second(at.get().div_euclid(1_000)).unwrap_or_default();
    seconds.to_string()
}

impl Proven {
    fn model(&self) -> Option<String> {
        full_model(self.device.manufacturer.as_deref(), self.device.model.as_deref())
    }

    fn facts(&self, number: DocumentNumber, demand: Demand, date: jiff::civil::Date) -> Facts {
        Facts {
            form: FORM.to_owned(),
            number: number.to_string(),
            made_on: date.to_string(),
            device_serial: self.device.serial_number.clone(),
            device_label: self.device.asset_tag.clone(),
            device_model: self.model(),
            demand: demand.as_str().to_owned(),
            drives: self.drives.iter().map(|(drive, _)| drive.clone()).collect(),
            absent: self.absent.clone(),
        }
    }

    fn sheet(&self, demand: Demand, signature: String, key: String) -> ErasureSheet {
        let device = Device {
            asset_tag: self.device.asset_tag.clone(),
            serial: self.device.serial_number.clone(),
            model: self.model(),
        };
        let drive = |(facts, erasure): &(CertifiedDrive, Erasure)| SheetDrive {
            facts: facts.clone(),
            started_on: paris::date(erasure.reading.started_at).to_string(),
            ended_on: paris::date(erasure.reading.ended_at).to_string(),
            operator: erasure.operator.clone(),
            witness: erasure.witness.as_ref().map(|(login, _)| login.clone()),
        };
        let drives = self.drives.iter().map(drive).collect();
        ErasureSheet { device, demand: demand.as_str().to_owned(), drives, absent: self.absent.clone(), signature, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::erasure::{Method, hand::ByHand};

    #[test]
    fn what_was_entered_for_a_day_is_certified_of_that_day() {
        let now = UtcMillis::new("2026-11-30T08:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond()).unwrap();
        let typed = ByHand {
            drive: "S1".to_owned(),
            model: String::new(),
            method: Method::Destruction,
            with: "shredder".to_owned(),
            on: jiff::civil::date(2026, 11, 29),
        };
        let by_hand = typed.read(now).unwrap();
        assert_eq!(when(&by_hand, by_hand.ended_at), "2026-11-29", "and not the evening before, as UTC has it");
        let by_tool = Reading { source: Source::Nvme, ..by_hand };
        assert_eq!(when(&by_tool, by_tool.ended_at), "2026-11-28T23:00:00Z");
    }
}
