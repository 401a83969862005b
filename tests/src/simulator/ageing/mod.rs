//! How devices age over years: batteries fade, drives wear and die with or without signs, people break things. Seeded.
//!
//! Each device has a hidden truth ([`truth::Need`]: what had to be repaired, on which day) and an agent that reads a part
//! of it, with the noise that real agents meet: gauges that err or never answer, cycle counts of 0, counters packed into
//! one number, cables, odd readings that recover. What an agent cannot read (screens, keyboards, hinges, chargers,
//! boards) breaks all the same.
//!
//! # How it is kept apart from what it judges
//!
//! Nothing here names the server's rules, its policy or its verdicts: `tests/tests/refurbishment/ageing.rs` holds that no file of this
//! folder does. Every number is a constant with its source, or says that it is assumed. A battery is at its end when
//! it does not carry its holder from one socket to the next (hours and watts), a drive when it is dead; neither has a
//! percentage or a count at which it "must" be replaced. The numbers were written down before the first comparison
//! with the rules was run (docs/EVIDENCE.md tells when and what was changed since).

pub mod battery;
pub mod breakage;
pub mod calendar;
pub mod chance;
pub mod drive;
pub mod drive_values;
pub mod life;
pub mod truth;

pub use calendar::{Calendar, Week};
pub use life::{Ageing, Life};
pub use truth::{Cause, Need, Part};
