//! The agent's program against small local servers: strangers, proxies, mishaps; and the units that start it. One binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "clippy takes the functions beside the tests for production code")]

mod anew;
mod cloned;
mod disclosed;
mod mishaps;
mod orders;
mod probe;
mod proxies;
mod recovery;
mod released;
mod roots;
mod strangers;
mod support;
mod told;
mod units;
