//! Whether a periodic job is missed: asked of the database at most every half minute, shown to administrators on every
//! page.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use cartable_common::UtcMillis;

use crate::{app::App, clock, store::job_run};

/// How long an answer counts.
const FRESH_MILLIS: i64 = 30_000;

/// What was last found, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<(UtcMillis, bool)>>);

/// On a request: a job is missed.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobMissed;

impl Watch {
    async fn is_missed(&self, app: &App, now: UtcMillis) -> bool {
        let (asked, missed) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.millis_since(asked) < FRESH_MILLIS {
            return missed;
        }
        let found = async {
            let mut tx = app.store.read().await?;
            job_run::standing(&mut tx, now).await
        };
        // A job that no server ever ran on this database is not late yet.
        let missed = found.await.is_ok_and(|all| all.iter().any(|one| one.missed && one.run.is_some()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (now, missed);
        missed
    }
}

/// Marks requests for pages while a job is missed.
pub(super) async fn watch(State((app, watch)): State<(App, Watch)>, mut request: Request, next: Next) -> Response {
    if request.method().is_safe() && watch.is_missed(&app, clock::now()).await {
        request.extensions_mut().insert(JobMissed);
    }
    next.run(request).await
}
