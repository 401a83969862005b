//! What each column of a file is called: the heading that exports write in each language, and the names by which imports
//! know it besides.

use super::field::Field;

/// French heading, English heading, other names of a column. Compared without case, accents or punctuation.
pub(super) type Names = (&'static str, &'static str, &'static [&'static str]);

impl Field {
    /// What the column is called.
    #[expect(clippy::too_many_lines, reason = "one table: the names of each column")]
    pub(super) const fn names(self) -> Names {
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
            Self::NeedNumber => (
                "Numéro du besoin",
                "Need number",
                &["n° besoin", "n° du besoin", "numéro de demande", "n° de demande", "request number", "need id"],
            ),
            Self::Reasons => (
                "Motifs de priorité",
                "Reasons",
                &["motifs", "motif", "critères", "critère", "priorité", "reason", "priority"],
            ),
        }
    }
}
