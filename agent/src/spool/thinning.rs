//! Which reports go when the spool is full: the newest always stays, and the past grows sparse.

use super::Record;

/// The sequence numbers to drop so that at most `max_records` and `max_bytes` remain: repeatedly every second record
/// of the older half. The newest always stays.
#[must_use]
pub fn to_thin(records: &[Record], max_records: usize, max_bytes: u64) -> Vec<u64> {
    let mut kept: Vec<&Record> = records.iter().collect();
    let mut dropped = Vec::new();
    while kept.len() > 1
        && (kept.len() > max_records || kept.iter().map(|record| record.bytes).sum::<u64>() > max_bytes)
    {
        let older_half = (kept.len() / 2).max(1);
        let mut index = 0;
        kept.retain(|record| {
            let drops = index < older_half && index % 2 == 0;
            index += 1;
            if drops {
                dropped.push(record.sequence);
            }
            !drops
        });
    }
    dropped
}

#[cfg(test)]
mod tests {
    use cartable_common::{ContentHash, ReportId, UtcMillis};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn thinning_bounds_the_spool_and_spares_the_newest(sizes in proptest::collection::vec(1u64..5_000, 1..300), max_records in 1usize..100, max_bytes in 1u64..200_000) {
            let records: Vec<Record> = sizes.iter().zip(1..).map(|(bytes, sequence)| Record {
                sequence, report_id: ReportId(Uuid::nil()), measured_at: UtcMillis::default(), content_hash: ContentHash::of(b""), bytes: *bytes,
            }).collect();
            let dropped = to_thin(&records, max_records, max_bytes);
            let kept: Vec<&Record> = records.iter().filter(|r| !dropped.contains(&r.sequence)).collect();
            prop_assert_eq!(kept.len() + dropped.len(), records.len());
            prop_assert_eq!(kept.last().map(|r| r.sequence), records.last().map(|r| r.sequence));
            prop_assert!(kept.len() == 1 || kept.len() <= max_records && kept.iter().map(|r| r.bytes).sum::<u64>() <= max_bytes);
        }
    }
}
