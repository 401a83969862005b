//! A battery in a report: what it held when new and holds today, unjudged.

use crate::{
    describe::reported,
    text::Text,
    units::{MilliampHours, MilliwattHours},
};

reported! {
    /// A battery of the machine itself, never a mouse's or a headset's.
    pub struct Battery {
        /// The maker, to order a replacement.
        fr "Le fabricant, pour commander un remplacement.",
        manufacturer: Option<Text>,
        /// The model, to order a replacement.
        fr "Le modèle, pour commander un remplacement.",
        model: Option<Text>,
        /// The energy it held when new.
        fr "L'énergie qu'elle contenait neuve.",
        design_milliwatt_hours: Option<MilliwattHours>,
        /// The energy it holds today when full.
        fr "L'énergie qu'elle contient aujourd'hui quand elle est pleine.",
        full_milliwatt_hours: Option<MilliwattHours>,
        /// The charge it held when new, where the machine counts charge instead of energy.
        fr "La charge qu'elle contenait neuve, si la machine compte en charge plutôt qu'en énergie.",
        design_milliamp_hours: Option<MilliampHours>,
        /// The charge it holds today when full.
        fr "La charge qu'elle contient aujourd'hui quand elle est pleine.",
        full_milliamp_hours: Option<MilliampHours>,
        /// Charge cycles in its life; absent where the machine answers zero, which means that it does not count.
        fr "Les cycles de charge de sa vie ; absent si la machine répond zéro, c'est-à-dire qu'elle ne compte pas.",
        cycle_count: Option<u32>,
        /// The chemistry, to recycle it properly.
        fr "La chimie, pour la recycler correctement.",
        technology: Option<Text>,
    }
}
