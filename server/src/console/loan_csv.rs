//! The list of loans as CSV, written as it is read; what the reader's role must not see is not in it.

use axum::{
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;

use super::{
    error::{Refusal, require},
    i18n::Words,
    loan_line::Sight,
    loan_list::{Asked, asked_for},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{paris, scope::Scope},
    exchange::write::{Delimiter, csv_line},
    store::{
        StoreError,
        loan_list::{self, LoanQuery, LoanSummary},
        page::Cursor,
    },
};

/// Rows read at a time.
const ROWS_AT_A_TIME: usize = 500;

fn head(words: Words) -> String {
    let keys = [
        "loans-state",
        "devices-serial",
        "csv-asset-tag",
        "devices-model",
        "loan-borrower",
        "csv-institution",
        "loans-programme",
        "csv-uai",
        "devices-site",
        "csv-reserved",
        "csv-handed-over",
        "loans-due",
        "csv-ended",
        "loan-condition",
        "loan-missing",
    ];
    let names = keys.map(|key| words.say(key));
    csv_line(&names, Delimiter::Comma)
}

fn row(loan: &LoanSummary, sight: Sight, words: Words) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let borrower = || loan.institution_name.clone().unwrap_or_else(|| loan.reference.to_string());
    let programme = loan.shows_programme_to(sight.role).then(|| loan.programme_code.clone());
    // Days as spreadsheets in both languages sort them.
    let day = |at| paris::date(at).to_string();
    let cells = [
        words.word("loan", loan.state.as_str()),
        text(&loan.serial_number),
        text(&loan.asset_tag),
        text(&loan.model),
        if sight.borrowers { borrower() } else { String::new() },
        if sight.borrowers { words.word("borrower", loan.borrower_kind.as_str()) } else { String::new() },
        text(&programme),
        text(&loan.site_uai),
        text(&loan.site_name),
        day(loan.reserved_at),
        loan.handed_over_at.map(day).unwrap_or_default(),
        loan.due.map(|due| due.to_string()).unwrap_or_default(),
        loan.ended_at.map(day).unwrap_or_default(),
        loan.condition.map(|condition| words.word("condition", condition.as_str())).unwrap_or_default(),
        loan.missing.join(", "),
    ];
    csv_line(&cells, Delimiter::Comma)
}

/// What is left to write.
enum Left {
    From(Option<Cursor>),
    Nothing,
}

async fn next(
    app: &App,
    (scope, sight): (&Scope, Sight),
    query: &LoanQuery,
    after: Option<Cursor>,
    words: Words,
) -> Result<(String, Left), StoreError> {
    let query = LoanQuery { after, limit: ROWS_AT_A_TIME, ..query.clone() };
    let mut tx = app.store.read().await?;
    let page = loan_list::list(&mut tx, scope, &query).await?;
    let mut text: String = if query.after.is_none() { format!("\u{feff}{}", head(words)) } else { String::new() };
    for loan in &page.rows {
        text.push_str(&row(loan, sight, words));
    }
    Ok((text, page.next.map_or(Left::Nothing, |cursor| Left::From(Some(cursor)))))
}

/// `GET /loans.csv`
pub(super) async fn loans(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    for action in [Action::SeeLoans, Action::ExportData] {
        require(signed_in.person.can(action, Object::OwnScope))?;
    }
    let mut tx = app.store.read().await?;
    let (query, _) = asked_for(&mut tx, &signed_in, &asked).await?;
    drop(tx);
    let (scope, sight, words) = (signed_in.person.scope.clone(), Sight::of(&signed_in), visitor.words);
    let pages = stream::try_unfold(Left::From(None), move |left| {
        let (app, scope, query) = (app.clone(), scope.clone(), query.clone());
        async move {
            match left {
                Left::From(after) => next(&app, (&scope, sight), &query, after, words).await.map(Some),
                Left::Nothing => Ok(None),
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"cartable-loans.csv\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}
