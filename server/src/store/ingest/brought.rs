//! One report that a person brought in a file: stored, compared and made current as an agent's is. It is no contact: nothing
//! says that the machine spoke.

use cartable_common::{
    DeviceId, EnrolmentId, ReportId, Text, UtcMillis,
    protocol::{CheckInRequest, ReportEnvelope},
    report::HealthReport,
};
use uuid::Uuid;

use super::{CheckIn, batch, prepare::Prepared, reports::Reports, state, takeover::take_over};
use crate::{
    domain::policy::Policy,
    store::{StoreError, Tx, description},
};

/// A report without an agent behind it.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    pub(crate) device: DeviceId,
    pub(crate) report_id: ReportId,
    /// When it was made. Its place among the files of its device follows from it.
    pub(crate) made_at: UtcMillis,
    pub(crate) report: HealthReport,
}

/// Stores `brought`, whose id is new to its device; the caller holds the device's lock and judges it afterwards.
pub(crate) async fn write(tx: &mut Tx, policy: &Policy, brought: Brought, now: UtcMillis) -> Result<(), StoreError> {
    let Brought { device, report_id, made_at, report } = brought;
    // Moments are never below zero.
    let sequence = u64::try_from(made_at.get()).unwrap_or_default();
    let reports = vec![ReportEnvelope { report_id, sequence, measured_at: made_at, report }];
    let agent_version = Text::clean("");
    let request = CheckInRequest {
        agent_version,
        sent_at: now,
        content_hash: None,
        disclosure_mark: None,
        trust_bundle: None,
        reports,
        action_results: Vec::new(),
    };
    let no_enrolment = EnrolmentId(Uuid::nil());
    let check_in = CheckIn { device_id: device, enrolment_id: no_enrolment, received_at: now, request };
    let prepared = Prepared::new(check_in, policy);
    let one = [&prepared];
    let mut states = state::of_batch(tx, &one).await?;
    let reports = Reports::remember(tx, &one).await?;
    if reports.fresh.is_empty() {
        let why = "it is there already, or its lists are too long".to_owned();
        return Err(StoreError::Corrupt { what: "brought report", why });
    }
    // What take_over says of flags supposes a contact at this moment: the caller judges by what is stored instead.
    let mut heard = batch::heard(&one);
    let recorded = description::of_devices(tx, &[device.0]).await?;
    take_over(tx, policy, &reports, recorded, &mut states, &mut heard).await.map(drop)
}
