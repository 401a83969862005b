//! The state of a device in the programme, as the gateway and the console read it.

use super::verdict::text_enum;

text_enum! {
    /// Where a device stands. Read with every request it makes.
    pub enum DeviceStatus {
        /// Known, but not yet let in: an import, or an enrolment that a person must approve.
        Pending = "pending",
        /// In service.
        Active = "active",
        /// Set aside by staff: it may report, but gets nothing else.
        Quarantined = "quarantined",
        /// Refused: lost, stolen or copied.
        Revoked = "revoked",
        /// Left the programme: given away or recycled.
        Released = "released",
    }
}
