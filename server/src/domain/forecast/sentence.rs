//! The answer in one sentence, for those who decide.

use super::{Bottleneck, Constraint, Forecast, ReadyFor, days_between};
use crate::domain::{
    part::PartKind,
    policy::Policy,
    wording::{Said, count, date, number, percent},
};

/// Parts of a kind, in the plural: French with its article after "de", English bare.
#[must_use]
pub fn part_said(kind: PartKind) -> Said {
    let (fr, en) = match kind {
        PartKind::Battery => ("les batteries", "batteries"),
        PartKind::Drive => ("les disques", "drives"),
        PartKind::Memory => ("les barrettes de mémoire", "memory modules"),
        PartKind::Screen => ("les écrans", "screens"),
        PartKind::Keyboard => ("les claviers", "keyboards"),
        PartKind::Trackpad => ("les pavés tactiles", "trackpads"),
        PartKind::Hinges => ("les charnières", "hinges"),
        PartKind::Ports => ("les connecteurs", "sockets"),
        PartKind::Camera => ("les caméras", "cameras"),
        PartKind::Sound => ("les haut-parleurs et micros", "loudspeakers and microphones"),
        PartKind::WiFi => ("les cartes Wi-Fi", "Wi-Fi cards"),
        PartKind::Charger => ("les chargeurs", "chargers"),
        PartKind::Casing => ("les éléments de coque", "casing parts"),
        PartKind::Fan => ("les ventilateurs", "fans"),
        PartKind::Other => ("les autres pièces", "other parts"),
    };
    Said::new(fr, en)
}

/// What a constraint is called; `models` are the names that it refers to.
#[must_use]
pub fn constraint_said(constraint: Constraint, models: &[String]) -> Said {
    match constraint {
        Constraint::Bench => Said::new("le temps d'atelier", "time at the bench"),
        Constraint::Returns => Said::new("les retours tardifs ou absents", "returns that are late or missing"),
        Constraint::Parts => Said::new("les pièces, plusieurs à la fois", "parts, several at once"),
        Constraint::Part(kind, model) => {
            let part = part_said(kind);
            match models.get(model).filter(|name| !name.is_empty()) {
                Some(name) => Said::new(format!("{} pour {name}", part.fr), format!("{} for {name}", part.en)),
                None => part,
            }
        }
    }
}

impl Forecast {
    /// The answer in words.
    #[must_use]
    pub fn sentence(&self, policy: &Policy) -> Said {
        let (units, day, chance) = (self.units_said(), date(self.question.by), chance(self.percent()));
        let [least, _, middle, _, most] = self.weeks.last().map(|week| week.units).unwrap_or_default();
        let [least, middle, most] = [least, middle, most].map(|units| number(u64::from(units)));
        let mut fr = format!(
            "{} d'ici le {} : {}. Neuf futurs sur dix en donnent entre {} et {}, la moitié au moins {}.",
            units.fr, day.fr, chance.fr, least.fr, most.fr, middle.fr
        );
        let mut en = format!(
            "{} by {}: {}. Nine futures in ten give between {} and {}, half of them at least {}.",
            units.en, day.en, chance.en, least.en, most.en, middle.en
        );
        // What is certain is not held up.
        let held = self.bottleneck.filter(|_| self.percent() < 100);
        let more = held.map_or_else(|| self.nothing_said(), |one| self.bottleneck_said(one, policy));
        fr.push(' ');
        fr.push_str(&more.fr);
        en.push(' ');
        en.push_str(&more.en);
        Said::new(fr, en)
    }

    fn units_said(&self) -> Said {
        let value = u64::from(self.question.target);
        match self.question.ready {
            ReadyFor::Donate => count(
                value,
                ("appareil prêt à donner", "unit ready to donate"),
                ("appareils prêts à donner", "units ready to donate"),
            ),
            ReadyFor::Lend => count(
                value,
                ("appareil prêt à prêter", "unit ready to lend"),
                ("appareils prêts à prêter", "units ready to lend"),
            ),
        }
    }

    /// Where no constraint alone holds it up.
    fn nothing_said(&self) -> Said {
        if self.percent() == 100 {
            return Said::new("Rien ne s'y oppose.", "Nothing stands in the way.");
        }
        Said::new(
            "Aucun frein à lui seul : il n'y a pas assez d'appareils qui finissent ainsi.",
            "No single bottleneck: not enough units end that way.",
        )
    }

    fn bottleneck_said(&self, one: Bottleneck, policy: &Policy) -> Said {
        let name = constraint_said(one.constraint, &self.models);
        let then = gain(one);
        match one.constraint {
            Constraint::Part(kind, model) => {
                let found = self.parts.iter().find(|part| part.kind == kind && part.model == model);
                let pieces = number(u64::from(found.map_or(0, |part| part.quantity)));
                let late = i64::from(policy.forecast.part_lead_days)
                    >= i64::from(days_between(
                        self.weeks.first().map_or(self.question.by, |week| week.day),
                        self.question.by,
                    ));
                if late {
                    return Said::new(
                        format!("Le frein : {} ; une commande d'aujourd'hui arriverait trop tard.", name.fr),
                        format!("The bottleneck is {}; an order of today would come too late.", name.en),
                    );
                }
                Said::new(
                    format!("Le frein : {} ; en commander {} aujourd'hui ajoute {}.", name.fr, pieces.fr, then.fr),
                    format!("The bottleneck is {}: order {} today, {}.", name.en, pieces.en, then.en),
                )
            }
            Constraint::Parts => Said::new(
                format!("Le frein : {} ; tout commander aujourd'hui ajoute {}.", name.fr, then.fr),
                format!("The bottleneck is {}: order them all today, {}.", name.en, then.en),
            ),
            Constraint::Bench | Constraint::Returns => Said::new(
                format!("Le frein : {} ; sans lui, {} de plus.", name.fr, then.fr),
                format!("The bottleneck is {}; without it, {}.", name.en, then.en),
            ),
        }
    }
}

/// The chance, in words where no future or every one met the target: what was not played may still come.
fn chance(value: u32) -> Said {
    match value {
        0 => Said::new("dans aucun des futurs joués", "in none of the futures that were played"),
        100 => Said::new("acquis dans tous les futurs joués", "met in every future played"),
        _ => {
            let share = percent(u64::from(value));
            Said::new(format!("{} de chances", share.fr), format!("{} likely", share.en))
        }
    }
}

/// What is gained in the same futures: chance, or where that stays the same, units.
fn gain(one: Bottleneck) -> Said {
    if one.percent > one.percent_now {
        let points = u64::from(one.percent - one.percent_now);
        return count(points, ("point de chances", "point more likely"), ("points de chances", "points more likely"));
    }
    let more = u64::from(one.median.saturating_sub(one.median_now));
    count(
        more,
        ("appareil, au milieu", "more unit in the middle"),
        ("appareils, au milieu", "more units in the middle"),
    )
}
