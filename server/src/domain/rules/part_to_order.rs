//! Part to order: staff found a unit on the bench to need a part, and none that fits lies on the shelf.

use super::{Finding, FlagCode, LendingFacts, Said, Severity, Statement};
use crate::domain::{part::PartKind, policy::source_of};

pub(super) fn find(lending: &LendingFacts) -> Option<Finding> {
    let work = lending.work.filter(|work| work.position.stage().is_some() && !work.lacking.is_empty())?;
    let names: Vec<Said> = work.lacking.each().map(name).collect();
    let list = |of: fn(&Said) -> &str| names.iter().map(of).collect::<Vec<_>>().join(", ");
    let list = Said::new(list(|said| &said.fr), list(|said| &said.en));
    Some(Finding::from(Statement {
        code: FlagCode::PartToOrder,
        subject: String::new(),
        severity: Severity::Info,
        value: list.clone(),
        threshold: None,
        source: source_of("forecast.part_lead_days"),
        evidence_at: Some(work.since),
        sentence: Said::new(
            format!("En reconditionnement, et aucune pièce de ce genre n'est en stock : {}. À commander.", list.fr),
            format!("In refurbishment, and no part of this kind is on the shelf: {}. To be ordered.", list.en),
        ),
        missing: Vec::new(),
    }))
}

fn name(kind: PartKind) -> Said {
    let (fr, en) = match kind {
        PartKind::Battery => ("batterie", "battery"),
        PartKind::Drive => ("disque", "drive"),
        PartKind::Memory => ("mémoire", "memory"),
        PartKind::Screen => ("écran", "screen"),
        PartKind::Keyboard => ("clavier", "keyboard"),
        PartKind::Trackpad => ("pavé tactile", "trackpad"),
        PartKind::Hinges => ("charnières", "hinges"),
        PartKind::Ports => ("connecteurs", "ports"),
        PartKind::Camera => ("caméra", "camera"),
        PartKind::Sound => ("son", "sound"),
        PartKind::WiFi => ("carte Wi-Fi", "Wi-Fi card"),
        PartKind::Charger => ("chargeur", "charger"),
        PartKind::Casing => ("coque", "casing"),
        PartKind::Fan => ("ventilateur", "fan"),
        PartKind::Other => ("autre pièce", "other part"),
    };
    Said::new(fr, en)
}
