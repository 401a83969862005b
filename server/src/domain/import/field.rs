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
    }
}

/// French heading, English heading, other names of a column. Compared without case, accents or punctuation.
type Names = (&'static str, &'static str, &'static [&'static str]);

impl Field {
    #[expect(clippy::too_many_lines, reason = "one table: the names of each column")]
    const fn names(self) -> Names {
        match self {
            Self::SerialNumber => (
                "Numéro de série",
                "Serial number",
                &[
                    "serial",
                    "n° de série",
                    "no de série",
                    "num série",
                    "n° série",
                    "serial no",
                    "serial no.",
                    "sn",
                    "s/n",
                ],
            ),
            Self::AssetTag => (
                "Étiquette",
                "Asset tag",
                &[
                    "asset tag id",
                    "étiquette d'inventaire",
                    "numéro d'inventaire",
                    "n° d'inventaire",
                    "n° inventaire",
                    "inventory number",
                    "code-barres",
                    "barcode",
                    "tag",
                ],
            ),
            Self::Manufacturer => ("Fabricant", "Manufacturer", &["marque", "constructeur", "brand", "maker"]),
            Self::Model => ("Modèle", "Model", &["model name", "nom du modèle", "asset model"]),
            Self::Chassis => {
                ("Type d'appareil", "Kind of device", &["type", "chassis", "catégorie", "category", "device type"])
            }
            Self::Programme => ("Dispositif", "Programme", &["program", "code dispositif", "programme code"]),
            Self::Site => (
                "Établissement (UAI)",
                "Site (UAI)",
                &[
                    "établissement",
                    "site",
                    "uai établissement",
                    "code uai",
                    "uai",
                    "rne",
                    "code rne",
                    "location",
                    "lieu",
                    "collège",
                    "school",
                ],
            ),
            Self::LendingState => ("État de prêt", "Lending state", &["état", "statut", "status", "state"]),
            Self::Grade => ("Grade", "Grade", &["note"]),
            Self::WarrantyUntil => (
                "Fin de garantie",
                "Warranty until",
                &[
                    "garantie jusqu'au",
                    "date de fin de garantie",
                    "warranty expires",
                    "warranty expiration",
                    "warranty end",
                ],
            ),
            Self::Uai => {
                ("UAI", "UAI", &["code uai", "rne", "code rne", "numéro uai", "code établissement", "uai code"])
            }
            Self::Name => (
                "Nom",
                "Name",
                &["établissement", "nom de l'établissement", "appellation officielle", "site", "site name"],
            ),
            Self::Commune => ("Commune", "Town", &["ville", "city", "localité", "libellé commune"]),
            Self::Zone => ("Zone", "Zone", &["zone de vacances", "zone scolaire", "academic zone", "zone académique"]),
            Self::Reference => (
                "Référence bénéficiaire",
                "Borrower reference",
                &["référence", "reference", "bénéficiaire", "borrower"],
            ),
            Self::SchoolNumber => (
                "Numéro de l'établissement d'origine",
                "School number",
                &[
                    "numéro élève",
                    "n° élève",
                    "ine",
                    "identifiant national",
                    "numéro scolaire",
                    "student number",
                    "pupil number",
                    "numéro interne",
                    "identifiant",
                ],
            ),
            Self::BorrowerKind => ("Nature", "Kind", &["type", "type de bénéficiaire", "borrower kind"]),
            Self::InstitutionName => {
                ("Nom de l'institution", "Institution", &["institution", "organisme", "institution name"])
            }
            Self::Level => ("Niveau", "Level", &["niveau de classe", "class level", "mef"]),
            Self::LeftOn => ("Parti le", "Left on", &["date de sortie", "date de départ", "leaving date", "sortie"]),
            Self::PersonName => {
                ("Nom et prénom", "Full name", &["nom", "nom de famille", "nom élève", "name", "last name", "surname"])
            }
            Self::FirstName => ("Prénom", "First name", &["prénom élève", "given name", "firstname"]),
            Self::Class => ("Classe", "Class", &["division", "code division", "class name"]),
            Self::Email => {
                ("Courriel", "E-mail", &["email", "mail", "adresse électronique", "adresse e-mail", "e mail"])
            }
            Self::FamilyLanguage => ("Langue", "Language", &["langue de la famille", "family language"]),
            Self::GuardianName => (
                "Responsable légal",
                "Guardian",
                &[
                    "responsable légal 1",
                    "responsable 1",
                    "guardian name",
                    "guardian 1",
                    "représentant légal",
                    "nom responsable",
                ],
            ),
            Self::GuardianEmail => (
                "Courriel du responsable",
                "Guardian's e-mail",
                &[
                    "courriel responsable 1",
                    "email responsable",
                    "mail responsable",
                    "guardian email",
                    "guardian 1 email",
                ],
            ),
            Self::GuardianPhone => (
                "Téléphone du responsable",
                "Guardian's telephone",
                &["téléphone responsable 1", "tél responsable", "guardian phone", "guardian 1 phone"],
            ),
            Self::SecondGuardianName => (
                "Second responsable légal",
                "Second guardian",
                &["responsable légal 2", "responsable 2", "guardian 2", "second guardian name"],
            ),
            Self::SecondGuardianEmail => (
                "Courriel du second responsable",
                "Second guardian's e-mail",
                &["courriel responsable 2", "guardian 2 email"],
            ),
            Self::SecondGuardianPhone => (
                "Téléphone du second responsable",
                "Second guardian's telephone",
                &["téléphone responsable 2", "guardian 2 phone"],
            ),
            Self::StartDay => (
                "Remis le",
                "Handed over on",
                &[
                    "date de remise",
                    "date de début",
                    "début",
                    "date de prêt",
                    "start",
                    "start date",
                    "checkout date",
                    "handed over",
                ],
            ),
            Self::DueDay => (
                "À rendre le",
                "Due on",
                &["échéance", "date de retour prévue", "retour prévu", "due", "due date", "expected checkin"],
            ),
            Self::EndDay => (
                "Terminé le",
                "Ended on",
                &[
                    "rendu le",
                    "date de retour",
                    "date de fin",
                    "retour",
                    "returned on",
                    "returned",
                    "end date",
                    "checkin date",
                ],
            ),
            Self::LoanState => ("État du prêt", "Loan state", &["état", "statut", "state", "status"]),
            Self::Condition => ("État au retour", "Condition", &["état de l'appareil", "condition au retour"]),
            Self::PoliceReport => (
                "Référence de la plainte",
                "Police report",
                &["plainte", "numéro de plainte", "dépôt de plainte", "police report reference"],
            ),
        }
    }

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
