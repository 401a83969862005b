//! The real binaries on a data directory of their own: started, asked, stopped or killed, and never left behind.
//!
//! `Installation::temporary()?.serve()?` is a whole Cartable. Everything is stopped when its value is dropped, also
//! while a panic unwinds, and the server's log is then printed.

pub mod agent;
pub mod binaries;
pub mod cartable;
pub mod emulated_tpm;
pub mod http;
pub mod installation;
pub mod process;
pub mod server;
pub mod stored;

pub use agent::Agent;
pub use binaries::Binaries;
pub use cartable::Cartable;
pub use emulated_tpm::EmulatedTpm;
pub use http::{Api, Visitor};
pub use installation::Installation;
pub use process::Process;
pub use server::Server;
