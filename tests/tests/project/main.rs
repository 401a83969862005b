//! The project itself: which way its parts may depend on each other, and what may lie where.

mod arrows;
mod layout;
