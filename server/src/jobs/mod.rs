//! Periodic work, as reconcilers.
