//! Files of Snipe-IT and GLPI as they come: recognised by their headings, read with care.
//!
//! What another system calls a device's status never moves a device that Cartable knows: loans do that here. It only
//! says where a *new* device begins, and never as lent: without a loan nobody would be answerable for it.

use serde::{Deserialize, Serialize};

use super::{
    Kind,
    field::{Field, bare},
};
use crate::domain::{fold::fold, loan::LendingState};
use cartable_common::report::Chassis;

/// Who wrote a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Cartable itself, or a table of the user's own.
    #[default]
    Cartable,
    /// Snipe-IT's list of assets or its report.
    SnipeIt,
    /// GLPI's list of computers.
    Glpi,
}

impl Format {
    /// The format's name in addresses and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cartable => "cartable",
            Self::SnipeIt => "snipe-it",
            Self::Glpi => "glpi",
        }
    }

    /// Recognises a list of devices by headings that only that system writes together.
    #[must_use]
    pub fn recognise(kind: Kind, headings: &[String]) -> Self {
        if kind != Kind::Devices {
            return Self::Cartable;
        }
        let known: Vec<String> = headings.iter().map(|heading| bare(heading)).collect();
        let all = |names: &[&str]| names.iter().all(|name| known.iter().any(|heading| heading == name));
        let any = |names: &[&str]| names.iter().any(|name| known.iter().any(|heading| heading == name));
        if all(&["asset tag", "serial"])
            && any(&["checked out to", "asset name", "item name", "checkout type", "checked out"])
        {
            Self::SnipeIt
        } else if (any(&["entity", "entite"]) || any(&["last update", "derniere modification"]))
            && any(&["serial number", "numero de serie"])
            && any(&["location", "lieu"])
        {
            Self::Glpi
        } else {
            Self::Cartable
        }
    }

    /// How well a heading of this system fits a field.
    pub(super) fn fits(self, field: Field, heading: &str) -> Option<usize> {
        let names: &[&str] = match (self, field) {
            (Self::SnipeIt, Field::SerialNumber) => &["serial"],
            (Self::SnipeIt, Field::AssetTag) => &["asset tag"],
            (Self::Glpi, Field::SerialNumber) => &["serial number", "numero de serie"],
            (Self::Glpi, Field::AssetTag) => &["inventory number", "numero d inventaire"],
            (_, Field::Manufacturer) => &["manufacturer", "fabricant"],
            (_, Field::Model) => &["model", "model name", "modele"],
            (Self::SnipeIt, Field::Chassis) => &["category"],
            (Self::Glpi, Field::Chassis) => &["type"],
            (_, Field::Site) => &["location", "lieu", "default location"],
            (_, Field::LendingState) => &["status", "statut"],
            (Self::SnipeIt, Field::WarrantyUntil) => &["warranty expires"],
            (Self::Glpi, Field::WarrantyUntil) => &[
                "financial and administrative information warranty expiration date",
                "date d expiration de la garantie",
            ],
            _ => &[],
        };
        let heading = bare(heading);
        names.iter().position(|name| *name == heading)
    }

    /// A cell of this system as plain text: Snipe-IT's older lists hold links, GLPI's locations their whole path.
    #[must_use]
    pub fn plain(self, field: Option<Field>, cell: &str) -> String {
        match self {
            Self::SnipeIt => without_tags(cell),
            Self::Glpi if field == Some(Field::Site) => cell.rsplit('>').next().unwrap_or_default().trim().to_owned(),
            Self::Glpi | Self::Cartable => cell.to_owned(),
        }
    }

    /// Where a *new* device with that status begins: in stock only where the other system says that it is ready to be
    /// lent, lost or stolen where it says so, and otherwise at intake, to be looked at.
    #[must_use]
    pub fn first_state(status: &str) -> LendingState {
        let status = fold(status);
        let says = |words: &[&str]| words.iter().any(|word| status.contains(word));
        // Snipe-IT writes the label and then its kind: "Lost/Stolen undeployable".
        if says(&["stolen", "vole"]) && !says(&["lost", "perdu"]) {
            LendingState::Stolen
        } else if says(&["lost", "perdu"]) {
            LendingState::Lost
        } else if says(&["unavailable", "not available", "indisponible", "hors stock", "out of stock"]) {
            LendingState::Intake
        } else if says(&["ready to deploy", "in stock", "en stock", "disponible", "available"]) {
            LendingState::InStock
        } else {
            LendingState::Intake
        }
    }

    /// The kind of machine that a category or type names, where it is clear.
    #[must_use]
    pub fn chassis(category: &str) -> Option<Chassis> {
        let category = fold(category);
        let says = |words: &[&str]| words.iter().any(|word| category.contains(word));
        if says(&["laptop", "notebook", "portable", "chromebook", "convertible", "ultrabook"]) {
            Some(Chassis::Laptop)
        } else if says(&["tablet"]) {
            Some(Chassis::Tablet)
        } else if says(&["desktop", "tower", "mini pc", "all in one", "fixe", "bureau"]) {
            Some(Chassis::Desktop)
        } else {
            None
        }
    }
}

/// `<a href="…"> Text</a>` as `Text`.
fn without_tags(cell: &str) -> String {
    if !cell.trim_start().starts_with('<') {
        return cell.to_owned();
    }
    let mut text = String::with_capacity(cell.len());
    let mut inside = false;
    for character in cell.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings(line: &str) -> Vec<String> {
        line.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn each_system_is_recognised_by_its_headings() {
        let snipe =
            headings("ID,Asset Name,Device Image,Asset Tag,Serial,Model,Category,Status,Checked Out To,Location");
        assert_eq!(Format::recognise(Kind::Devices, &snipe), Format::SnipeIt);
        for glpi in [
            "Name,Entity,Status,Manufacturer,Serial number,Type,Model,Operating System - Name,Location,Last update",
            "Nom,Entité,Statut,Fabricant,Numéro de série,Type,Modèle,Système d'exploitation - Nom,Lieu,Dernière modification",
        ] {
            assert_eq!(Format::recognise(Kind::Devices, &headings(glpi)), Format::Glpi, "{glpi}");
        }
        assert_eq!(Format::recognise(Kind::Devices, &headings("Serial number,Location")), Format::Cartable);
        assert_eq!(Format::recognise(Kind::Sites, &snipe), Format::Cartable);
    }

    #[test]
    fn a_foreign_status_never_makes_a_device_lent() {
        for (status, state) in [
            ("Ready to Deploy", LendingState::InStock),
            ("Ready to Deploy Deployed", LendingState::InStock),
            ("Deployed", LendingState::Intake),
            ("En service", LendingState::Intake),
            ("Lost/Stolen", LendingState::Lost),
            ("Volé", LendingState::Stolen),
            ("Archived", LendingState::Intake),
            ("Indisponible", LendingState::Intake),
            ("", LendingState::Intake),
        ] {
            assert_eq!(Format::first_state(status), state, "{status}");
        }
    }

    #[test]
    fn links_become_their_text() {
        let cell = r#"<a href="https://example.org/models/4"> ThinkPad L13</a>"#;
        assert_eq!(Format::SnipeIt.plain(Some(Field::Model), cell), "ThinkPad L13");
        assert_eq!(
            Format::Glpi.plain(Some(Field::Site), "Département > Nord > Collège des Tilleuls"),
            "Collège des Tilleuls"
        );
    }
}
