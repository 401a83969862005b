//! The list of devices as CSV, written as it is read. No cell can become a formula in a spreadsheet.

use axum::{
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;

use super::{
    device_list::Asked,
    error::{Refusal, require},
    format,
    i18n::Words,
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::scope::Scope,
    store::{
        StoreError,
        device_list::{self, DeviceQuery, DeviceSummary},
        page::Cursor,
    },
};

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 500;

/// One line of CSV (RFC 4180), quoted throughout. A cell that begins like a formula gets an apostrophe first, after
/// OWASP's advice on CSV injection.
pub(super) fn line(cells: &[&str]) -> String {
    let mut line = String::new();
    for (index, cell) in cells.iter().enumerate() {
        line.push_str(if index == 0 { "\"" } else { ",\"" });
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            line.push('\'');
        }
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    }
    line.push_str("\r\n");
    line
}

fn head(words: Words) -> String {
    let keys = [
        "devices-serial",
        "csv-asset-tag",
        "csv-manufacturer",
        "devices-model",
        "csv-uai",
        "devices-site",
        "devices-status",
        "csv-open-flags",
        "devices-flags",
        "devices-contact",
    ];
    let names = keys.map(|key| words.say(key));
    line(&names.each_ref().map(String::as_str))
}

fn row(device: &DeviceSummary, words: Words) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let site = device.site.as_ref();
    let flags: Vec<String> = device.flags.iter().map(|(code, _)| words.word("flag", code.as_str())).collect();
    let cells = [
        text(&device.serial_number),
        text(&device.asset_tag),
        text(&device.manufacturer),
        text(&device.model),
        site.map(|site| site.uai.clone()).unwrap_or_default(),
        site.map(|site| site.name.clone()).unwrap_or_default(),
        words.word("status", device.status.as_str()),
        device.open_flags.to_string(),
        flags.join(" ; "),
        device.last_contact_at.map(format::iso).unwrap_or_default(),
    ];
    line(&cells.each_ref().map(String::as_str))
}

/// What is left to write.
enum Left {
    From(Option<Cursor>),
    Nothing,
}

async fn next(
    app: &App,
    scope: &Scope,
    query: &DeviceQuery,
    after: Option<Cursor>,
    words: Words,
) -> Result<(String, Left), StoreError> {
    let query = DeviceQuery { after, limit: ROWS_AT_A_TIME, ..query.clone() };
    let mut tx = app.store.read().await?;
    let page = device_list::list(&mut tx, scope, &query).await?;
    let mut text: String = if query.after.is_none() { format!("\u{feff}{}", head(words)) } else { String::new() };
    for device in &page.rows {
        text.push_str(&row(device, words));
    }
    Ok((text, page.next.map_or(Left::Nothing, |cursor| Left::From(Some(cursor)))))
}

/// `GET /devices.csv`
pub(super) async fn devices(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeDevices, Object::OwnScope))?;
    let query = DeviceQuery { after: None, ..asked.query()? };
    let (scope, words) = (signed_in.person.scope, visitor.words);
    let pages = stream::try_unfold(Left::From(None), move |left| {
        let (app, scope, query) = (app.clone(), scope.clone(), query.clone());
        async move {
            match left {
                Left::From(after) => next(&app, &scope, &query, after, words).await.map(Some),
                Left::Nothing => Ok(None),
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cartable.csv\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_quote_ends_it() {
        assert_eq!(
            line(&["=HYPERLINK(\"http://x\")", "+1", "-1", "@a", "\tb", "a=b", "c,d\n"]),
            "\"'=HYPERLINK(\"\"http://x\"\")\",\"'+1\",\"'-1\",\"'@a\",\"'\tb\",\"a=b\",\"c,d\n\"\r\n"
        );
    }
}
