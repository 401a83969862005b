//! What people see and do of sites and their referents.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    acts::{Bare, record, was_last},
    error::{Refusal, require},
    shell::{self, Section},
    site::{Allowed, Problem, ReferentForm, SiteForm, SitePage, SitesPage},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    store::{
        Tx,
        site::{self, SiteRow},
        site_referent::{self, Referent},
    },
};

fn allowed(signed_in: &SignedIn, site: Uuid) -> Allowed {
    let may = |action| signed_in.person.can(action, Object::OfSite(Some(site))).is_allowed();
    Allowed {
        change: may(Action::ChangeSites),
        list: may(Action::SeeLoans).then(|| may(Action::SeeIdentity)),
        labels: may(Action::PrintLabels),
    }
}

async fn site_for(tx: &mut Tx, signed_in: &SignedIn, id: &str, action: Action) -> Result<SiteRow, Refusal> {
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let found = site::find(tx, &signed_in.person.scope, id).await?.ok_or(Refusal::NotFound)?;
    require(signed_in.person.can(action, Object::OfSite(Some(found.id))))?;
    Ok(found)
}

/// `GET /sites`
pub(super) async fn list(signed_in: SignedIn, visitor: Visitor, State(app): State<App>) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeSites, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let form = SiteForm { zone: "A".to_owned(), ..SiteForm::default() };
    show_list(&mut tx, &signed_in, &visitor, (form, None)).await
}

async fn show_list(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    typed: (SiteForm, Option<Problem>),
) -> Result<Response, Refusal> {
    let scope = &signed_in.person.scope;
    let sites = site::list(tx, scope).await?;
    let referents = site_referent::list(tx, scope, None).await?;
    let may_create = signed_in.person.can(Action::ChangeSites, Object::Programme).is_allowed();
    let status = if typed.1.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Sites, visitor.words.say("sites-title"), signed_in);
    Ok(shell::page(status, &SitesPage::new(shell, (&sites, &referents), may_create, typed)))
}

/// `POST /sites`
pub(super) async fn create(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<SiteForm>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeSites, Object::Programme))?;
    let mut tx = app.store.write().await?;
    let new = match form.read() {
        Ok(new) => new,
        Err(wrong) => return show_list(&mut tx, &signed_in, &visitor, (form, Some(wrong))).await,
    };
    if site::find_by_uai(&mut tx, &signed_in.person.scope, &new.uai).await?.is_some() {
        let taken = Problem::Word("site-problem-taken");
        return show_list(&mut tx, &signed_in, &visitor, (form, Some(taken))).await;
    }
    let id = site::put(&mut tx, &new, signed_in.now).await?;
    let details =
        json!({ "uai": new.uai.as_str(), "name": new.name, "commune": new.commune, "zone": new.zone.as_str() });
    record(&mut tx, &signed_in, "site.create", ("site", id), details).await?;
    tx.commit().await?;
    Ok(back(id))
}

fn back(id: Uuid) -> Response {
    Redirect::to(&format!("/sites/{id}?done=saved")).into_response()
}

/// `GET /sites/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let found = site_for(&mut tx, &signed_in, &id, Action::SeeSites).await?;
    let typed = (SiteForm::of(&found), ReferentForm::default(), None);
    show(&mut tx, &signed_in, &visitor, &found, typed).await
}

async fn show(
    tx: &mut Tx,
    signed_in: &SignedIn,
    visitor: &Visitor,
    found: &SiteRow,
    typed: (SiteForm, ReferentForm, Option<Problem>),
) -> Result<Response, Refusal> {
    let referents = site_referent::list(tx, &signed_in.person.scope, Some(found.id)).await?;
    let status = if typed.2.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shell = visitor.shell(Section::Sites, found.name.clone(), signed_in);
    let allowed = allowed(signed_in, found.id);
    Ok(shell::page(status, &SitePage::new(shell, found, &referents, allowed, typed)))
}

/// `POST /sites/{id}`
pub(super) async fn change(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<SiteForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let before = site_for(&mut tx, &signed_in, &id, Action::ChangeSites).await?;
    let form = SiteForm { uai: before.uai.clone(), ..form };
    let new = match form.read() {
        Ok(new) => new,
        Err(wrong) => {
            let typed = (form, ReferentForm::default(), Some(wrong));
            return show(&mut tx, &signed_in, &visitor, &before, typed).await;
        }
    };
    site::put(&mut tx, &new, signed_in.now).await?;
    let details = json!({
        "before": { "name": before.name, "commune": before.commune, "zone": before.zone.as_str() },
        "after": { "name": new.name, "commune": new.commune, "zone": new.zone.as_str() },
    });
    record(&mut tx, &signed_in, "site.change", ("site", before.id), details).await?;
    tx.commit().await?;
    Ok(back(before.id))
}

/// `POST /sites/{id}/referents`
pub(super) async fn add_referent(
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<ReferentForm>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = site_for(&mut tx, &signed_in, &id, Action::ChangeSites).await?;
    let (name, email, language) = match form.read() {
        Ok(read) => read,
        Err(wrong) => {
            let typed = (SiteForm::of(&found), form, Some(wrong));
            return show(&mut tx, &signed_in, &visitor, &found, typed).await;
        }
    };
    let new = Referent { id: Uuid::now_v7(), site: found.id, name, email, language, created_at: signed_in.now };
    if !site_referent::add(&mut tx, &new).await? {
        let typed = (SiteForm::of(&found), form, Some(Problem::Word("site-problem-referent-taken")));
        return show(&mut tx, &signed_in, &visitor, &found, typed).await;
    }
    let details = json!({ "referent": new.id });
    record(&mut tx, &signed_in, "site.add_referent", ("site", found.id), details).await?;
    tx.commit().await?;
    Ok(back(found.id))
}

/// `POST /sites/{id}/referents/{referent}/end`
pub(super) async fn end_referent(
    State(app): State<App>,
    Path((id, referent)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.write().await?;
    let found = site_for(&mut tx, &signed_in, &id, Action::ChangeSites).await?;
    let referent: Uuid = referent.parse().map_err(|_| Refusal::NotFound)?;
    if !site_referent::end(&mut tx, found.id, referent, signed_in.now).await? {
        let meant = json!(referent);
        let this = |details: &Value| details["referent"] == meant;
        if !was_last(&mut tx, ("site", found.id), "site.end_referent", this).await? {
            return Err(Refusal::NotFound);
        }
        return Ok(Redirect::to(&format!("/sites/{}?done=already", found.id)).into_response());
    }
    let details = json!({ "referent": referent });
    record(&mut tx, &signed_in, "site.end_referent", ("site", found.id), details).await?;
    tx.commit().await?;
    Ok(back(found.id))
}
