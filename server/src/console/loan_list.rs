//! The list of loans: what the address asks for, and the page that answers it.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use jiff::{ToSpan as _, civil::Date};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    component::{Choice, Pager},
    device_list::{Nonsense, Select, address, optional},
    download::Downloads,
    error::{Refusal, require},
    loan_line::{LoanLine, Sight},
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, Object, SignedIn},
    domain::{loan::LoanStateName, paris, programme::Programme, scope::Scope},
    store::{
        Tx,
        loan_list::{self, LoanCode, LoanQuery, LoanSort, LoanSummary},
        page::{Cursor, CursorKey, Page},
        programme,
        site::{self, SiteRow},
    },
};

/// The list's address; empty values mean "any".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) q: String,
    pub(super) state: String,
    pub(super) due: String,
    pub(super) before: String,
    pub(super) site: String,
    pub(super) programme: String,
    pub(super) after: String,
}

/// What may be asked of due dates, and until how many days from now.
const DUE: [(&str, i32); 3] = [("overdue", 0), ("week", 8), ("three-weeks", 22)];

impl Asked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self, today: Date, borrowers: bool) -> Result<LoanQuery, Nonsense> {
        let within = match self.due.as_str() {
            "" => None,
            name => Some(DUE.iter().find(|(known, _)| *known == name).ok_or(Nonsense)?.1),
        };
        let within = within.and_then(|days| today.checked_add(days.days()).ok());
        let due_before = optional::<Date>(&self.before)?.or(within);
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
            return Err(Nonsense);
        }
        let code = match self.q.trim() {
            "" => None,
            text => Some(LoanCode::new(text, borrowers).ok_or(Nonsense)?),
        };
        Ok(LoanQuery {
            code,
            state: optional(&self.state)?,
            site: optional(&self.site)?,
            programme: optional(&self.programme)?,
            sort: if due_before.is_some() { LoanSort::Due } else { LoanSort::Newest },
            due_before,
            after,
            limit: 0,
        })
    }

    fn filtered(&self) -> bool {
        [&self.q, &self.state, &self.due, &self.before, &self.site, &self.programme]
            .iter()
            .any(|value| !value.is_empty())
    }

    fn address(&self, path: &str) -> String {
        let parts = [
            ("q", self.q.trim()),
            ("state", self.state.as_str()),
            ("due", &self.due),
            ("before", &self.before),
            ("site", &self.site),
            ("programme", &self.programme),
        ];
        address(path, &parts)
    }
}

/// The programmes whose members this person may see.
pub(super) async fn programmes_shown(tx: &mut Tx, signed_in: &SignedIn) -> Result<Vec<Programme>, Refusal> {
    let mut programmes = programme::list(tx).await?;
    programmes.retain(|programme| programme.shows_membership_to(signed_in.person.role));
    Ok(programmes)
}

/// What is asked for, by someone who may ask it.
pub(super) async fn asked_for(
    tx: &mut Tx,
    signed_in: &SignedIn,
    asked: &Asked,
) -> Result<(LoanQuery, Vec<Programme>), Refusal> {
    let borrowers = signed_in.person.can(Action::SeeBorrowers, Object::OwnScope).is_allowed();
    let query = asked.query(paris::date(signed_in.now), borrowers)?;
    let programmes = programmes_shown(tx, signed_in).await?;
    // A filter would tell who is in a programme whose members are not this person's to know.
    if query.programme.is_some_and(|id| programmes.iter().all(|programme| programme.id != id)) {
        return Err(Refusal::Nonsense);
    }
    Ok((query, programmes))
}

/// `GET /loans`
pub(super) async fn loans(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeLoans, Object::OwnScope))?;
    let scope: &Scope = &signed_in.person.scope;
    let mut tx = app.store.read().await?;
    let (query, programmes) = asked_for(&mut tx, &signed_in, &asked).await?;
    let page = loan_list::list(&mut tx, scope, &query).await?;
    let sites = site::list(&mut tx, scope).await?;
    let shell = visitor.shell(Section::Loans, visitor.words.say("loans-title"), &signed_in);
    let may = |action| signed_in.person.can(action, Object::OwnScope).is_allowed();
    let desks = Desks { hand_over: may(Action::HandOver), returns: may(Action::TakeBack) };
    let read = Read { query, programmes, page, sites };
    Ok(shell::page(StatusCode::OK, &LoansPage::new(shell, &asked, read, Sight::of(&signed_in), desks)))
}

/// What the page is made from.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) query: LoanQuery,
    pub(super) programmes: Vec<Programme>,
    pub(super) page: Page<LoanSummary>,
    pub(super) sites: Vec<SiteRow>,
}

/// Which desks the page leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Desks {
    pub(super) hand_over: bool,
    pub(super) returns: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "loans.html")]
pub(super) struct LoansPage {
    shell: Shell,
    desks: Desks,
    search: String,
    selects: Vec<Select>,
    before: String,
    filtered: bool,
    caption: String,
    rows: Vec<LoanLine>,
    pager: Pager,
    downloads: Downloads,
}

impl LoansPage {
    /// The page for what was asked and found.
    pub(super) fn new(shell: Shell, asked: &Asked, read: Read, sight: Sight, desks: Desks) -> Self {
        let words = shell.words;
        let Read { query, programmes, page, sites } = read;
        let states: Vec<&str> = LoanStateName::ALL.iter().map(|state| state.as_str()).collect();
        let due: Vec<&str> = DUE.iter().map(|(name, _)| *name).collect();
        let mut selects = vec![
            Select::new("state", "loans-state", "loan", &states, &asked.state, words),
            Select::new("due", "loans-due", "loans-due", &due, &asked.due, words),
        ];
        let of = |id: Uuid, label: String, present: Option<Uuid>| Choice {
            value: id.to_string(),
            label,
            selected: present == Some(id),
        };
        if !programmes.is_empty() {
            let mut select = Select::new("programme", "loans-programme", "loan", &[], &asked.programme, words);
            select.choices.extend(programmes.iter().map(|programme| {
                let label = words.with_two("programme-named", programme.code.as_str(), &programme.name);
                of(programme.id, label, query.programme)
            }));
            selects.push(select);
        }
        let mut select = Select::new("site", "devices-site", "loan", &[], &asked.site, words);
        select.choices.extend(
            sites.iter().map(|site| of(site.id, words.with_two("site-named", &site.name, &site.uai), query.site)),
        );
        selects.push(select);
        let pager = Pager::new(&page, "loans-found", &asked.address("/loans"), query.after.as_ref(), words);
        Self {
            desks,
            search: asked.q.clone(),
            selects,
            before: asked.before.clone(),
            filtered: asked.filtered(),
            caption: words.with("loans-caption", &words.word("loans-sorted", query.sort.as_str())),
            rows: page.rows.iter().map(|loan| LoanLine::new(loan, sight, words)).collect(),
            pager,
            downloads: Downloads::new("/exports/loans", |path| asked.address(path), words),
            shell,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_due_is_asked_for_by_name_or_by_day() {
        let today = date(2026, 11, 25);
        let query = |due: &str, before: &str| {
            Asked { due: due.into(), before: before.into(), ..Asked::default() }.query(today, true)
        };
        assert_eq!(query("overdue", "").unwrap().due_before, Some(today));
        assert_eq!(query("week", "").unwrap().due_before, Some(date(2026, 12, 3)), "the seventh day is included");
        assert_eq!(query("week", "2027-01-01").unwrap().due_before, Some(date(2027, 1, 1)));
        assert_eq!(query("", "").unwrap().sort, LoanSort::Newest);
        assert!(query("yesterday", "").is_err() && query("", "1/2/2027").is_err());
    }
}
