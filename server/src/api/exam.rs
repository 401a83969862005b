//! Exams: list, order, call off.

use axum::{Json, extract::State, http::StatusCode};
use cartable_common::UtcMillis;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    act::record,
    extract::{Body, Path, Query},
    need::site_id,
    page::{self, PageBody},
    problem::Problem,
    schema::Moment,
};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::exam::{ExamState, InvalidExam, NewExam},
    store::{
        exam::{self, CalledOff, ExamRow},
        page::CursorKey,
    },
};

const UNKNOWN: &str = "There is no exam with this id among those you see.";

/// A time in which laptops make no contact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExamBody {
    /// Never given to another.
    id: Uuid,
    /// What people call it.
    label: String,
    /// Whether it is still to come.
    state: ExamState,
    /// Its site; null for the whole programme.
    site_id: Option<Uuid>,
    /// That site's UAI code.
    site_uai: Option<String>,
    /// That site's name.
    site_name: Option<String>,
    /// When it begins.
    begins_at: Moment,
    /// When it ends.
    ends_at: Moment,
    /// Who ordered it.
    created_by: String,
}

impl ExamBody {
    fn new(row: ExamRow, now: UtcMillis) -> Self {
        let (site_name, site_uai) = row.site.unzip();
        Self {
            id: row.id,
            label: row.label,
            state: row.exam.state(now),
            site_id: row.exam.site,
            site_uai,
            site_name,
            begins_at: row.exam.begins_at.into(),
            ends_at: row.exam.ends_at.into(),
            created_by: row.created_by,
        }
    }
}

/// Exams that were ordered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExamsBody {
    /// One for each site.
    items: Vec<ExamBody>,
}

/// Which exams.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExamsQuery {
    /// The value of `next` of the page before.
    after: Option<String>,
    /// Past exams on the page, 1 to 200.
    limit: Option<u16>,
}

/// An exam to order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExamBody {
    /// What people call it: 1 to 80 characters.
    label: String,
    /// When it begins (`2027-06-14T08:00:00+02:00`).
    begins_at: String,
    /// When it ends, at most 12 hours later and not in the past.
    ends_at: String,
    /// UAI codes of its sites; the whole programme if absent or empty.
    #[serde(default)]
    sites: Vec<String>,
}

impl From<InvalidExam> for Problem {
    fn from(invalid: InvalidExam) -> Self {
        Self::unprocessable(format!("Refused: {invalid}."))
    }
}

fn moment(name: &str, text: &str) -> Result<UtcMillis, Problem> {
    let moment = text.parse::<jiff::Timestamp>().ok().and_then(|moment| UtcMillis::new(moment.as_millisecond()));
    moment.ok_or_else(|| Problem::unprocessable(format!("`{name}` is a moment such as 2027-06-14T08:00:00+02:00.")))
}

/// All exams you see
///
/// On the first page all that are not over: those under way, then those to come, the next first. Then those of the last
/// 400 days, the last to end first. Roles: all. Those of the whole programme concern everybody.
#[utoipa::path(get, path = "/v1/exams", tag = "exams", params(ExamsQuery), responses(
    (status = 200, body = PageBody<ExamBody>), (status = 400, response = Problem), (status = 401, response = Problem)))]
pub async fn list(
    State(app): State<App>,
    bearer: BearerToken,
    Query(query): Query<ExamsQuery>,
) -> Result<Json<PageBody<ExamBody>>, Problem> {
    Problem::check(bearer.person.can(Action::SeeExams, Object::OwnScope), "")?;
    let (after, limit) = (page::after(query.after.as_deref())?, page::limit(query.limit)?);
    if after.as_ref().is_some_and(|cursor| !matches!(cursor.key, CursorKey::Number(_))) {
        return Err(page::foreign_cursor());
    }
    let mut tx = app.store.read().await?;
    let page = exam::list(&mut tx, &bearer.person.scope, (after.as_ref(), limit.into()), bearer.now).await?;
    Ok(Json(PageBody::of(page, |row| ExamBody::new(row, bearer.now))))
}

/// Order an exam for some sites, or for all
///
/// Laptops learn of it at their last contact before it begins. What was ordered already, for the same time with the same
/// label, is left out of the answer. Roles: administrator and technician, within their sites; for the whole programme
/// those who see all sites.
#[utoipa::path(post, path = "/v1/exams", tag = "exams", request_body = NewExamBody, responses(
    (status = 201, body = ExamsBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 422, response = Problem)))]
pub async fn order(
    State(app): State<App>,
    bearer: BearerToken,
    Body(body): Body<NewExamBody>,
) -> Result<(StatusCode, Json<ExamsBody>), Problem> {
    let (person, now) = (&bearer.person, bearer.now);
    Problem::check(person.can(Action::OrderExams, Object::OwnScope), "")?;
    let times = (moment("begins_at", &body.begins_at)?, moment("ends_at", &body.ends_at)?);
    let new = NewExam::new(&body.label, times.0, times.1, now)?;
    let mut tx = app.store.write().await?;
    let mut sites = Vec::with_capacity(body.sites.len());
    for uai in &body.sites {
        sites.push(Some(site_id(&mut tx, &bearer, uai).await?));
    }
    sites.sort_unstable();
    sites.dedup();
    if sites.is_empty() {
        Problem::check(person.can(Action::OrderExams, Object::Programme), "")?;
        sites.push(None);
    }
    let ordered = exam::add(&mut tx, &new, &sites, person.login.as_str(), now).await?;
    let mut items = Vec::with_capacity(ordered.len());
    for (id, ordered) in &ordered {
        record(&mut tx, &bearer, "exam.order", ("exam", *id), exam::details(new.label(), ordered)).await?;
        let row = exam::find(&mut tx, &person.scope, *id).await?.ok_or_else(Problem::internal)?;
        items.push(ExamBody::new(row, now));
    }
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ExamsBody { items })))
}

/// Call an exam off
///
/// One that has begun ends now, one that has not is removed, one that is over stays as it is. Laptops that were told of
/// its end keep to it. Roles: administrator and technician, within their sites; for an exam of the whole programme those
/// who see all sites.
#[utoipa::path(post, path = "/v1/exams/{id}/end", tag = "exams", params(("id" = Uuid, Path, description = "The exam")),
    responses((status = 204), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 404, response = Problem)))]
pub async fn call_off(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::OrderExams, Object::OwnScope), "")?;
    let mut tx = app.store.write().await?;
    let row = exam::find(&mut tx, &person.scope, id).await?.ok_or_else(|| Problem::not_found(UNKNOWN))?;
    Problem::check(person.can(Action::OrderExams, row.exam.object()), UNKNOWN)?;
    let action = match exam::call_off(&mut tx, &row, bearer.now).await? {
        CalledOff::Ended => "exam.end",
        CalledOff::Removed => "exam.remove",
        CalledOff::Over => return Ok(StatusCode::NO_CONTENT),
    };
    record(&mut tx, &bearer, action, ("exam", id), exam::details(&row.label, &row.exam)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
