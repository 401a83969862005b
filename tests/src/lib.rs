//! What Cartable's promises are tested with: a harness around the real binaries, a simulated fleet, and the demo that
//! puts both before a newcomer.

pub mod demo;
pub mod fleet;
pub mod harness;
pub mod postgres;
pub mod raw;
pub mod simulator;
pub mod stores;
