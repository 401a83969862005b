//! What Cartable's promises are tested with: a harness around the real binaries, and a simulated fleet.

pub mod harness;
pub mod simulator;
