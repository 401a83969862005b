//! What people see of borrowers: the list, one, and who it is when they ask, each such reading with its audit row in
//! the same unit of work.

use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::record,
    borrower::{self as page, BorrowerPage, BorrowerRead, Shown},
    borrower_form::BorrowerForm,
    borrower_list::{self, Asked, BorrowersPage, Found, NameSearch, NewBorrowerPage},
    desk_way::DeskWay,
    device_list::device_name,
    error::{Refusal, parsed, require},
    once,
    shell::{self, Section},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{borrower::Borrower, fold::fold, paris, scope::Scope},
    exchange,
    store::{
        Tx, borrower, borrower_list as listed, device,
        device_code::{self, Found as FoundDevice},
        dossier, loan, programme, site,
    },
    vault::VaultError,
};

/// Identities that one search by name opens at most: a large collège with the families of some years.
const MOST_OPENED: usize = 5_000;
/// Shortest name that is searched for, in letters: one letter would open a class, not find a person.
const SHORTEST_NAME: usize = 2;
/// Persons that a search by name shows.
const MOST_FOUND: usize = 20;

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "an identity could not be sealed or opened");
        Self::Broken
    }
}

/// What the person may do to a borrower of `site`.
pub(super) async fn allowed(tx: &mut Tx, signed_in: &SignedIn, site: Option<Uuid>) -> Result<page::Allowed, Refusal> {
    let may = |action| signed_in.person.can(action, Object::OfSite(site)).is_allowed();
    let programmes = programme::visibility(tx, signed_in.person.role).await?;
    Ok(page::Allowed { identity: may(Action::SeeIdentity), change: may(Action::ChangeBorrowers), programmes })
}

fn list_allowed(signed_in: &SignedIn) -> borrower_list::Allowed {
    let may = |action| signed_in.person.can(action, Object::OwnScope).is_allowed();
    borrower_list::Allowed { identity: may(Action::SeeIdentity), change: may(Action::ChangeBorrowers) }
}

/// The borrower, if this person may do `action` to it.
pub(super) async fn borrower_for(
    tx: &mut Tx,
    signed_in: &SignedIn,
    id: &str,
    action: Action,
) -> Result<Borrower, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let found = borrower::find(tx, &signed_in.person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(signed_in.person.can(action, Object::OfSite(found.site)))?;
    Ok(found)
}

/// The borrower, held until this unit of work ends, if this person may change it.
pub(super) async fn borrower_to_change(tx: &mut Tx, signed_in: &SignedIn, id: &str) -> Result<Borrower, Refusal> {
    borrower::hold(tx, parsed(id)?).await?;
    borrower_for(tx, signed_in, id, Action::ChangeBorrowers).await
}

/// `GET /borrowers`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeBorrowers, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    show_list(&mut tx, &signed_in, &visitor, &asked, NameSearch::default()).await
}

async fn show_list(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    asked: &Asked,
    by_name: NameSearch,
) -> Result<Response, Refusal> {
    let allowed = list_allowed(signed_in);
    let (scope, query) = (&signed_in.person.scope, asked.query(allowed.identity)?);
    let found = listed::list(tx, scope, &query).await?;
    let sites = site::list(tx, scope).await?;
    let status = if by_name.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Borrowers, visitor.words.say("borrowers-title"), signed_in);
    Ok(shell::page(status, &BorrowersPage::new(shell, asked, (&query, found), &sites, (allowed, by_name))))
}

/// A name to look for among the persons of one site.
#[derive(Clone, Deserialize)]
pub(super) struct NameForm {
    name: String,
    site: String,
}

impl std::fmt::Debug for NameForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NameForm([redacted])")
    }
}

/// `POST /borrowers/search`
pub(super) async fn search(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<NameForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeIdentity, Object::OwnScope))?;
    let site: Uuid = form.site.parse().map_err(|_| Refusal::NotFound)?;
    require(signed_in.person.can(Action::SeeIdentity, Object::OfSite(Some(site))))?;
    let mut tx = app.store.write().await?;
    site::find(&mut tx, &signed_in.person.scope, site).await?.ok_or(Refusal::NotFound)?;
    let name: String = form.name.chars().take(100).collect();
    let mut by_name = NameSearch { name, site: form.site, ..NameSearch::default() };
    let words: Vec<String> = fold(&by_name.name).split_whitespace().map(str::to_owned).collect();
    if words.iter().map(|word| word.chars().count()).sum::<usize>() < SHORTEST_NAME {
        by_name.problem = Some("borrower-search-too-short");
    } else {
        let limit = i64::try_from(MOST_OPENED + 1).unwrap_or(i64::MAX);
        let sealed = borrower::sealed_identities(&mut tx, &signed_in.person.scope, site, limit).await?;
        if sealed.len() > MOST_OPENED {
            by_name.problem = Some("borrower-search-too-many");
        } else {
            let mut found = Vec::new();
            for (id, reference, sealed) in &sealed {
                let identity = app.vault.open_identity(*id, sealed)?;
                let folded = fold(&identity.name);
                if found.len() < MOST_FOUND && words.iter().all(|word| folded.contains(word.as_str())) {
                    let (reference, class) = (reference.to_string(), identity.class.unwrap_or_default());
                    found.push(Found { id: *id, reference, name: identity.name, class });
                }
            }
            let shown: Vec<&str> = found.iter().map(|found| found.reference.as_str()).collect();
            let details = json!({ "opened": sealed.len(), "shown": shown });
            record(&mut tx, &signed_in, "borrower.search_name", ("site", site), details).await?;
            by_name.found = Some(found);
        }
    }
    let answer = show_list(&mut tx, &signed_in, &visitor, &Asked::default(), by_name).await?;
    tx.commit().await?;
    Ok(answer)
}

/// `GET /borrowers/new`
pub(super) async fn fresh(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(way): Query<DeskWay>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeBorrowers, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    // Whoever comes to fetch a device of a site is most likely of that site.
    let site = match device_code::find(&mut tx, &signed_in.person.scope, &way.code).await? {
        FoundDevice::One(device) => device.site,
        FoundDevice::Nothing | FoundDevice::Several => None,
    };
    let site = site.map(|site| site.to_string()).unwrap_or_default();
    let form = BorrowerForm { kind: "person".to_owned(), site, way, ..BorrowerForm::default() };
    show_new(&mut tx, &signed_in, &visitor, StatusCode::OK, (form, None)).await
}

/// The form of a new borrower, with what was typed and what is wrong with it.
pub(super) async fn show_new(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    status: StatusCode,
    (mut form, problem): (BorrowerForm, Option<&'static str>),
) -> Result<Response, Refusal> {
    if form.once.is_empty() {
        form.once = once::mark();
    }
    let sites = site::list(tx, &signed_in.person.scope).await?;
    let anywhere = signed_in.person.scope == Scope::Everything;
    let shell = visitor.shell(Section::Borrowers, visitor.words.say("borrower-new"), signed_in);
    Ok(shell::page(status, &NewBorrowerPage::new(shell, &sites, anywhere, (form, problem))))
}

/// `GET /borrowers/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let found = borrower_for(&mut tx, &signed_in, &id, Action::SeeBorrowers).await?;
    show(&mut tx, &signed_in, &visitor, found, (StatusCode::OK, Shown::default())).await
}

/// `POST /borrowers/{id}/identity`: who it is, this once.
pub(super) async fn reveal(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: super::acts::Bare {} }: CsrfForm<super::acts::Bare>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = borrower_for(&mut tx, &signed_in, &id, Action::SeeIdentity).await?;
    let id = found.id;
    let identity = match borrower::sealed_identity(&mut tx, &signed_in.person.scope, id).await? {
        Some(sealed) => Some(app.vault.open_identity(id, &sealed)?),
        None => None,
    };
    if identity.is_some() {
        record(&mut tx, &signed_in, "borrower.see_identity", ("borrower", id), json!({})).await?;
    }
    let shown = Shown { identity, ..Shown::default() };
    let answer = show(&mut tx, &signed_in, &visitor, found, (StatusCode::OK, shown)).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The page of `found`.
pub(super) async fn show(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    found: Borrower,
    (status, shown): (StatusCode, Shown),
) -> Result<Response, Refusal> {
    let scope = &signed_in.person.scope;
    let allowed = allowed(tx, signed_in, found.site).await?;
    let site = match found.site {
        Some(id) => site::find(tx, scope, id).await?,
        None => None,
    };
    let loans = loan::of_borrower(tx, scope, found.id).await?;
    let mut devices = Vec::with_capacity(loans.len());
    for loan in &loans {
        let row = device::find(tx, &Scope::Everything, loan.device).await?;
        let name = |row: device::DeviceRow| device_name(row.serial_number.as_deref(), row.asset_tag.as_deref(), row.id);
        devices.push(row.map(name).unwrap_or_default());
    }
    let read = BorrowerRead {
        identity_known: borrower::is_identity_known(tx, found.id).await?,
        programmes: programme::list(tx).await?,
        borrower: found,
        site,
        loans,
        devices,
    };
    let shell = visitor.shell(Section::Borrowers, page::title(&read.borrower), signed_in);
    Ok(shell::page(status, &BorrowerPage::new(shell, &read, &allowed, shown, paris::date(signed_in.now))))
}

/// `POST /borrowers/{id}/export`: everything that is kept about a borrower, as a file (RGPD art. 15).
pub(super) async fn export(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: super::acts::Bare {} }: CsrfForm<super::acts::Bare>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = borrower_for(&mut tx, &signed_in, &id, Action::SeeIdentity).await?;
    let file = exchange::dossier::open(&app.vault, found.id, dossier::read(&mut tx, &found).await?)?;
    record(&mut tx, &signed_in, "borrower.export", ("borrower", found.id), json!({})).await?;
    tx.commit().await?;
    let name = format!("attachment; filename=\"{}.json\"", found.reference);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, format!("{file:#}\n")).into_response())
}
