//! What scripts do to borrowers: record them, change what is known, mark that they left, give everything out, forget who
//! they were. The same rules and audit rows as the console's.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    act::{given, reason, record, wanted},
    borrower::UNKNOWN,
    extract::{Body, Path},
    loan::day,
    need::site_or_none,
    problem::Problem,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        borrower::{Borrower, BorrowerKind, Identity, Level, Reference},
        identity::{MAX_NATURAL_KEY_CHARS, may_be_erased},
        import::cells::Wanted,
        site::is_name,
    },
    exchange, random,
    store::{Tx, borrower, borrower_entry, dossier},
    vault::VaultError,
};

/// A borrower to record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBorrowerBody {
    /// A person or an institution.
    kind: BorrowerKind,
    /// UAI code of its site; without one only those record it who see all sites.
    site: Option<String>,
    /// A person's class level.
    level: Option<Level>,
    /// An institution's name.
    institution_name: Option<String>,
    /// The number by which the school knows a person; only a keyed hash of it is kept.
    number: Option<String>,
    /// Who a person is: name, class, e-mail address, guardians and language. It is sealed.
    #[schema(value_type = Option<Object>)]
    identity: Option<Identity>,
}

/// The borrower that was just recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewReferenceBody {
    /// Its id.
    id: Uuid,
    /// What stands for it everywhere.
    reference: String,
}

/// What to change of a borrower; what is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null say different things")]
pub struct BorrowerChangeBody {
    /// A person's class level; null erases it.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Level>)]
    level: Option<Option<Level>>,
    /// An institution's name.
    institution_name: Option<String>,
    /// Who a person is, the whole of it. It is sealed.
    #[schema(value_type = Option<Object>)]
    identity: Option<Identity>,
}

/// When a person left the site.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftBody {
    /// The day (`2027-07-02`); null for one who is back.
    day: Option<String>,
}

/// Why who a borrower was is erased.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseBody {
    /// Stands in the audit.
    reason: String,
}

fn sealed_wrong(error: VaultError) -> Problem {
    tracing::error!(%error, "an identity could not be sealed or opened");
    Problem::internal()
}

/// The borrower, held, if this person may do `action` to it. For units of work that write.
async fn borrower_for(tx: &mut Tx, bearer: &BearerToken, id: Uuid, action: Action) -> Result<Borrower, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(action, Object::OwnScope), "")?;
    borrower::hold(tx, id).await?;
    let found = borrower::find(tx, &person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(action, Object::OfSite(found.site)), UNKNOWN)?;
    Ok(found)
}

fn institution(name: Option<String>) -> Result<String, Problem> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| is_name(name));
    name.ok_or_else(|| Problem::unprocessable("`institution_name` is a line with something on it."))
}

impl NewBorrowerBody {
    /// Refuses what only the other kind of borrower has.
    fn check(&self) -> Result<(), Problem> {
        let wrong = match self.kind {
            BorrowerKind::Institution => self.level.is_some() || self.number.is_some() || self.identity.is_some(),
            BorrowerKind::Person => self.institution_name.is_some(),
        };
        if wrong {
            return Err(Problem::unprocessable(
                "`level`, `number` and `identity` are a person's, `institution_name` an institution's.",
            ));
        }
        let number = self.number.as_deref().map(str::trim);
        if number.is_some_and(|text| text.is_empty() || text.chars().count() > MAX_NATURAL_KEY_CHARS) {
            return Err(Problem::unprocessable(format!("`number` has 1 to {MAX_NATURAL_KEY_CHARS} characters.")));
        }
        self.identity.as_ref().map_or(Ok(()), checked)
    }
}

fn checked(identity: &Identity) -> Result<(), Problem> {
    identity.check().map_err(|wrong| Problem::unprocessable(format!("`identity`: {wrong}.")))
}

/// Record a borrower
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/borrowers", tag = "borrowers", request_body = NewBorrowerBody, responses(
    (status = 201, body = NewReferenceBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn create(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<NewBorrowerBody>,
) -> Result<(StatusCode, Json<NewReferenceBody>), Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::ChangeBorrowers, Object::OwnScope), "")?;
    body.check()?;
    let mut tx = app.store.write().await?;
    let named = (body.site.as_deref(), "borrower");
    let site = site_or_none(&mut tx, &bearer, Action::ChangeBorrowers, named).await?;
    let institution_name = match body.kind {
        BorrowerKind::Institution => Some(institution(body.institution_name)?),
        BorrowerKind::Person => None,
    };
    let random = random::bytes().map_err(|error| {
        tracing::error!(%error, "no randomness for a reference");
        Problem::internal()
    })?;
    let new = Borrower {
        id: Uuid::now_v7(),
        reference: Reference::from_random(random),
        kind: body.kind,
        institution_name,
        site,
        level: body.level,
        left_site_day: None,
        created_at: bearer.now,
        identity_erased_at: None,
    };
    let key = body.number.map(|number| app.vault.natural_key(number.trim()));
    let sealed = body.identity.as_ref().map(|identity| app.vault.seal_identity(new.id, identity)).transpose();
    let sealed = sealed.map_err(sealed_wrong)?;
    let key = key.as_ref().map(<[u8; 32]>::as_slice);
    let details = borrower_entry::enter(&mut tx, &new, key, sealed.as_deref(), bearer.now).await?;
    let details = details.ok_or_else(|| Problem::unprocessable("Another borrower has this number."))?;
    record(&mut tx, &bearer, "borrower.create", ("borrower", new.id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(NewReferenceBody { id: new.id, reference: new.reference.to_string() })))
}

/// Change what is known of a borrower
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/borrowers/{id}/change", tag = "borrowers", request_body = BorrowerChangeBody,
    params(("id" = Uuid, Path, description = "The borrower")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn change(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<BorrowerChangeBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let mut found = borrower_for(&mut tx, &bearer, id, Action::ChangeBorrowers).await?;
    let is_person = found.kind == BorrowerKind::Person;
    let level = wanted(body.level);
    let foreign =
        if is_person { body.institution_name.is_some() } else { level != Wanted::Keep || body.identity.is_some() };
    if foreign {
        return Err(Problem::unprocessable(
            "`level` and `identity` are a person's, `institution_name` an institution's.",
        ));
    }
    if let Some(identity) = &body.identity {
        Problem::check(bearer.person.can(Action::SeeIdentity, Object::OfSite(found.site)), UNKNOWN)?;
        checked(identity)?;
        if found.identity_erased_at.is_some() {
            return Err(Problem::unprocessable(
                "Who this borrower was has been erased: record the person anew, so that earlier loans stay nobody's.",
            ));
        }
        let known = borrower::is_identity_known(&mut tx, id).await?;
        let sealed = app.vault.seal_identity(id, identity).map_err(sealed_wrong)?;
        borrower::put_identity(&mut tx, id, &sealed, bearer.now).await?;
        let details = json!({ "known_before": known });
        record(&mut tx, &bearer, "borrower.change_identity", ("borrower", id), details).await?;
    }
    if level != Wanted::Keep || body.institution_name.is_some() {
        found.level = level.over(found.level);
        if !is_person {
            found.institution_name = Some(institution(body.institution_name)?);
        }
        borrower::set_details(&mut tx, &found).await?;
        // The class level is not in the audit: it may reveal a person's situation.
        let details = json!({ "institution": found.institution_name });
        record(&mut tx, &bearer, "borrower.change", ("borrower", id), details).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person left the site, or is back
///
/// Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/borrowers/{id}/left", tag = "borrowers", request_body = LeftBody,
    params(("id" = Uuid, Path, description = "The borrower")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn left(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<LeftBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = borrower_for(&mut tx, &bearer, id, Action::ChangeBorrowers).await?;
    let on = body.day.as_deref().map(|text| day("day", text)).transpose()?;
    let details = borrower_entry::leave(&mut tx, found, on, bearer.now).await?;
    let details = details
        .ok_or_else(|| Problem::unprocessable("A person leaves within the next 400 days, or left since 2000."))?;
    record(&mut tx, &bearer, "borrower.left_site", ("borrower", id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that is kept about a borrower (RGPD art. 15)
///
/// A POST, for each leaves a row in the audit. Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/borrowers/{id}/export", tag = "borrowers",
    params(("id" = Uuid, Path, description = "The borrower")), responses(
    (status = 200, description = "All of it, as the console's file", body = Object), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn export(State(app): State<App>, bearer: BearerToken, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    let mut tx = app.store.write().await?;
    let found = borrower_for(&mut tx, &bearer, id, Action::SeeIdentity).await?;
    let opened = exchange::dossier::open(&app.vault, id, dossier::read(&mut tx, &found).await?);
    let whole = opened.map_err(sealed_wrong)?;
    record(&mut tx, &bearer, "borrower.export", ("borrower", id), json!({})).await?;
    tx.commit().await?;
    Ok(Json(whole))
}

/// Forget who a borrower was (RGPD art. 17)
///
/// Refused while a loan is open. Roles: administrator, programme manager and referent, within their sites.
#[utoipa::path(post, path = "/v1/borrowers/{id}/erase", tag = "borrowers", request_body = EraseBody,
    params(("id" = Uuid, Path, description = "The borrower")), responses((status = 204),
    (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem), (status = 422, response = Problem)))]
pub async fn erase(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
    Body(body): Body<EraseBody>,
) -> Result<StatusCode, Problem> {
    let mut tx = app.store.write().await?;
    let found = borrower_for(&mut tx, &bearer, id, Action::ChangeBorrowers).await?;
    let reason = reason(&body.reason)?;
    if may_be_erased(borrower::open_loans(&mut tx, found.id).await?).is_err() {
        return Err(Problem::unprocessable("The borrower holds a device, or one is set aside: end the loan first."));
    }
    if borrower::erase_identity(&mut tx, id, bearer.now).await? {
        let details = json!({ "reason": reason });
        record(&mut tx, &bearer, "borrower.erase_identity", ("borrower", id), details).await?;
        tx.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
