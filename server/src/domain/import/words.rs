//! The words that stand in cells for values of closed lists: French, English and their codes; all are read back.

use cartable_common::report::Chassis;

use crate::domain::{
    borrower::{BorrowerKind, IdentityLanguage, Level},
    fold::fold,
    language::Language,
    loan::{Condition, LendingState, LoanStateName},
    need::NeedReason,
    school_calendar::Zone,
};

/// A device's grade after inspection.
pub const GRADES: [&str; 4] = ["A", "B", "C", "D"];

/// A closed list with a French and an English word for each value, and other words that are understood.
pub trait Worded: Copy + Sized + 'static {
    /// Each value: its code, its French and its English word, and what else is understood.
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])];

    /// The value that `text` names, in either language.
    fn from_word(text: &str) -> Option<Self> {
        let text = fold(text);
        Self::WORDS
            .iter()
            .find(|(_, code, french, english, others)| {
                [code, french, english].into_iter().chain(others.iter()).any(|word| fold(word) == text)
            })
            .map(|(value, ..)| *value)
    }
}

/// The word of `language` for the value with this code; the code itself where there is none.
#[must_use]
pub fn word<T: Worded>(code: &str, language: Language) -> String {
    let found = T::WORDS.iter().find(|(_, known, ..)| *known == code);
    let text = match (found, language) {
        (Some((_, _, french, _, _)), Language::French) => french,
        (Some((_, _, _, english, _)), Language::English) => english,
        (None, _) => code,
    };
    text.to_owned()
}

impl Worded for Chassis {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (
            Self::Laptop,
            "laptop",
            "Portable",
            "Laptop",
            &["ordinateur portable", "notebook", "pc portable", "chromebook"],
        ),
        (Self::Tablet, "tablet", "Tablette", "Tablet", &["ipad"]),
        (Self::Desktop, "desktop", "Ordinateur fixe", "Desktop", &["fixe", "pc fixe", "unité centrale"]),
        (Self::Server, "server", "Serveur", "Server", &[]),
        (Self::Virtual, "virtual", "Machine virtuelle", "Virtual machine", &[]),
        (Self::Unknown, "unknown", "Inconnu", "Unknown", &[]),
    ];
}

impl Worded for LendingState {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::InStock, "in_stock", "En stock", "In stock", &["stock", "disponible"]),
        (Self::Reserved, "reserved", "Réservé", "Reserved", &[]),
        (Self::Lent, "lent", "Prêté", "Lent", &["en prêt", "on loan"]),
        (Self::Intake, "intake", "À examiner", "At intake", &["retour", "intake"]),
        (Self::Refurbishment, "refurbishment", "En reconditionnement", "In refurbishment", &[]),
        (Self::SetAside, "set_aside", "Mis de côté", "Set aside", &[]),
        (Self::Lost, "lost", "Perdu", "Lost", &[]),
        (Self::Stolen, "stolen", "Volé", "Stolen", &[]),
        (Self::WrittenOff, "written_off", "Sorti de l’inventaire", "Written off", &["réformé", "hors service"]),
        (Self::Ceded, "ceded", "Cédé", "Ceded", &["donné", "given"]),
    ];
}

impl Worded for LoanStateName {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::Reserved, "reserved", "Réservé", "Reserved", &[]),
        (Self::Cancelled, "cancelled", "Annulé", "Cancelled", &[]),
        (Self::HandedOver, "handed_over", "En cours", "Handed over", &["remis", "prêté", "lent", "open"]),
        (Self::Returned, "returned", "Rendu", "Returned", &["restitué"]),
        (Self::Lost, "lost", "Perdu", "Lost", &[]),
        (Self::Stolen, "stolen", "Volé", "Stolen", &[]),
        (Self::WrittenOff, "written_off", "Passé en perte", "Written off", &[]),
        (Self::Ceded, "ceded", "Cédé", "Ceded", &["donné", "given"]),
    ];
}

impl Worded for Condition {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::Good, "good", "Bon", "Good", &["bon état"]),
        (Self::Worn, "worn", "Usé", "Worn", &["traces d'usage"]),
        (Self::Damaged, "damaged", "Abîmé", "Damaged", &["cassé", "broken"]),
        (Self::NotWorking, "not_working", "Ne démarre pas", "Not working", &["en panne"]),
    ];
}

impl Worded for BorrowerKind {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::Person, "person", "Personne", "Person", &["élève", "pupil", "enseignant", "teacher"]),
        (Self::Institution, "institution", "Institution", "Institution", &["établissement", "organisme", "collège"]),
    ];
}

impl Worded for Level {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::Sixieme, "6e", "6e", "6e", &["6ème", "sixième"]),
        (Self::Cinquieme, "5e", "5e", "5e", &["5ème", "cinquième"]),
        (Self::Quatrieme, "4e", "4e", "4e", &["4ème", "quatrième"]),
        (Self::Troisieme, "3e", "3e", "3e", &["3ème", "troisième"]),
        (Self::Ulis, "ulis", "ULIS", "ULIS", &[]),
        (Self::Segpa, "segpa", "SEGPA", "SEGPA", &[]),
        (Self::Staff, "staff", "Personnel", "Staff", &["enseignant", "teacher"]),
        (Self::Other, "other", "Autre", "Other", &[]),
    ];
}

impl Worded for NeedReason {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::Ulis, "ulis", "ULIS", "ULIS", &["dispositif ulis", "élève ulis"]),
        (
            Self::NoComputer,
            "no_computer",
            "Aucun ordinateur",
            "No computer",
            &["aucun ordinateur à la maison", "sans ordinateur", "non équipé", "no computer at home"],
        ),
        (Self::Shared, "shared", "Ordinateur partagé", "Shared computer", &["partagé", "fratrie"]),
        (Self::Band1, "band_1", "Bourse échelon 1", "Scholarship band 1", &["échelon 1", "bourse 1", "band 1"]),
        (Self::Band2, "band_2", "Bourse échelon 2", "Scholarship band 2", &["échelon 2", "bourse 2", "band 2"]),
        (Self::Band3, "band_3", "Bourse échelon 3", "Scholarship band 3", &["échelon 3", "bourse 3", "band 3"]),
        (Self::Replacement, "replacement", "Remplacement", "Replacement", &["remplace"]),
    ];
}

impl Worded for IdentityLanguage {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::French, "fr", "Français", "French", &["fr-fr"]),
        (Self::English, "en", "Anglais", "English", &["en-gb"]),
    ];
}

impl Worded for Zone {
    const WORDS: &'static [(Self, &'static str, &'static str, &'static str, &'static [&'static str])] = &[
        (Self::A, "A", "A", "A", &["zone a"]),
        (Self::B, "B", "B", "B", &["zone b"]),
        (Self::C, "C", "C", "C", &["zone c"]),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_is_read_back<T: Worded + PartialEq + std::fmt::Debug>() {
        for (value, code, ..) in T::WORDS {
            for language in Language::ALL {
                assert_eq!(T::from_word(&word::<T>(code, language)), Some(*value), "{code}");
            }
            assert_eq!(T::from_word(&code.to_uppercase()), Some(*value), "{code}");
        }
    }

    #[test]
    fn every_word_of_an_export_is_understood_by_the_import() {
        each_is_read_back::<Chassis>();
        each_is_read_back::<LendingState>();
        each_is_read_back::<LoanStateName>();
        each_is_read_back::<Condition>();
        each_is_read_back::<BorrowerKind>();
        each_is_read_back::<Level>();
        each_is_read_back::<NeedReason>();
        each_is_read_back::<IdentityLanguage>();
        each_is_read_back::<Zone>();
        assert_eq!(LendingState::from_word("peut-être"), None);
    }

    #[test]
    fn no_value_is_without_its_words() {
        assert_eq!(LendingState::WORDS.len(), LendingState::ALL.len());
        assert_eq!(LoanStateName::WORDS.len(), LoanStateName::ALL.len());
        assert_eq!(Chassis::WORDS.len(), Chassis::ALL.len());
        assert_eq!(Level::WORDS.len(), Level::ALL.len());
        assert_eq!(NeedReason::WORDS.len(), NeedReason::ALL.len());
    }
}
