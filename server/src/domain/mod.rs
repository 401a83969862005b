//! Pure decisions: takes values and `now`, returns values with their reasons. No I/O, no async, no clock, no SQL.

pub mod fold;
pub mod policy;
pub mod scope;
