//! The state of a device in the programme, as the gateway and the console read it.

use super::verdict::text_enum;

/// Maker and model as paper names them; none where neither is known.
#[must_use]
pub fn full_model(manufacturer: Option<String>, model: Option<String>) -> Option<String> {
    let parts: Vec<String> = [manufacturer, model].into_iter().flatten().collect();
    Some(parts.join(" ")).filter(|name| !name.is_empty())
}

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
