//! When each periodic job last ran, and how it ended: what shows that one has stopped.

use cartable_common::UtcMillis;

use super::{
    StoreError, Tx, on,
    value::{moment, optional_moment},
};
use crate::domain::job::Job;

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// Its name.
    pub job: String,
    /// When it last began; before its first run, when the server first knew of it.
    pub started_at: UtcMillis,
    /// When it last ended, well or not.
    pub finished_at: Option<UtcMillis>,
    /// When it last ended well.
    pub succeeded_at: Option<UtcMillis>,
    /// What went wrong in the last run that ended.
    pub error: Option<String>,
}

/// Makes a job known, so that it is missed if it never runs.
pub async fn expect(tx: &mut Tx, job: &str, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO job_run (job, started_at) VALUES ($1, $2) ON CONFLICT (job) DO NOTHING";
    on!(tx, |c| sqlx::query(sql).bind(job).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Writes down that a run begins.
pub async fn started(tx: &mut Tx, job: &str, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "INSERT INTO job_run (job, started_at) VALUES ($1, $2) \
               ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at";
    on!(tx, |c| sqlx::query(sql).bind(job).bind(now.get()).execute(c).await.map(drop))?;
    Ok(())
}

/// Writes down that a run ended, and what went wrong in it.
pub async fn finished(tx: &mut Tx, job: &str, error: Option<&str>, now: UtcMillis) -> Result<(), StoreError> {
    let sql = "UPDATE job_run SET finished_at = $2, error = $3, \
               succeeded_at = CASE WHEN $3 IS NULL THEN $2 ELSE succeeded_at END WHERE job = $1";
    on!(tx, |c| sqlx::query(sql).bind(job).bind(now.get()).bind(error).execute(c).await.map(drop))?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Raw {
    job: String,
    started_at: i64,
    finished_at: Option<i64>,
    succeeded_at: Option<i64>,
    error: Option<String>,
}

/// Every job that is known, by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<JobRun>, StoreError> {
    let sql = "SELECT job, started_at, finished_at, succeeded_at, error FROM job_run ORDER BY job";
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter()
        .map(|raw| {
            Ok(JobRun {
                job: raw.job,
                started_at: moment("job_run.started_at", raw.started_at)?,
                finished_at: optional_moment("job_run.finished_at", raw.finished_at)?,
                succeeded_at: optional_moment("job_run.succeeded_at", raw.succeeded_at)?,
                error: raw.error,
            })
        })
        .collect()
}

/// A job and whether it is missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which job.
    pub job: Job,
    /// Its last run; absent where no server ever ran on this database.
    pub run: Option<JobRun>,
    /// Whether it should have run by now, or does not end well.
    pub missed: bool,
}

/// How it stands with every job at `now`.
pub async fn standing(tx: &mut Tx, now: UtcMillis) -> Result<Vec<Standing>, StoreError> {
    let mut runs = list(tx).await?;
    let of = |job: &Job| {
        let place = runs.iter().position(|run| run.job == job.as_str());
        let run = place.map(|place| runs.swap_remove(place));
        let missed =
            run.as_ref().is_none_or(|run| job.is_missed(run.started_at, run.succeeded_at, run.error.is_some(), now));
        Standing { job: *job, run, missed }
    };
    Ok(Job::ALL.iter().map(of).collect())
}
