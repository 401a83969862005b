//! The `cartable-server` program: hands its arguments to [`cartable_server::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cartable_server::cli::run()
}
