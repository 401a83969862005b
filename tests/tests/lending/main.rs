//! A loan from its plan to its return, what is imported for it, and the notices about it; each on both engines.

mod borrowers;
mod desk;
mod hand_over;
mod import_beside_others;
mod import_rows;
mod model;
mod notices_delivery;
mod notices_family;
mod notices_tls;
mod notices_webhooks;
mod refusals;
mod school_year;
mod sql_by_hand;
