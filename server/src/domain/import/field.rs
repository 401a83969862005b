//! The columns of imports and exports: what each is called in French and English, and by what other names it goes.
//!
//! An export writes the first name of a language, an import recognises all of them: so every export can be read back.

use super::Kind;
use crate::domain::{fold::fold, language::Language, verdict::text_enum};

text_enum! {
    /// What a column holds.
    pub enum Field {
        /// A device's serial number.
        SerialNumber = "serial_number",
        /// The sticker on a device.
        AssetTag = "asset_tag",
        /// A device's maker.
        Manufacturer = "manufacturer",
        /// A device's model.
        Model = "model",
        /// Laptop, tablet…
        Chassis = "chassis",
        /// A programme's code.
        Programme = "programme",
        /// A site's code, or its name where it is the only one of that name.
        Site = "site",
        /// Where a device is in its lending.
        LendingState = "lending_state",
        /// A device's grade.
        Grade = "grade",
        /// The last day of a device's warranty.
        WarrantyUntil = "warranty_until",
        /// A site's UAI code.
        Uai = "uai",
        /// A site's name.
        Name = "name",
        /// A site's commune.
        Commune = "commune",
        /// A site's zone of school holidays.
        Zone = "zone",
        /// A borrower's reference.
        Reference = "reference",
        /// The number that the school's own system gives a person.
        SchoolNumber = "school_number",
        /// A person or an institution.
        BorrowerKind = "borrower_kind",
        /// An institution's name.
        InstitutionName = "institution_name",
        /// A person's class level.
        Level = "level",
        /// The day on which a person left the site.
        LeftOn = "left_on",
        /// Who a person is: last and first name.
        PersonName = "person_name",
        /// The first name, where it has a column of its own.
        FirstName = "first_name",
        /// The class.
        Class = "class",
        /// A person's own address.
        Email = "email",
        /// The language that the family reads.
        FamilyLanguage = "family_language",
        /// A holder of parental authority.
        GuardianName = "guardian_name",
        /// Where notices go.
        GuardianEmail = "guardian_email",
        /// For a call.
        GuardianPhone = "guardian_phone",
        /// Another holder of parental authority.
        SecondGuardianName = "second_guardian_name",
        /// Where notices go.
        SecondGuardianEmail = "second_guardian_email",
        /// For a call.
        SecondGuardianPhone = "second_guardian_phone",
        /// The day on which a loan began.
        StartDay = "start_day",
        /// The day on which it is due.
        DueDay = "due_day",
        /// The day on which it ended.
        EndDay = "end_day",
        /// What the loan's state is called.
        LoanState = "loan_state",
        /// In what condition the device came back.
        Condition = "condition",
        /// The reference of a complaint to the police.
        PoliceReport = "police_report",
        /// The number that a need has in the site's own list, or its id here.
        NeedNumber = "need_number",
        /// Why a need may come before others.
        Reasons = "reasons",
    }
}

impl Field {
    /// The column's heading, as an export writes it.
    #[must_use]
    pub const fn heading(self, language: Language) -> &'static str {
        match language {
            Language::French => self.names().0,
            Language::English => self.names().1,
        }
    }

    /// How well a heading fits: 0 for the column's own name, more for its other names; none when it does not.
    #[must_use]
    pub fn fits(self, heading: &str) -> Option<usize> {
        let heading = bare(heading);
        let (french, english, others) = self.names();
        let own = [french, english, self.as_str()].into_iter().any(|name| bare(name) == heading);
        if own { Some(0) } else { others.iter().position(|name| bare(name) == heading).map(|place| place + 1) }
    }

    /// Whether it says who somebody is: kept sealed, and never shown in a report.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(
            self,
            Self::SchoolNumber
                | Self::PersonName
                | Self::FirstName
                | Self::Class
                | Self::Email
                | Self::FamilyLanguage
                | Self::GuardianName
                | Self::GuardianEmail
                | Self::GuardianPhone
                | Self::SecondGuardianName
                | Self::SecondGuardianEmail
                | Self::SecondGuardianPhone
        )
    }

    /// The columns of one kind of file, in the order in which exports write them.
    #[must_use]
    pub const fn of(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Devices => &[
                Self::SerialNumber,
                Self::AssetTag,
                Self::Manufacturer,
                Self::Model,
                Self::Chassis,
                Self::Programme,
                Self::Site,
                Self::LendingState,
                Self::Grade,
                Self::WarrantyUntil,
            ],
            Kind::Sites => &[Self::Uai, Self::Name, Self::Commune, Self::Zone],
            Kind::Borrowers => &[
                Self::Reference,
                Self::SchoolNumber,
                Self::BorrowerKind,
                Self::InstitutionName,
                Self::Site,
                Self::Level,
                Self::LeftOn,
                Self::PersonName,
                Self::FirstName,
                Self::Class,
                Self::Email,
                Self::FamilyLanguage,
                Self::GuardianName,
                Self::GuardianEmail,
                Self::GuardianPhone,
                Self::SecondGuardianName,
                Self::SecondGuardianEmail,
                Self::SecondGuardianPhone,
            ],
            Kind::Loans => &[
                Self::SerialNumber,
                Self::AssetTag,
                Self::Reference,
                Self::SchoolNumber,
                Self::Programme,
                Self::Site,
                Self::LoanState,
                Self::StartDay,
                Self::DueDay,
                Self::EndDay,
                Self::Condition,
                Self::PoliceReport,
            ],
            Kind::Needs => &[
                Self::NeedNumber,
                Self::Reference,
                Self::SchoolNumber,
                Self::Programme,
                Self::Site,
                Self::Level,
                Self::Reasons,
            ],
        }
    }
}

/// A heading without case, accents, punctuation or unneeded spaces.
#[must_use]
pub fn bare(heading: &str) -> String {
    let folded: String = fold(heading).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_columns_of_a_file_have_the_same_heading() {
        for &kind in Kind::ALL {
            for language in Language::ALL {
                let headings: BTreeSet<String> =
                    Field::of(kind).iter().map(|field| bare(field.heading(language))).collect();
                assert_eq!(headings.len(), Field::of(kind).len(), "{kind} {language:?}");
            }
        }
    }

    #[test]
    fn a_heading_is_known_however_it_is_written() {
        for heading in ["Numéro de série", "NUMERO DE SERIE", "numero_de_serie", " Serial-Number ", "serial_number"] {
            assert_eq!(Field::SerialNumber.fits(heading), Some(0), "{heading}");
        }
        assert!(Field::SerialNumber.fits("N° de série").is_some_and(|place| place > 0));
        assert_eq!(Field::SerialNumber.fits("Modèle"), None);
    }
}
