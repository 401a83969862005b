//! School days: the calendar of the French academies.

use super::verdict::text_enum;

text_enum! {
    /// The zone of an academy's winter and spring holidays.
    pub enum Zone {
        /// Besançon, Bordeaux, Clermont-Ferrand, Dijon, Grenoble, Limoges, Lyon, Poitiers.
        A = "A",
        /// Aix-Marseille, Amiens, Lille, Nancy-Metz, Nantes, Nice, Normandie, Orléans-Tours, Reims, Rennes, Strasbourg.
        B = "B",
        /// Créteil, Montpellier, Paris, Toulouse, Versailles.
        C = "C",
    }
}
