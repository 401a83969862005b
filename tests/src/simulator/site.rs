//! Invented collèges in invented communes, with valid UAI codes of a département that does not exist (096).

use super::random::Random;

/// The letters a UAI code ends with: the alphabet without I, O and Q.
const CHECK_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPRSTUVWXYZ";

/// There is no département 96: no invented code can be a real collège's.
const DEPARTEMENT: u32 = 96;

/// An invented collège.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedSite {
    /// UAI code: seven digits and a check letter.
    pub uai: String,
    /// Name.
    pub name: String,
    /// Commune.
    pub commune: String,
    /// Zone of the school holidays: A, B or C.
    pub zone: &'static str,
}

/// The UAI code of an institution: three digits of the département, four of the institution, and the letter that the
/// rest of the whole number divided by 23 stands for.
pub fn uai_code(departement: u32, institution: u32) -> String {
    let number = departement * 10_000 + institution;
    let letter = CHECK_LETTERS[(number % 23) as usize];
    format!("{number:07}{}", char::from(letter))
}

/// `count` collèges, each with its own name and code.
pub fn sites(seed: u64, count: usize) -> Vec<SimulatedSite> {
    let places = BEGINNINGS.len() * ENDINGS.len();
    let mut random = Random::of(seed, "sites", 0);
    // A stride without a common divisor visits every combination once.
    let stride = 89;
    let start = usize::try_from(random.below(places as u64)).unwrap_or_default();
    (0..count)
        .map(|index| {
            let place = (start + index * stride) % places;
            let commune = format!("{}{}", BEGINNINGS[place % BEGINNINGS.len()], ENDINGS[place / BEGINNINGS.len()]);
            let institution = 1001 + 7 * u32::try_from(index).unwrap_or_default();
            SimulatedSite {
                uai: uai_code(DEPARTEMENT, institution),
                name: format!("Collège {}", NAMES[index % NAMES.len()]),
                commune,
                zone: random.pick_weighted::<&str>(&[("B", 14), ("A", 3), ("C", 3)]),
            }
        })
        .collect()
}

const BEGINNINGS: [&str; 16] = [
    "Saint-Aubrin",
    "Valmarin",
    "Rochebrune",
    "Chantevigne",
    "Montaurel",
    "Fontclaire",
    "Bellegarenne",
    "Sainte-Orlie",
    "Pierrelune",
    "Clairval",
    "Hautecombelle",
    "Aigrevive",
    "Lourmont",
    "Vernouze",
    "Castelombre",
    "Brèvelande",
];

const ENDINGS: [&str; 9] = [
    "",
    "-sur-Aurelle",
    "-les-Aubiers",
    "-en-Vauge",
    "-le-Château",
    "-sous-Bois",
    "-la-Garenne",
    "-lès-Étangs",
    "-le-Haut",
];

const NAMES: [&str; 40] = [
    "des Tilleuls",
    "du Vieux-Moulin",
    "Les Alizés",
    "des Quatre-Vents",
    "du Grand-Cèdre",
    "La Passerelle",
    "des Hirondelles",
    "de la Source",
    "Le Belvédère",
    "des Trois-Ponts",
    "du Lac-Bleu",
    "Les Marronniers",
    "L'Olivette",
    "de la Lande",
    "Le Pré-Vert",
    "des Coquelicots",
    "du Val-Fleuri",
    "La Boussole",
    "des Mille-Étangs",
    "de l'Étoile-Polaire",
    "Les Peupliers",
    "du Petit-Phare",
    "La Clairière",
    "des Vergers",
    "du Pont-Neuf",
    "L'Alouette",
    "des Granges",
    "Le Ruisseau",
    "de la Colline",
    "Les Genêts",
    "du Bois-Joli",
    "La Fontaine-aux-Merles",
    "des Remparts",
    "Le Grand-Large",
    "de la Vallée",
    "Les Capucines",
    "du Moulin-à-Vent",
    "La Rotonde",
    "des Écluses",
    "Le Sémaphore",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_check_letter_is_that_of_published_codes() {
        // 0951099D is the worked example of the ministry's users; 0 mod 23 gives the first letter.
        assert_eq!(uai_code(95, 1099), "0951099D");
        assert_eq!(uai_code(0, 0), "0000000A");
        assert_eq!(uai_code(0, 22), "0000022Z");
    }

    #[test]
    fn a_whole_departement_has_distinct_codes_and_places() {
        let made = sites(7, 130);
        assert_eq!(made.iter().map(|site| &site.uai).collect::<BTreeSet<_>>().len(), 130);
        assert_eq!(made.iter().map(|site| &site.commune).collect::<BTreeSet<_>>().len(), 130);
        assert!(made.iter().all(|site| site.uai.starts_with("096")));
        for zone in ["A", "B", "C"] {
            assert!(made.iter().any(|site| site.zone == zone), "{zone}");
        }
    }
}
