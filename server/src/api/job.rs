//! The periodic jobs: for a monitoring system, by the status of the answer.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    clock,
    store::job_run::{self, Standing},
};

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobBody {
    /// Its name.
    job: &'static str,
    /// Whether it should have run by now, or does not end well.
    missed: bool,
    /// When its last run began.
    started_at: Option<Moment>,
    /// When it last ended well.
    succeeded_at: Option<Moment>,
    /// What went wrong in its last run.
    error: Option<String>,
}

impl From<Standing> for JobBody {
    fn from(one: Standing) -> Self {
        Self {
            job: one.job.as_str(),
            missed: one.missed && one.run.is_some(),
            started_at: one.run.as_ref().map(|run| Moment(run.started_at)),
            succeeded_at: one.run.as_ref().and_then(|run| run.succeeded_at).map(Moment),
            error: one.run.and_then(|run| run.error),
        }
    }
}

/// Every job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobsBody {
    /// By name.
    items: Vec<JobBody>,
}

/// When each periodic job last ran
///
/// Answers 503, with the same body, while one is missed. Roles: programme managers and auditors who see the whole
/// programme.
#[utoipa::path(get, path = "/v1/jobs", tag = "notices", responses(
    (status = 200, body = JobsBody), (status = 401, response = Problem), (status = 403, response = Problem),
    (status = 503, body = JobsBody, description = "A job is missed.")))]
pub async fn list(State(app): State<App>, bearer: BearerToken) -> Result<(StatusCode, Json<JobsBody>), Problem> {
    Problem::check(bearer.person.can(Action::SeeNotices, Object::Programme), "")?;
    let mut tx = app.store.read().await?;
    let items: Vec<JobBody> = job_run::standing(&mut tx, clock::now()).await?.into_iter().map(JobBody::from).collect();
    let missed = items.iter().any(|one| one.missed);
    let status = if missed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, Json(JobsBody { items })))
}
