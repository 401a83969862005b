//! The API and the console's pages as a router answers them: who may do what, what is exported, what forms refuse.

mod approval_pages;
mod audit_chain;
mod authority;
mod console_imports;
mod contract;
mod device_page;
mod documents;
mod erasure_pages;
mod exams;
mod exports;
mod foreign_agent;
mod inventories;
mod order_many;
mod people_hostile;
mod planning;
mod programmes;
mod records;
mod releases;
mod sign_in;
mod sites_and_calendars;
