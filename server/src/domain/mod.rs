//! Pure decisions: takes values and `now`, returns values with their reasons. No I/O, no async, no clock, no SQL.

pub mod authority;
pub mod battery;
pub mod change;
pub mod daily;
pub mod device;
pub mod drive;
pub mod enrolment;
pub mod enrolment_token;
pub mod facts;
pub mod flag;
pub mod fold;
pub mod language;
pub mod lease;
pub mod os_support;
pub mod paris;
pub mod person;
pub mod policy;
pub mod rules;
pub mod schedule;
pub mod school_calendar;
pub mod scope;
pub mod timestamp;
pub mod uai;
pub mod verdict;
pub mod wording;
