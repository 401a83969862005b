//! What people may order of this agent, and what it keeps of it. docs/actions.md has the whole list; there is no other.
//!
//! [`read`] believes nobody but the signer whose certificate comes from a pinned root, [`judge`] obeys each order once, in
//! time and for this enrolment alone, [`Kept`] is on the disk before anything is done. What is done is `contact::obey`'s.

mod kept;
mod notice;
mod signed;

pub use kept::{Judged, Kept, judge};
pub use notice::DesktopNotice;
pub use signed::{Distrust, read};

/// Seconds to the next contact after the order to come back soon. The agent keeps no connection on which it could be
/// called: "now" begins at a contact.
pub const SOON_SECONDS: u32 = 120;
