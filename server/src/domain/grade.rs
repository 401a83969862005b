//! Grades: what an inspection found of a device's look and working.

use super::verdict::text_enum;

text_enum! {
    /// From as good as new to fit for parts.
    pub enum Grade {
        /// As good as new.
        A = "A",
        /// Marks that nobody minds.
        B = "B",
        /// Marks that everybody sees; works.
        C = "C",
        /// Something does not work.
        D = "D",
    }
}
