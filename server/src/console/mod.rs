//! Server-rendered pages, French and English: what each address answers, and what every answer carries.
//!
//! A handler extracts, begins a unit of work, makes one call, commits and shows the page; decisions are in `domain`,
//! SQL in `store`. Nothing needs JavaScript: links and forms do it all; the desks' pages gain a scanner's pace by it.

mod acts;
mod advice;
mod alarm;
mod allocation;
mod allocation_acts;
mod allocation_sheet;
mod allocation_why;
mod apt;
mod assets;
mod audit;
mod audit_words;
mod borrower;
mod borrower_acts;
mod borrower_form;
mod borrower_list;
mod borrower_pages;
mod calendar;
mod calendar_acts;
mod came_from;
mod campaign;
mod campaign_acts;
mod campaign_form;
mod campaign_letters;
mod campaign_sheet;
mod change;
mod chart;
mod chart_fan;
mod check;
mod class_hand_over;
mod component;
mod design;
mod desk_way;
mod device;
mod device_action;
mod device_action_bulk;
mod device_correction;
mod device_list;
mod device_record;
mod device_scan;
mod disposition_list;
mod document;
mod donation;
mod donation_acts;
mod donation_papers;
mod donation_sheet;
mod donation_units;
mod download;
mod erasure;
mod erasure_acts;
mod error;
mod exam;
mod exam_acts;
mod exports;
mod facts;
mod figures;
mod flag;
mod flag_list;
mod forecast;
mod forecast_sheet;
mod foreign_agent;
mod format;
mod guard;
mod hand_over;
mod hand_over_act;
mod hand_over_device;
mod i18n;
mod import_page;
mod imports;
mod label;
mod loan;
mod loan_acts;
mod loan_line;
mod loan_list;
mod need;
mod need_acts;
mod need_change;
mod notice;
mod once;
mod overview;
mod pages;
mod programme;
mod programme_acts;
mod recipient;
mod recovery;
mod release;
mod reserve;
mod return_desk;
mod scanned;
mod shell;
mod sign_in;
mod site;
mod site_acts;
mod token;
mod visitor;
mod waiting;
mod waiting_acts;
mod what_if;
mod work_acts;
mod work_board;
mod work_checklist;
mod work_intake;
mod work_order;
mod work_part;
mod work_past;

#[cfg(test)]
mod loan_samples;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod samples_desk;
#[cfg(test)]
mod samples_device;
#[cfg(test)]
mod samples_disposition;
#[cfg(test)]
mod samples_donation;
#[cfg(test)]
mod samples_erasure;
#[cfg(test)]
mod samples_figures;
#[cfg(test)]
mod samples_fleet;
#[cfg(test)]
mod samples_forecast;
#[cfg(test)]
mod samples_lending;
#[cfg(test)]
mod samples_orders;
#[cfg(test)]
mod samples_planning;
#[cfg(test)]
mod samples_running;
#[cfg(test)]
mod samples_waiting;
#[cfg(test)]
mod samples_workshop;
#[cfg(test)]
mod words_test;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::app::App;

/// Every address of the console.
pub fn router(app: App) -> Router {
    let routes = fleet()
        .merge(lending())
        .merge(planning())
        .merge(refurbishment())
        .merge(running())
        .merge(erasure())
        .merge(donation())
        .merge(everybody())
        .fallback(pages::nowhere)
        .layer(from_fn_with_state((app.clone(), alarm::Watch::default()), alarm::watch));
    guard::guarded(routes, app)
}

/// Devices, what they need, and how they enrol.
fn fleet() -> Router<App> {
    Router::new()
        .route("/", get(pages::overview))
        .route("/devices.csv", get(exports::short))
        .route("/devices", get(pages::devices).post(device_record::create))
        .route("/devices/new", get(device_record::fresh))
        .route("/devices/orders", get(device_action_bulk::page).post(device_action_bulk::order))
        .route("/devices/{id}/enrolments/{enrolment}/approve", post(device_record::approve))
        .route("/devices/waiting", get(waiting_acts::list))
        .route("/devices/waiting/preview", post(waiting_acts::preview))
        .route("/devices/waiting/decide", post(waiting_acts::decide))
        .route("/devices/{id}/recoveries/{recovery}/approve", post(recovery::approve))
        .route("/devices/{id}/recoveries/{recovery}/refuse", post(recovery::refuse))
        .route("/devices/{id}/actions", post(device_action::order))
        .route("/devices/{id}/actions/{action}/log", get(device_action::log))
        .route("/devices/{id}/foreign-agent/revoke", post(foreign_agent::revoke))
        .route("/devices/{id}", get(pages::device))
        .route("/devices/{id}/record", post(device_correction::correct))
        .route("/devices/{id}/asset-tag", post(acts::set_asset_tag))
        .route("/devices/{id}/baseline", post(acts::accept_baseline))
        .route("/devices/{id}/status", post(acts::set_status))
        .route("/devices/{id}/archive", post(acts::archive))
        .route("/devices/{id}/unarchive", post(acts::unarchive))
        .route("/devices/{id}/stock", post(loan_acts::put_in_stock))
        .route("/labels", get(label::form).post(label::print))
        .route("/dispositions", get(disposition_list::list))
        .route("/dispositions/what-if", get(what_if::page))
        .route("/flags", get(pages::flags))
        .route("/flags/{id}/handle", post(acts::handle_flag))
        .route("/tokens", get(pages::tokens).post(acts::create_token))
        .route("/tokens/{id}/revoke", post(acts::revoke_token))
}

/// Loans, and who holds them.
fn lending() -> Router<App> {
    Router::new()
        .route("/loans", get(loan_list::loans))
        .route("/loans.csv", get(exports::short))
        .route("/loans/{id}", get(loan::loan))
        .route("/loans/{id}/cancel", post(loan_acts::cancel))
        .route("/loans/{id}/extend", post(loan_acts::extend))
        .route("/loans/{id}/return", post(loan_acts::take_back))
        .route("/loans/{id}/undo-return", post(loan_acts::undo_return))
        .route("/loans/{id}/lose", post(loan_acts::lose))
        .route("/loans/{id}/steal", post(loan_acts::steal))
        .route("/loans/{id}/write-off", post(loan_acts::write_off))
        .route("/loans/{id}/signature", post(loan_acts::show_signature))
        .route("/loans/{id}/agreement", post(document::agreement))
        .route("/loans/{id}/receipt", post(document::receipt))
        .route("/documents/{number}", get(document::show))
        .route("/hand-over/reserve", post(reserve::reserve))
        .route("/hand-over/agreement", post(document::before))
        .route("/hand-over", get(hand_over::form).post(hand_over_act::hand_over))
        .route("/hand-over/class", get(class_hand_over::form).post(class_hand_over::class))
        .route("/returns", get(return_desk::desk).post(return_desk::scan))
        .route("/returns/undo", post(return_desk::undo))
        .route("/borrowers", get(borrower_pages::list).post(borrower_acts::create))
        .route("/borrowers/new", get(borrower_pages::fresh))
        .route("/borrowers/search", post(borrower_pages::search))
        .route("/borrowers/{id}", get(borrower_pages::one))
        .route("/borrowers/{id}/identity", post(borrower_pages::reveal))
        .route("/borrowers/{id}/identity/change", post(borrower_acts::change_identity))
        .route("/borrowers/{id}/change", post(borrower_acts::change))
        .route("/borrowers/{id}/left", post(borrower_acts::left))
        .route("/borrowers/{id}/export", post(borrower_pages::export))
        .route("/borrowers/{id}/erase", post(borrower_acts::erase))
}

/// Who gets which device, and when they come back.
fn planning() -> Router<App> {
    Router::new()
        .route("/needs", get(need_acts::list).post(need_acts::enter))
        .route("/needs/{id}/change", get(need_change::form).post(need_change::change))
        .route("/needs/{id}/withdraw", post(need_acts::withdraw))
        .route("/allocations", get(allocation_acts::list).post(allocation_acts::propose))
        .route("/allocations/{id}", get(allocation_acts::one))
        .route("/allocations/{id}/{file}", get(allocation_acts::export))
        .route("/allocations/{id}/swap", post(allocation_acts::swap))
        .route("/allocations/{id}/drop-line", post(allocation_acts::drop_line))
        .route("/allocations/{id}/approve", post(allocation_acts::approve))
        .route("/allocations/{id}/drop", post(allocation_acts::give_up))
        .route("/campaigns", get(campaign_acts::list).post(campaign_acts::plan))
        .route("/campaigns/{id}", get(campaign_acts::one))
        .route("/campaigns/{id}/{file}", get(campaign_acts::export))
        .route("/campaigns/{id}/start", post(campaign_acts::start))
        .route("/campaigns/{id}/close", post(campaign_acts::close))
        .route("/campaigns/{id}/desks", post(campaign_acts::set_desks))
        .route("/campaigns/{id}/plan", post(campaign_acts::change))
        .route("/campaigns/{id}/drop", post(campaign_acts::drop_planned))
        .route("/campaigns/{id}/excuse", post(campaign_letters::excuse))
        .route("/campaigns/{id}/expect", post(campaign_letters::expect))
        .route("/campaigns/{id}/write-again", post(campaign_letters::write_again))
        .route("/campaigns/{id}/letters", post(campaign_letters::letters))
}

/// The workshop: orders by stage, one unit on the bench, parts.
fn refurbishment() -> Router<App> {
    Router::new()
        .route("/work-orders", get(work_acts::board))
        .route("/work-orders/intake", get(work_intake::desk).post(work_intake::scan))
        .route("/work-orders/{id}", get(work_acts::one))
        .route("/work-orders/{id}/move", post(work_acts::take))
        .route("/work-orders/{id}/inspection", get(work_checklist::form).post(work_checklist::submit))
        .route("/work-orders/{id}/waiver", post(work_acts::waive))
        .route("/work-orders/{id}/parts", post(work_acts::use_part))
        .route("/work-orders/{id}/harvest", post(work_acts::harvest))
        .route(
            "/work-orders/{id}/photos",
            post(work_acts::add_photo).layer(DefaultBodyLimit::max(work_acts::LARGEST_FORM)),
        )
        .route("/work-orders/{id}/photos/{photo}", get(work_acts::show_photo))
        .route("/work-orders/{id}/photos/{photo}/remove", post(work_acts::remove_photo))
        .route("/forecast", get(forecast::page))
        .route("/forecast/{file}", get(forecast::export))
        .route("/parts", get(work_part::parts).post(work_part::add))
        .route("/parts/{id}/count", post(work_part::count))
}

/// Programmes, sites, lists in and out, what was written to whom and done by whom.
fn running() -> Router<App> {
    Router::new()
        .route("/exports", get(exports::page))
        .route("/exports/{file}", get(exports::file))
        .route(
            "/imports",
            get(imports::list).post(imports::take_in).layer(DefaultBodyLimit::max(imports::LARGEST_FORM)),
        )
        .route("/imports/{id}", get(imports::show))
        .route("/imports/{id}/check", post(imports::check))
        .route("/imports/{id}/apply", post(imports::apply))
        .route("/imports/{id}/bad.csv", post(imports::bad))
        .route("/imports/{id}/delete", post(imports::delete))
        .route("/programmes", get(programme_acts::list).post(programme_acts::create))
        .route("/programmes/new", get(programme_acts::fresh))
        .route("/programmes/{id}", get(programme_acts::one).post(programme_acts::change))
        .route("/programmes/{id}/close", post(programme_acts::close))
        .route("/programmes/{id}/reopen", post(programme_acts::reopen))
        .route("/sites", get(site_acts::list).post(site_acts::create))
        .route("/sites/{id}", get(site_acts::one).post(site_acts::change))
        .route("/sites/{id}/list", post(document::site_list))
        .route("/sites/{id}/referents", post(site_acts::add_referent))
        .route("/sites/{id}/referents/{referent}/end", post(site_acts::end_referent))
        .route("/calendar", get(calendar_acts::page).post(calendar_acts::import))
        .route("/exams", get(exam_acts::list).post(exam_acts::order))
        .route("/exams/{id}/end", post(exam_acts::call_off))
        .route("/releases", get(release::list))
        .route("/releases/{release}/stage", post(release::stage))
        .route("/releases/{release}/halt", post(release::halt))
        .route("/audit", get(pages::audit))
        .route("/notices", get(notice::list))
        .route("/notices/{id}", get(notice::show))
        .route("/notices/{id}/bounce", post(notice::bounce))
        .route("/notices/{id}/again", post(notice::send_again))
}

/// The erasure of drives; the page of its certificates is everybody's.
fn erasure() -> Router<App> {
    let evidence = post(erasure_acts::bring).layer(DefaultBodyLimit::max(erasure_acts::LARGEST_FORM));
    Router::new()
        .route("/devices/{id}/erasures", get(erasure_acts::show))
        .route("/devices/{id}/erasures/evidence", evidence)
        .route("/devices/{id}/erasures/by-hand", post(erasure_acts::by_hand))
        .route("/devices/{id}/erasures/absent", post(erasure_acts::absent))
        .route("/devices/{id}/erasures/certificate", post(erasure_acts::certificate))
        .route("/devices/{id}/erasures/{erasure}/witness", post(erasure_acts::witness))
        .route("/devices/{id}/erasures/files/{file}", get(erasure_acts::file))
        .route(
            "/check/{number}",
            get(check::check).post(check::compare).layer(DefaultBodyLimit::max(check::LARGEST_PDF)),
        )
}

/// Who is given what, under which text, and what is missing for it.
fn donation() -> Router<App> {
    Router::new()
        .route("/recipients", get(recipient::list).post(recipient::create))
        .route("/recipients/{id}/end", post(recipient::end))
        .route("/lots", get(donation_acts::list).post(donation_acts::create))
        .route("/lots/{id}", get(donation_acts::one))
        .route("/lots/{id}/{file}", get(donation_papers::export))
        .route("/lots/{id}/terms", post(donation_acts::set_terms))
        .route("/lots/{id}/add", post(donation_units::add))
        .route("/lots/{id}/remove", post(donation_units::remove))
        .route("/lots/{id}/value", post(donation_units::value))
        .route("/lots/{id}/approve", post(donation_acts::approve))
        .route("/lots/{id}/deed", post(donation_papers::deed))
        .route("/lots/{id}/packing-list", post(donation_papers::packing_list))
        .route("/lots/{id}/deliver", post(donation_acts::deliver))
        .route("/lots/{id}/drop", post(donation_acts::give_up))
        .route("/figures", get(figures::page))
        .route("/figures/{year}/{file}", get(figures::file))
}

/// Signing in, the language, and what pages are made of.
fn everybody() -> Router<App> {
    Router::new()
        .route("/design", get(pages::design))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language", post(sign_in::choose_language))
        .route("/static/{file}", get(assets::serve))
        .route("/apt/{*path}", get(apt::serve))
}
