//! Remembers the reports of a batch, tells the new ones from repeats, and what to answer about each.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use cartable_common::{
    ReportId,
    protocol::{RefusalReason, RefusedReport},
};
use uuid::Uuid;

use super::{IngestError, Receipt, current::Fresh, prepare::Prepared, state::State};
use crate::store::{
    StoreError, Tx,
    report::{self, NewReport},
};

/// The reports of a batch, remembered once each.
#[derive(Debug)]
pub(super) struct Reports<'a> {
    /// Those that were not stored before, by device.
    pub(super) fresh: BTreeMap<Uuid, Vec<Fresh<'a>>>,
    /// The body that is stored under each identifier.
    bodies: HashMap<(Uuid, Uuid), String>,
}

impl<'a> Reports<'a> {
    pub(super) async fn remember(tx: &mut Tx, admitted: &[&'a Prepared]) -> Result<Self, StoreError> {
        let mut offered: BTreeMap<(Uuid, Uuid), Fresh<'a>> = BTreeMap::new();
        for check_in in admitted {
            for report in &check_in.reports {
                if let Entry::Vacant(place) = offered.entry((check_in.device.0, report.id.0)) {
                    place.insert(Fresh {
                        device: check_in.device.0,
                        enrolment: check_in.enrolment.0,
                        received_at: check_in.received_at,
                        shown_at: check_in.shown_at(report),
                        report,
                    });
                }
            }
        }
        let inserted = report::insert(tx, &offered.values().map(new_report).collect::<Vec<_>>()).await?;
        let mut reports = Self { fresh: BTreeMap::new(), bodies: HashMap::new() };
        for row in inserted {
            if let Some(fresh) = offered.remove(&(row.device_id, row.report_id)) {
                reports.fresh.entry(row.device_id).or_default().push(fresh);
            }
            reports.bodies.insert((row.device_id, row.report_id), row.body_hash);
        }
        for row in report::stored(tx, offered.into_keys()).await? {
            reports.bodies.insert((row.device_id, row.report_id), row.body_hash);
        }
        Ok(reports)
    }

    pub(super) fn answer(&self, one: &Prepared, state: Option<&State>) -> Result<Receipt, IngestError> {
        let Some(state) = state.filter(|state| state.is_in_service()) else {
            return Err(IngestError::NotInService(state.map(|state| state.status)));
        };
        let mut acknowledged: Vec<ReportId> = Vec::new();
        let mut refused = one.refused.clone();
        for report in &one.reports {
            if self.bodies.get(&(one.device.0, report.id.0)) == Some(&report.body_hash.to_string()) {
                acknowledged.push(report.id);
            } else {
                tracing::warn!(device = %one.device, report = %report.id, "another report has this identifier already");
                refused.push(RefusedReport { report_id: report.id, reason: RefusalReason::SameIdOtherContent });
            }
        }
        let held = state.new_content_hash.as_ref().or(state.content_hash.as_ref());
        Ok(Receipt { acknowledged, refused, content_hash: held.and_then(|hash| hash.parse().ok()) })
    }
}

fn new_report(fresh: &Fresh<'_>) -> NewReport {
    NewReport {
        device: fresh.device,
        report_id: fresh.report.id.0,
        enrolment: fresh.enrolment,
        sequence: fresh.report.sequence,
        measured_at: fresh.report.measured_at,
        received_at: fresh.received_at,
        body_hash: fresh.report.body_hash.to_string(),
    }
}
