//! E-mails: what they say ([`letter`]), and handing them to a mail server ([`smtp`]).
//!
//! Knows neither the store nor why somebody is written to: it is given the lines and the address of the moment.

pub mod letter;
pub mod smtp;
mod words;
