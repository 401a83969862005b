//! Settings: how long a work order may stay at each stage, and a ready unit without anybody.

use crate::domain::work_order::Stage;

sections! {
    /// Reconditionnement : jours à chaque étape d'un ordre avant qu'il soit signalé comme bloqué, et jours pendant lesquels
    /// un appareil prêt peut attendre.
    /// Refurbishment: days at each stage of a work order before it is flagged as stuck, and days for which a ready device
    /// may wait.
    refurbishment: RefurbishmentPolicy {
        intake_days: u32 = 10, Some(1..=365), "jours · days",
        fr "Arrivé, pas encore contrôlé.",
        en "Arrived, not looked at yet.",
        source "Cartable: 3,800 returns a year (Hauts-de-Seine) come within weeks; ten days hide none of them.",
        source_fr "Cartable : 3 800 retours par an (Hauts-de-Seine) arrivent en quelques semaines ; dix jours n'en cachent aucun.";

        inspection_days: u32 = 2, Some(1..=365), "jours · days",
        fr "En cours de contrôle.",
        en "Being inspected.",
        source "Cartable: an inspection takes minutes; two days later it was forgotten.",
        source_fr "Cartable : un contrôle prend quelques minutes ; deux jours plus tard, il a été oublié.";

        erasure_days: u32 = 3, Some(1..=365), "jours · days",
        fr "À effacer.",
        en "To be erased.",
        source "Cartable: overwriting a large disk takes a night; pupils' work must not lie about.",
        source_fr "Cartable : écraser un grand disque prend une nuit ; le travail d'élèves ne doit pas traîner.";

        repair_days: u32 = 15, Some(1..=365), "jours · days",
        fr "En réparation.",
        en "In repair.",
        source "Cartable: the delivery of a part takes one to two weeks.",
        source_fr "Cartable : une pièce est livrée en une à deux semaines.";

        reinstallation_days: u32 = 3, Some(1..=365), "jours · days",
        fr "En réinstallation.",
        en "In reinstallation.",
        source "Cartable: an installation takes hours, by the dozen.",
        source_fr "Cartable : une installation prend quelques heures, par dizaines.";

        final_test_days: u32 = 2, Some(1..=365), "jours · days",
        fr "En test final.",
        en "In the final test.",
        source "As for the inspection.",
        source_fr "Comme pour le contrôle.";

        grading_days: u32 = 2, Some(1..=365), "jours · days",
        fr "Grade à attribuer.",
        en "To be graded.",
        source "As for the inspection.",
        source_fr "Comme pour le contrôle.";

        disposition_days: u32 = 5, Some(1..=365), "jours · days",
        fr "À orienter.",
        en "To be decided on.",
        source "Cartable: a week's meeting decides.",
        source_fr "Cartable : la réunion de la semaine décide.";

        quarantine_days: u32 = 2, Some(1..=365), "jours · days",
        fr "En quarantaine, batterie gonflée.",
        en "In quarantine, battery swollen.",
        source "Cartable: a fire hazard is not stored; the next collection or a trained hand takes it.",
        source_fr "Cartable : un risque d'incendie ne se stocke pas ; la prochaine collecte ou une main formée s'en charge.";

        ready_days: u32 = 30, Some(1..=365), "jours · days",
        fr "Prêt, attribué à personne.",
        en "Ready, assigned to nobody.",
        source "Cartable: a month beside a list of waiting pupils.",
        source_fr "Cartable : un mois à côté d'une liste d'élèves qui attendent.";
    }
}

impl RefurbishmentPolicy {
    /// Days that an order may be at `stage`, and the setting's name.
    #[must_use]
    pub const fn limit(&self, stage: Stage) -> (u32, &'static str) {
        match stage {
            Stage::Intake => (self.intake_days, "refurbishment.intake_days"),
            Stage::Inspection => (self.inspection_days, "refurbishment.inspection_days"),
            Stage::Erasure => (self.erasure_days, "refurbishment.erasure_days"),
            Stage::Repair => (self.repair_days, "refurbishment.repair_days"),
            Stage::Reinstallation => (self.reinstallation_days, "refurbishment.reinstallation_days"),
            Stage::FinalTest => (self.final_test_days, "refurbishment.final_test_days"),
            Stage::Grading => (self.grading_days, "refurbishment.grading_days"),
            Stage::Disposition => (self.disposition_days, "refurbishment.disposition_days"),
            Stage::Quarantine => (self.quarantine_days, "refurbishment.quarantine_days"),
        }
    }
}
