//! The agent's program against small local servers: strangers, proxies, mishaps. One binary, so that it links once.

mod mishaps;
mod proxies;
mod strangers;
mod support;
