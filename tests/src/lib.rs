//! What Cartable's promises are tested with: a harness around the real binaries, a simulated fleet, and the demo that
//! puts both before a newcomer.

pub mod demo;
pub mod harness;
pub mod postgres;
pub mod simulator;
pub mod stores;
