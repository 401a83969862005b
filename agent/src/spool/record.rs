//! One report's file in the spool: a first line with the hash of the rest, then the report with its id and number.
//!
//! Anything but exactly what was written is refused.

use std::{fs, io, path::Path};

use cartable_common::{ContentHash, ReportId, UtcMillis, protocol::ReportEnvelope};
use serde::{Deserialize, Serialize};

pub(super) const EXTENSION: &str = "report";
const FORMAT: &str = "cartable-report 1";

/// What is known of a spooled report without reading it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// Its id.
    pub report_id: ReportId,
    /// When it was measured, by the agent's clock.
    pub measured_at: UtcMillis,
    /// The hash of what matters in it.
    pub content_hash: ContentHash,
    /// Its size on disk.
    pub bytes: u64,
}

/// What stands in a record's file after its first line.
#[derive(Serialize, Deserialize)]
struct Stored<E> {
    content_hash: ContentHash,
    envelope: E,
}

/// Why a record was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRead {
    /// The disk did not give it, this time.
    #[error("{0}")]
    Disk(#[from] io::Error),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
}

/// What stands in the file of a report.
pub(super) fn file_content(envelope: &ReportEnvelope) -> Result<String, serde_json::Error> {
    let body = serde_json::to_vec(&Stored { content_hash: envelope.report.content_hash(), envelope })?;
    Ok(format!("{FORMAT} {}\n{}", ContentHash::of(&body), String::from_utf8_lossy(&body)))
}

pub(super) fn file_name(sequence: u64) -> String {
    format!("{sequence:020}.{EXTENSION}")
}

pub(super) fn read_record(path: &Path) -> Result<(Record, ReportEnvelope), NotRead> {
    let content = fs::read(path)?;
    let record = parse_record(&content).map_err(NotRead::Damaged)?;
    if path.file_name().is_none_or(|name| name.to_string_lossy() != file_name(record.0.sequence)) {
        return Err(NotRead::Damaged("its name does not fit its number".to_owned()));
    }
    Ok(record)
}

/// Reads a record's file. Anything but exactly what was written is refused.
pub fn parse_record(content: &[u8]) -> Result<(Record, ReportEnvelope), String> {
    let end = content.iter().position(|byte| *byte == b'\n').ok_or("no first line")?;
    let (head, body) = (&content[..end], &content[end + 1..]);
    if head != format!("{FORMAT} {}", ContentHash::of(body)).as_bytes() {
        return Err("its hash does not fit".to_owned());
    }
    let stored: Stored<ReportEnvelope> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let record = Record {
        sequence: stored.envelope.sequence,
        report_id: stored.envelope.report_id,
        measured_at: stored.envelope.measured_at,
        content_hash: stored.content_hash,
        bytes: content.len() as u64,
    };
    Ok((record, stored.envelope))
}

#[cfg(test)]
mod tests {
    use cartable_common::{
        report::{HealthReport, Memory},
        units::Bytes,
    };
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn report(size: u64) -> HealthReport {
        HealthReport { memory: Memory { total_bytes: Bytes::new(size) }, ..HealthReport::default() }
    }

    proptest! {
        #[test]
        fn no_damage_passes_for_a_record(noise in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..400, flip in 0usize..400) {
            prop_assert!(parse_record(&noise).is_err());
            let envelope = ReportEnvelope { report_id: ReportId(Uuid::nil()), sequence: 1, measured_at: UtcMillis::default(), report: report(1) };
            let body = serde_json::to_vec(&Stored { content_hash: ContentHash::of(b"x"), envelope }).unwrap();
            let mut whole = format!("{FORMAT} {}\n", ContentHash::of(&body)).into_bytes();
            whole.extend_from_slice(&body);
            prop_assert!(parse_record(&whole).is_ok());
            prop_assert!(parse_record(&whole[..cut % whole.len()]).is_err());
            let at = flip % whole.len();
            whole[at] ^= 0x20;
            prop_assert!(parse_record(&whole).is_err());
        }
    }
}
