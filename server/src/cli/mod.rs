//! The command line: one file per subcommand.

pub mod api_token;
pub mod audit;
pub mod user;
