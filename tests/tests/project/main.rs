//! The project itself: which way its parts may depend on each other, what may lie where, and that nothing which strangers
//! write stops it.

mod arrows;
mod foreign_text;
mod layout;
