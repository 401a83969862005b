//! The console in headless Chromium: what people see and do, axe's rules on each page, and the guides' pictures.

mod accessibility;
mod console;
mod desk;
mod guide_pictures;
mod planning;
mod refurbishment;
mod workshop;
