//! Files in and out: reads CSV and XLSX within limits, runs imports chunk by chunk, writes exports page by page.
//!
//! What a row means stands in `domain::import`, what is stored in `store`; here is the way between them and files.

pub mod bad_rows;
pub mod deb;
pub mod dossier;
pub mod export;
mod export_columns;
mod export_rows;
mod export_running;
pub mod figures;
pub mod inventory;
pub mod ledger;
pub mod limits;
pub mod read;
pub mod records;
pub mod run;
pub mod sheet;
mod text;
mod workbook;
pub mod write;
