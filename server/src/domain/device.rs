//! The state of a device in the programme, as the gateway and the console read it.

use super::verdict::text_enum;

/// A label or a serial number without its case: scanners may be set to another, and typists do as they like. The
/// database folds as this does, ASCII alone: codes have no other letters.
#[must_use]
pub fn folded_code(code: &str) -> String {
    code.to_ascii_lowercase()
}

/// Whether two labels, or two serial numbers, are the same one.
#[must_use]
pub fn is_same_code(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// What makers put behind their names.
const COMPANY_FORMS: [&str; 6] = ["Inc.", "Inc", "Corporation", "Corp.", "Co., Ltd.", "Ltd."];

/// Maker and model as people name them: without the maker's legal form, and without its name twice ("HP HP 245 G9").
/// None where neither is known.
#[must_use]
pub fn full_model(manufacturer: Option<&str>, model: Option<&str>) -> Option<String> {
    let maker = manufacturer.map(|maker| {
        let short = COMPANY_FORMS.iter().find_map(|form| maker.strip_suffix(form)?.strip_suffix(' '));
        short.map_or(maker, |short| short.trim_end_matches(',')).trim()
    });
    match (maker.filter(|maker| !maker.is_empty()), model) {
        (Some(maker), Some(model)) if !model.to_lowercase().starts_with(&maker.to_lowercase()) => {
            Some(format!("{maker} {model}"))
        }
        (_, Some(name)) | (Some(name), None) => Some(name.to_owned()),
        (None, None) => None,
    }
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

#[cfg(test)]
mod tests {
    use super::full_model;

    #[test]
    fn models_are_called_as_people_call_them() {
        let called = |maker, model| full_model(maker, model).unwrap_or_default();
        assert_eq!(called(Some("Dell Inc."), Some("Latitude 5320")), "Dell Latitude 5320");
        assert_eq!(called(Some("Microsoft Corporation"), Some("Surface Go 3")), "Microsoft Surface Go 3");
        assert_eq!(called(Some("HP"), Some("HP ProBook 445 G8")), "HP ProBook 445 G8");
        assert_eq!(called(Some("Acme, Inc."), None), "Acme");
        assert_eq!(full_model(Some(""), None), None);
        assert_eq!(full_model(None, None), None);
    }
}
