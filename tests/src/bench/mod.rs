//! What the benchmarks share: figures and how they are told, the processor time and memory of a process, a fleet in
//! the store, and a load generator that speaks the device port.
//!
//! Traffic stays on 127.0.0.1. A figure is measured, never judged here: docs/BENCHMARKS.md sets budgets beside them.

pub mod bare;
pub mod figure;
pub mod fleet;
pub mod laptop;
pub mod load;
pub mod neighbours;
pub mod stage;
pub mod storeless;
pub mod usage;
pub mod wire;

pub use figure::{Figures, Options};
