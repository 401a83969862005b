//! The `cartable-server` program: hands its arguments to [`cartable_server::cli`].

fn main() {}
