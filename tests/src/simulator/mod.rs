//! A lifelike fleet in one process, the same for the same seed, that talks to a real server through the agent library.
//!
//! The pure half (sites, models, conditions, reports at any moment) needs no clock and no I/O. The live half enrols
//! and checks in over real mutual TLS with the code that runs on laptops.

pub mod ageing;
pub mod catalogue;
pub mod condition;
pub mod device;
pub mod drive;
pub mod fleet;
pub mod keyring;
pub mod lived;
pub mod machine;
pub mod programme;
pub mod random;
pub mod roster;
pub mod site;

pub use fleet::Fleet;
pub use keyring::Keyring;
pub use machine::Machine;
pub use roster::Roster;
