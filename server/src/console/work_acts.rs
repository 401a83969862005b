//! What people do in the workshop: each act is one unit of work, and ends on the bench page it came from.

use axum::{
    extract::{Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    acts::Bare,
    device_scan,
    error::{Refusal, parsed, require},
    loan_acts::clerk,
    once, scanned,
    shell::{self, Section},
    visitor::Visitor,
    work_board::BoardPage,
    work_order::{May, OrderPage, OrderRead},
    work_part::PartForm,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, FormRefused, Object, SignedIn, UploadLimits, upload},
    domain::{
        erasure::gap::Demand,
        work_order::{Move, MoveName, Position, Stage},
    },
    photo,
    store::{
        Tx, device,
        device_code::Found,
        erasure_gate::Gate,
        loan, part, work_inspection, work_order,
        work_order_act::{Bench, Refused, WorkError},
        work_order_list,
        work_photo::{self, NewPhoto},
    },
};

/// Orders that were closed last, below the board.
const CLOSED_SHOWN: i64 = 15;
/// Photographs that are decoded at once: each may take [`photo::MAX_DECODED_BYTES`] of memory.
static DECODING: Semaphore = Semaphore::const_new(1);
/// Largest form with a photograph: the file, and some room for the fields around it.
pub(super) const LARGEST_FORM: usize = photo::MAX_FILE_BYTES + 64 * 1024;

/// Begins an act that the person's role allows.
pub(super) async fn begin<'a>(app: &'a App, signed_in: &'a SignedIn, action: Action) -> Result<Bench<'a>, Refusal> {
    require(signed_in.person.can(action, Object::OwnScope))?;
    Ok(Bench::begin(&app.store, clerk(app, signed_in)).await?)
}

/// Ends an act on the order's page, which says what was done or why not.
pub(super) async fn end<T>(bench: Bench<'_>, done: Result<T, WorkError>, id: &str) -> Result<Response, Refusal> {
    let outcome = match done {
        Ok(_) => {
            bench.commit().await?;
            "saved".to_owned()
        }
        Err(WorkError::Refused(Refused::NoOrder | Refused::NoPhoto | Refused::NoPart | Refused::NoDevice)) => {
            return Err(Refusal::NotFound);
        }
        Err(WorkError::Refused(refused)) => format!("bench-{}", refused.code()),
        Err(WorkError::Store(error)) => return Err(error.into()),
    };
    Ok(back(id, &outcome))
}

/// What the board's address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BoardAsked {
    code: String,
}

/// `GET /work-orders`; with a scanned code, the bench page of that unit.
pub(super) async fn board(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<BoardAsked>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeWorkOrders, Object::OwnScope))?;
    let (scope, words) = (&signed_in.person.scope, visitor.words);
    let mut tx = app.store.read().await?;
    let mut problem = None;
    if !asked.code.trim().is_empty() {
        match device_scan::find(&mut tx, scope, &scanned::clean(&asked.code)).await?.0 {
            Found::One(device) => match work_order::newest_of_device(&mut tx, scope, device.id).await? {
                Some(order) => return Ok(Redirect::to(&format!("/work-orders/{}", order.id)).into_response()),
                None => problem = Some(words.say("work-no-order")),
            },
            Found::Several => problem = Some(words.say("desk-several")),
            Found::Nothing => problem = Some(words.say("desk-unknown")),
        }
    }
    let columns = work_order_list::board(&mut tx, scope).await?;
    let closed = work_order_list::closed_last(&mut tx, scope, CLOSED_SHOWN).await?;
    let may_act = signed_in.person.can(Action::WorkOnOrders, Object::OwnScope).is_allowed();
    let shell = visitor.shell(Section::WorkOrders, words.say("work-title"), &signed_in);
    let told = (may_act, asked.code, problem);
    let page = BoardPage::new(shell, (&columns, &closed), &app.policy.refurbishment, told, signed_in.now);
    Ok(shell::page(StatusCode::OK, &page))
}

/// Reads an order that the person may see.
pub(super) async fn read(tx: &mut Tx, app: &App, signed_in: &SignedIn, id: &str) -> Result<OrderRead, Refusal> {
    require(signed_in.person.can(Action::SeeWorkOrders, Object::OwnScope))?;
    let (id, scope) = (parsed(id)?, &signed_in.person.scope);
    let summary = work_order_list::find(tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    let order = work_order::find(tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    let at_repair = order.position == Position::Open(Stage::Repair);
    let archived = device::find(tx, scope, order.device).await?.is_none_or(|device| device.archived_at.is_some());
    let place = loan::lending_state(tx, order.device).await?;
    let gate = Gate::read(tx, &order).await?;
    Ok(OrderRead {
        erasure: gate.state(Demand::Relend, &app.policy.erasure),
        leaving: gate.state(Demand::Leave, &app.policy.erasure),
        steps: work_order::steps(tx, id).await?,
        inspections: work_inspection::of_order(tx, id).await?,
        claims: work_inspection::claims(tx, order.device, &app.policy).await?,
        photos: work_photo::of_order(tx, id).await?,
        used: part::used_on(tx, id).await?,
        fitting: if at_repair { part::fitting(tx, summary.model.as_deref()).await? } else { Vec::new() },
        gone: archived || place != Some(order.position.lending_state()),
        summary,
        order,
    })
}

/// `GET /work-orders/{id}`
pub(super) async fn one(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut tx = app.store.read().await?;
    let read = read(&mut tx, &app, &signed_in, &id).await?;
    let may = |action| signed_in.person.can(action, Object::OwnScope).is_allowed();
    let may = May { work: may(Action::WorkOnOrders), waive: may(Action::WaiveErasure) };
    let title = visitor.words.say("work-order-title");
    let shell = visitor.shell(Section::WorkOrders, title, &signed_in);
    let page = OrderPage::new(shell, read, may, &app.policy.refurbishment, signed_in.now);
    Ok(shell::page(StatusCode::OK, &page))
}

/// Whether the newest step is this one, by the same person: what is refused now was done by a first click.
async fn repeated(
    bench: &mut Bench<'_>,
    id: Uuid,
    (kind, by): (&str, &SignedIn),
    form: &MoveForm,
) -> Result<bool, Refusal> {
    let Some(last) = work_order::steps(bench.tx(), id).await?.pop() else { return Ok(false) };
    let same = |name: &str, chosen: &str| chosen.is_empty() || last.details[name] == chosen;
    let as_chosen = same("grade", &form.grade) && same("disposition", &form.disposition);
    Ok(last.kind == kind && last.actor == by.person.login.as_str() && as_chosen)
}

pub(super) fn back(id: &str, outcome: &str) -> Response {
    Redirect::to(&format!("/work-orders/{id}?done={outcome}")).into_response()
}

/// A step that needs no findings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MoveForm {
    step: String,
    grade: String,
    disposition: String,
}

impl MoveForm {
    fn read(&self) -> Result<Move, Refusal> {
        let name: MoveName = self.step.parse().map_err(|_| Refusal::Nonsense)?;
        Ok(match name {
            MoveName::Begin => Move::Begin,
            MoveName::Repair => Move::Repair,
            MoveName::Reinstall => Move::Reinstall,
            MoveName::Installed => Move::Installed,
            MoveName::Grade => Move::Grade(self.grade.parse().map_err(|_| Refusal::Nonsense)?),
            MoveName::GiveUp => Move::GiveUp,
            MoveName::Dispose => Move::Dispose(self.disposition.parse().map_err(|_| Refusal::Nonsense)?),
            MoveName::Quarantine => Move::Quarantine,
            MoveName::RemoveBattery => Move::RemoveBattery,
            MoveName::Reopen => Move::Reopen,
            // These have a form of their own.
            MoveName::Inspect | MoveName::Test => return Err(Refusal::Nonsense),
        })
    }
}

/// `POST /work-orders/{id}/move`
pub(super) async fn take(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<MoveForm>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WorkOnOrders).await?;
    let (order, step) = (parsed(&id)?, form.read()?);
    let name = step.name();
    let done = bench.take(order, step).await;
    let refused = matches!(done, Err(WorkError::Refused(Refused::Step(_))));
    if refused && repeated(&mut bench, order, (name.as_str(), &signed_in), &form).await? {
        return Ok(back(&id, "already"));
    }
    end(bench, done, &id).await
}

/// Why there is nothing to erase.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct WaiverForm {
    reason: String,
}

/// `POST /work-orders/{id}/waiver`
pub(super) async fn waive(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<WaiverForm>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WaiveErasure).await?;
    let order = parsed(&id)?;
    let done = bench.waive_erasure(order, &form.reason).await;
    let refused = matches!(done, Err(WorkError::Refused(Refused::Step(_))));
    if refused && repeated(&mut bench, order, ("waive_erasure", &signed_in), &MoveForm::default()).await? {
        return Ok(back(&id, "already"));
    }
    end(bench, done, &id).await
}

/// Which part is used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct UseForm {
    part: String,
    #[serde(default)]
    once: String,
}

/// `POST /work-orders/{id}/parts`
pub(super) async fn use_part(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<UseForm>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WorkOnOrders).await?;
    let part: Uuid = form.part.parse().map_err(|_| Refusal::Nonsense)?;
    let new = once::id(&form.once, &[&id, &form.part]).unwrap_or_else(Uuid::now_v7);
    let done = bench.use_part(parsed(&id)?, part, new).await;
    end(bench, done, &id).await
}

/// A part that is taken from this unit, and the unit it goes into, if it does at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HarvestForm {
    #[serde(flatten)]
    part: PartForm,
    into: String,
}

/// `POST /work-orders/{id}/harvest`
pub(super) async fn harvest(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<HarvestForm>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WorkOnOrders).await?;
    let scope = &signed_in.person.scope;
    // A unit of another site is not there before anything else is said.
    work_order::find(bench.tx(), scope, parsed(&id)?).await?.ok_or(Refusal::NotFound)?;
    let back = |outcome: &str| back(&id, outcome);
    let Ok(part) = form.part.read() else { return Ok(back("bench-bad-part")) };
    let new = form.part.id(&[&id, &form.into]);
    let mut into = None;
    if !form.into.trim().is_empty() {
        let Found::One(device) = device_scan::find(bench.tx(), scope, &scanned::clean(&form.into)).await?.0 else {
            return Ok(back("bench-no-device"));
        };
        let order = work_order::newest_of_device(bench.tx(), scope, device.id).await?;
        let Some(order) = order else { return Ok(back("bench-not-at-repair")) };
        into = Some(order.id);
    }
    let done = bench.harvest(parsed(&id)?, (new, &part), into).await;
    end(bench, done, &id).await
}

/// `POST /work-orders/{id}/photos`
pub(super) async fn add_photo(
    signed_in: SignedIn,
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Response> {
    let allowed = async {
        require(signed_in.person.can(Action::WorkOnOrders, Object::OwnScope))?;
        let mut tx = app.store.read().await?;
        work_order::find(&mut tx, &signed_in.person.scope, parsed(&id)?).await?.ok_or(Refusal::NotFound)
    };
    allowed.await.map_err(Refusal::into_response)?;
    let limits = UploadLimits::of_file(photo::MAX_FILE_BYTES);
    let sent = upload(&signed_in, request, limits).await.map_err(FormRefused::into_response)?;
    // The same form with the same file of that name is the same photograph.
    let mark = sent.fields.get("once").map_or("", String::as_str);
    let typed = [&id, sent.file_name.as_str(), &sent.file.len().to_string()];
    let new = once::id(mark, &typed).unwrap_or_else(Uuid::now_v7);
    keep(&app, &signed_in, (&id, new), sent.file).await.map_err(Refusal::into_response)
}

/// Does what takes a second and much memory: no other request waits for it but another photograph. The turn belongs to the
/// work, which goes on when a telephone that lost its connection is not waited for any more.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let turn = DECODING.acquire().await.map_err(|_| Refusal::Broken)?;
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    working.await.map_err(|_| Refusal::Broken)
}

async fn keep(app: &App, signed_in: &SignedIn, (id, new): (&str, Uuid), file: Vec<u8>) -> Result<Response, Refusal> {
    let Ok(picture) = in_turn(move || photo::encoded_anew(&file)).await? else {
        return Ok(back(id, "bench-no-picture"));
    };
    let photo = NewPhoto { width: picture.width, height: picture.height, jpeg: picture.jpeg };
    let mut bench = begin(app, signed_in, Action::WorkOnOrders).await?;
    let done = bench.add_photo(parsed(id)?, new, &photo).await;
    end(bench, done, id).await
}

/// `GET /work-orders/{id}/photos/{photo}`
pub(super) async fn show_photo(
    signed_in: SignedIn,
    State(app): State<App>,
    Path((id, photo)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::SeeWorkOrders, Object::OwnScope))?;
    let mut tx = app.store.read().await?;
    let order = work_order::find(&mut tx, &signed_in.person.scope, parsed(&id)?).await?.ok_or(Refusal::NotFound)?;
    let jpeg = work_photo::jpeg(&mut tx, order.id, parsed(&photo)?).await?.ok_or(Refusal::NotFound)?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], jpeg).into_response())
}

/// `POST /work-orders/{id}/photos/{photo}/remove`
pub(super) async fn remove_photo(
    State(app): State<App>,
    Path((id, photo)): Path<(String, String)>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    let mut bench = begin(&app, &signed_in, Action::WorkOnOrders).await?;
    let done = bench.remove_photo(parsed(&id)?, parsed(&photo)?).await;
    end(bench, done, &id).await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_work() {
        let (finish, finished) = mpsc::channel::<()>();
        let (starts, started) = tokio::sync::oneshot::channel();
        let work = move || {
            starts.send(()).unwrap();
            finished.recv().unwrap();
        };
        // The request goes when its work has begun.
        let answered = tokio::select! {
            _ = in_turn(work) => true,
            _ = started => false,
        };
        assert!(!answered);
        assert_eq!(DECODING.available_permits(), 0, "the work goes on");
        finish.send(()).unwrap();
        assert_eq!(in_turn(|| 7).await, Ok(7), "and the next one waits for it");
    }
}
