//! The health of drives in an inventory: GLPI Agent adds a file of its machine's owner to what it sends (`additional-content`),
//! and there smartctl's answers may stand, one for each drive, in a section of their own.

use cartable_common::{
    limits,
    report::{Drive, HealthReport, Subject},
    smartctl,
};
use serde_json::Value;

use crate::domain::reading::json::drive_of;

/// The section that the answers stand in, in small letters as GLPI Agent writes all sections.
const SECTION: &str = "smartctl";

/// Puts what smartctl says of each drive into `report`: into the drive with its serial number, or as one of its own.
pub(super) fn complete(report: &mut HealthReport, inventory: &Value) {
    let said = match inventory.get("content").and_then(|content| content.get(SECTION)) {
        Some(Value::Array(answers)) => answers.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        Some(_) | None => return,
    };
    for answer in said.iter().take(limits::MAX_DRIVES) {
        put(&mut report.drives, answer);
    }
    if report.drives.iter().any(smartctl::tells_health) {
        report.unread.retain(|unread| unread.subject != Some(Subject::DriveHealth));
    }
}

fn put(drives: &mut Vec<Drive>, answer: &Value) {
    let told = drive_of(answer);
    let serial = told.serial_number.get();
    if let Some(known) = drives.iter_mut().find(|known| serial.is_some() && known.serial_number.get() == serial) {
        smartctl::merge(known, answer);
        return;
    }
    if drives.len() < limits::MAX_DRIVES && smartctl::tells_health(&told) {
        drives.push(told);
    }
}
