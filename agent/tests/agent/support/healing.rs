//! The gateway's part where a key is on several machines: what it says to them, and the other key that it grants.

use cartable_common::{
    DeviceId, EnrolmentId,
    protocol::{CertificateGrant, EnrolPending, HealRequest},
};

use super::{Answers, Seen, Shared};

/// What a machine is told that shows the key of another.
pub(super) const KEY_CLONED: &str = r#"{"type":"urn:cartable:problem:key-cloned","title":"Key on several machines","status":403,"detail":"Make another."}"#;

impl Answers {
    /// Whether it knows the key as another machine's.
    pub(super) const fn is_cloned(&self) -> bool {
        matches!(self, Self::Cloned | Self::ClonedWaits | Self::ClonedLost | Self::ClonedEnded)
    }
}

impl Shared {
    /// The answer to a request for another key; none where it gets lost.
    pub(super) fn heal(
        &self,
        seen: &mut Seen,
        request: HealRequest,
        answers: &Answers,
    ) -> Option<(u16, &'static str, Vec<u8>)> {
        let grant = CertificateGrant {
            device_id: DeviceId(uuid::Uuid::from_u128(seen.device.unwrap_or(9))),
            enrolment_id: EnrolmentId(uuid::Uuid::from_u128(10)),
            ..self.grant(&request.csr_pem)
        };
        seen.heals.push(request);
        match answers {
            Answers::ClonedLost => None,
            Answers::ClonedWaits => {
                let pending = EnrolPending { retry_after_seconds: 30, reason: "a person must approve it".into() };
                Some((202, "", serde_json::to_vec(&pending).unwrap()))
            }
            Answers::Cloned
            | Answers::ClonedEnded
            | Answers::Ended
            | Answers::NoRecovery(..)
            | Answers::Cartable
            | Answers::CartableOfThePast
            | Answers::CartableOfDaysAgo(_)
            | Answers::NextRoot
            | Answers::Approval
            | Answers::Queue
            | Answers::NoEnrolment(_)
            | Answers::Http(..)
            | Answers::Plain(_)
            | Answers::Interceptor => {
                seen.healed = true;
                Some((200, "", serde_json::to_vec(&grant).unwrap()))
            }
        }
    }
}
