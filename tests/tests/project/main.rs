//! The project itself: which way its parts may depend on each other, what may lie where, that nothing which strangers write
//! stops it, and that its texts promise no more than it keeps.

mod arrows;
mod foreign_text;
mod layout;
mod promises;
