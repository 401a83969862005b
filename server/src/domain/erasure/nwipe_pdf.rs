//! nwipe's PDF certificate (from version 0.35 on): the values on its first page.
//!
//! The file is written by PDFGen with plain, uncompressed text; nothing else of PDF is understood here, and a file that
//! was saved anew by another program is refused for that. It carries no signature: `nwipe_check` compares it with the
//! log of the same run.

use jiff::civil::DateTime;

use super::{
    evidence::{Parts, Unreadable},
    nwipe_log::moment,
};

/// Most pieces of text: a page has about a hundred, SMART data some hundreds more.
const MOST_TEXTS: usize = 20_000;
/// The label of the first page, which is the only one that is read.
const FIRST_PAGE: &str = "Page 1 - Erasure Status";
/// How far the duration may differ from end less start, in seconds.
const SLACK_SECONDS: i64 = 2;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) version: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) bytes: u64,
    pub(super) started: DateTime,
    pub(super) ended: DateTime,
    pub(super) status: String,
    pub(super) method: String,
    /// 0 none, 1 the last pass, 2 all passes: as the log counts.
    pub(super) verify: u32,
    /// None where the method erases nothing.
    pub(super) erased: Option<u64>,
    /// Completed, requested.
    pub(super) rounds: [u32; 2],
    /// Pass, sync, verify.
    pub(super) errors: [u64; 3],
}

/// Whether a file is a certificate of nwipe.
pub(super) fn is_certificate(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-") && contains(bytes, b"martijnvanbrummelen/nwipe")
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// A piece of text where it stands, in hundredths of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    x: i64,
    y: i64,
    text: String,
}

/// Reads a certificate, and checks it against itself.
pub(super) fn read(bytes: &[u8]) -> Result<Certificate, Unreadable> {
    if !contains(bytes, b"%%EOF") {
        return Err(Unreadable::CutShort);
    }
    let pieces = pieces(bytes)?;
    if !pieces.iter().any(|piece| piece.text == FIRST_PAGE) {
        return Err(Unreadable::SavedAnew);
    }
    let page = Page(&pieces);
    let certificate = Certificate {
        version: page.version()?,
        model: page.value("Make/Model:")?,
        serial: page.value("Serial:")?,
        bytes: size(&page.value("Size(Apparent):")?)?,
        started: page.moment("Start time:")?,
        ended: page.moment("End time:")?,
        status: page.value("Status:")?,
        method: page.value("Method:")?,
        verify: verify(&page.value("Verify Pass(Last/All/None):")?)?,
        erased: erased(&page.value("*Bytes Erased:")?)?,
        rounds: numbers(&page.value("Rounds(completed/requested):")?, "rounds")?,
        errors: numbers(&page.value("Errors(pass/sync/verify):")?, "errors")?,
    };
    check(&certificate, &page)?;
    Ok(certificate)
}

/// What the certificate says twice it says alike.
fn check(certificate: &Certificate, page: &Page<'_>) -> Result<(), Unreadable> {
    let wrong = |what: &str| Err(Unreadable::inconsistent(format!("the certificate contradicts itself: {what}")));
    for head in page.0.iter().filter_map(|piece| piece.text.split_once("S/N:")).map(|(_, serial)| serial.trim()) {
        // Later versions also print the machine's serial number there.
        let other = page.0.iter().any(|piece| piece.text.contains("System S/N:") && piece.text.contains(head));
        if head != certificate.serial && !other {
            return wrong("the serial number in the head of a page");
        }
    }
    let duration = numbers::<3, u64>(&page.value("Duration:")?.replace(':', "/"), "duration")?;
    let [hours, minutes, seconds] = duration.map(|number| i64::try_from(number).unwrap_or(i64::MAX / 4_000));
    let took = certificate.ended.duration_since(certificate.started).as_secs();
    let told = hours.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60)).saturating_add(seconds);
    if took < 0 || (took - told).abs() > SLACK_SECONDS {
        return wrong("the duration");
    }
    if certificate.erased.is_some_and(|erased| erased > certificate.bytes) {
        return wrong("more bytes erased than the drive has");
    }
    let whole = certificate.erased == Some(certificate.bytes);
    if page.value("*Bytes Erased:")?.contains("(100.00%)") != whole && certificate.erased.is_some() {
        return wrong("the share that was erased");
    }
    let hidden = size(&page.value("Size(Real):")?).is_ok_and(|real| real != certificate.bytes);
    if certificate.status == "ERASED" && (!whole || certificate.errors != [0; 3] || hidden) {
        return wrong("it is called erased");
    }
    Ok(())
}

struct Page<'p>(&'p [Piece]);

impl Page<'_> {
    /// What stands right of a label. The first page comes first.
    fn value(&self, label: &str) -> Result<String, Unreadable> {
        let missing = || Unreadable::inconsistent(format!("the certificate has no {label}"));
        let found = self.0.iter().find(|piece| piece.text.trim() == label).ok_or_else(missing)?;
        let right = self.0.iter().filter(|piece| piece.y == found.y && piece.x > found.x);
        let value = right.min_by_key(|piece| piece.x).ok_or_else(missing)?;
        let text = value.text.trim();
        if text.is_empty() || text.ends_with(':') { Err(missing()) } else { Ok(text.to_owned()) }
    }

    fn moment(&self, label: &str) -> Result<DateTime, Unreadable> {
        moment(&self.value(label)?).ok_or(Unreadable::NoTime)
    }

    fn version(&self) -> Result<String, Unreadable> {
        let footer = self.0.iter().find_map(|piece| piece.text.split_once(" by NWIPE version "));
        footer.map(|(_, version)| version.trim().to_owned()).ok_or(Unreadable::SavedAnew)
    }
}

/// `67 MB, 67108864 bytes`
fn size(text: &str) -> Result<u64, Unreadable> {
    let bytes =
        text.strip_suffix(" bytes").and_then(|text| text.rsplit(", ").next()).and_then(|text| text.parse().ok());
    bytes.ok_or_else(|| Unreadable::inconsistent("the certificate's size is no number of bytes".to_owned()))
}

/// `67108864, (100.00%)`; words where the method erases nothing.
fn erased(text: &str) -> Result<Option<u64>, Unreadable> {
    if text.starts_with("Not applicable") {
        return Ok(None);
    }
    let bytes = text.split(',').next().and_then(|text| text.trim().parse().ok());
    bytes.map(Some).ok_or_else(|| Unreadable::inconsistent("the certificate's bytes erased are no number".to_owned()))
}

fn verify(text: &str) -> Result<u32, Unreadable> {
    match text.strip_prefix("Verify ").unwrap_or(text) {
        "None" => Ok(0),
        "Last" => Ok(1),
        "All" => Ok(2),
        _ => Err(Unreadable::inconsistent("the certificate's verification is none that nwipe has".to_owned())),
    }
}

/// `1/1`, `0/0/0`
fn numbers<const N: usize, T: std::str::FromStr>(text: &str, what: &str) -> Result<[T; N], Unreadable> {
    let all: Option<Vec<T>> = text.split('/').map(|part| part.trim().parse().ok()).collect();
    let numbers = all.and_then(|all| all.try_into().ok());
    numbers.ok_or_else(|| Unreadable::inconsistent(format!("the certificate's {what} are no numbers")))
}

/// The pieces of text of a file by PDFGen: `BT /GS0 gs X Y TD /F2 12 Tf … (TEXT) Tj ET`, a line each.
fn pieces(bytes: &[u8]) -> Result<Vec<Piece>, Unreadable> {
    let mut pieces = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if !line.starts_with(b"BT ") {
            continue;
        }
        if pieces.len() == MOST_TEXTS {
            return Err(Unreadable::TooMuch(MOST_TEXTS, Parts::Texts));
        }
        // WinAnsi: what nwipe writes is ASCII; another byte is kept apart from every label.
        let line: String = line.iter().map(|byte| char::from(*byte)).collect();
        pieces.extend(piece(&line));
    }
    Ok(pieces)
}

fn piece(line: &str) -> Option<Piece> {
    let (before, rest) = line.split_once(" TD ")?;
    let mut numbers = before.rsplit(' ');
    let (y, x) = (numbers.next()?, numbers.next()?);
    let (text, _) = rest.split_once('(')?.1.rsplit_once(") Tj")?;
    Some(Piece { x: hundredths(x)?, y: hundredths(y)?, text: unescaped(text) })
}

/// `199.685410` as 19968.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("00".chars()).take(2).collect();
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}
