//! The acts of refurbishment, for console, API and demonstration alike: each reads what it is about under lock, asks
//! `domain`, and writes the order, its step, and where its device then is.
//!
//! A [`Bench`] is a [`Lending`] at the workshop: it commits only through the audit rows of its acts, and after its devices
//! were judged anew. Whether the clerk's role allows an act is the caller's question; what lies outside the clerk's sites
//! does not exist here.

use cartable_common::DeviceId;
use serde_json::{Value, json};
use uuid::Uuid;

pub use super::work_order_refused::{Refused, WorkError};
use super::{
    Store, StoreError, Tx, advice, device,
    erasure_gate::Gate,
    lending::{Clerk, Lending},
    loan, on,
    part::{self, PartRow},
    work_harvest,
    work_inspection::{self, Inspection, InspectionKind},
    work_order::{self, NewStep},
    work_photo::{self, MOST_PHOTOS, NewPhoto},
};
use crate::domain::{
    grade::Grade,
    loan::LendingState,
    part::{InvalidPart, MAX_COUNT, NewPart},
    work_order::{Disposition, Move, Position, Stage, WorkOrder},
};

/// A unit of work of refurbishment.
#[derive(Debug)]
pub struct Bench<'a> {
    lending: Lending<'a>,
}

impl<'a> Bench<'a> {
    /// Begins one.
    pub async fn begin(store: &Store, by: Clerk<'a>) -> Result<Self, StoreError> {
        Ok(Self { lending: Lending::begin(store, by).await? })
    }

    /// Goes on with a unit of work that has begun.
    pub fn within(tx: Tx, by: Clerk<'a>) -> Self {
        Self { lending: Lending::within(tx, by) }
    }

    /// The unit of work, for what else belongs into it.
    pub fn tx(&mut self) -> &mut Tx {
        self.lending.tx()
    }

    /// Judges the devices anew, writes the acts into the audit, and makes it all durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.lending.commit().await
    }

    /// The same, with the unit of work given back for more.
    pub async fn close(self) -> Result<Tx, StoreError> {
        self.lending.close().await
    }

    /// Takes a unit in: its order, the open one if there is one. The flag says whether it was opened now.
    pub async fn take_in(&mut self, id: DeviceId) -> Result<(WorkOrder, bool), WorkError> {
        let by = self.lending.clerk();
        device::lock(self.tx(), [id.0]).await?;
        let found = device::find(self.tx(), by.scope, id).await?.ok_or(Refused::NoDevice)?;
        if found.archived_at.is_some() {
            return Err(Refused::Archived.into());
        }
        match loan::lending_state(self.tx(), id).await?.ok_or(Refused::NoDevice)? {
            LendingState::Intake | LendingState::InStock => {}
            LendingState::Refurbishment => {
                let open = work_order::newest_of_device(self.tx(), by.scope, id).await?;
                return Ok((open.ok_or(Refused::NoOrder)?, false));
            }
            elsewhere @ (LendingState::Reserved
            | LendingState::Lent
            | LendingState::SetAside
            | LendingState::Lost
            | LendingState::Stolen
            | LendingState::WrittenOff
            | LendingState::Ceded) => return Err(Refused::NotHere(elsewhere).into()),
        }
        let order = WorkOrder::taken_in(Uuid::now_v7(), id, by.now);
        work_order::insert(self.tx(), &order).await?;
        loan::set_lending_state(self.tx(), id, order.position.lending_state()).await?;
        self.note("work_order.take_in", "taken_in", &order, json!({})).await?;
        Ok((order, true))
    }

    /// Takes a step.
    pub async fn take(&mut self, id: Uuid, step: Move) -> Result<WorkOrder, WorkError> {
        let by = self.lending.clerk();
        let before = self.order(id).await?;
        let erasure = Gate::read(self.tx(), &before).await?.state(step.erasure_demand(), &by.policy.erasure);
        let from = before.position;
        if step == Move::Reopen {
            self.reopenable(&before).await?;
        }
        let mut details = json!({ "before": from.as_str() });
        let found = match &step {
            Move::Inspect(findings) => Some((InspectionKind::Inspection, findings.clone())),
            Move::Test(findings) => Some((InspectionKind::FinalTest, findings.clone())),
            Move::Grade(_) => {
                details["supported"] = json!(before.supported_grade().map(Grade::as_str));
                None
            }
            Move::Dispose(_) => {
                // What the machine advised when somebody decided, and by which settings: `policy used` tells them.
                let advised = advice::kept(self.tx(), before.device).await?;
                details["advised"] = json!(advised.map(|kept| kept.disposition.as_str()));
                details["policy"] = json!(advice::note_version(self.tx(), by.policy, by.now).await?);
                None
            }
            Move::Begin
            | Move::Repair
            | Move::Reinstall
            | Move::Installed
            | Move::GiveUp
            | Move::Quarantine
            | Move::RemoveBattery
            | Move::Reopen => None,
        };
        let name = step.name();
        let order = before.take(step, &erasure, by.now)?;
        work_order::save(self.tx(), &order).await?;
        if let Some((kind, findings)) = found {
            let claims = work_inspection::claims(self.tx(), order.device, by.policy).await?;
            let made = Inspection { at: by.now, kind, actor: by.actor.to_owned(), findings, claims };
            work_inspection::insert(self.tx(), order.id, &made).await?;
        }
        self.follow(from, &order).await?;
        details["after"] = json!(order.position.as_str());
        details["grade"] = json!(order.grade.map(Grade::as_str));
        details["disposition"] = json!(order.position.disposition().map(Disposition::as_str));
        self.note("work_order.move", name.as_str(), &order, details).await?;
        Ok(order)
    }

    /// Puts down why there is nothing to erase.
    pub async fn waive_erasure(&mut self, id: Uuid, reason: &str) -> Result<WorkOrder, WorkError> {
        let by = self.lending.clerk();
        let order = self.order(id).await?.waive_erasure(by.actor, reason, by.now)?;
        work_order::save(self.tx(), &order).await?;
        let reason = order.waiver.as_ref().map(|waiver| waiver.reason.clone());
        self.note("work_order.waive_erasure", "waive_erasure", &order, json!({ "reason": reason })).await?;
        Ok(order)
    }

    /// Uses one piece of a part on an order that is at repair. The use gets the id `new`: one that is there is done already.
    pub async fn use_part(&mut self, id: Uuid, part: Uuid, new: Uuid) -> Result<WorkOrder, WorkError> {
        let order = self.order(id).await?;
        if part::is_used(self.tx(), new).await? {
            return Ok(order);
        }
        at_repair(&order)?;
        let found = part::find(self.tx(), part).await?.ok_or(Refused::NoPart)?;
        self.used(&order, &found, new).await?;
        Ok(order)
    }

    /// Takes a part from the unit of an order that was closed for parts: into stock, or into another order at repair. The
    /// part gets the id `new`: one that is there is done already.
    pub async fn harvest(
        &mut self,
        id: Uuid,
        (new, part): (Uuid, &NewPart),
        into: Option<Uuid>,
    ) -> Result<(), WorkError> {
        let by = self.lending.clerk();
        let (device, target) = match into {
            // Both devices are held at once: two units of work never wait for each other in a circle.
            Some(into) => {
                let donor = work_order::find(self.tx(), by.scope, id).await?.ok_or(Refused::NoOrder)?.device;
                let other = work_order::find(self.tx(), by.scope, into).await?.ok_or(Refused::NoOrder)?.device;
                self.lending.hold([donor, other]).await?;
                (donor, Some(self.order(into).await?))
            }
            None => (self.order(id).await?.device, None),
        };
        let order = self.order(id).await?;
        if part::find(self.tx(), new).await?.is_some() {
            return Ok(());
        }
        if let Some(target) = &target {
            at_repair(target)?;
        }
        if order.position != Position::Closed(Disposition::Parts) {
            return Err(Refused::NotForParts.into());
        }
        // A donor that left since is not taken apart.
        if loan::lending_state(self.tx(), device).await? != Some(LendingState::SetAside) {
            return Err(Refused::WentOn.into());
        }
        work_harvest::check(self.tx(), &order, part).await?;
        part::insert(self.tx(), new, part, Some(id), by.now).await?;
        let details = json!({ "part": part.kind.as_str(), "count": part.count });
        self.note("part.harvest", "harvest", &order, details).await?;
        if let Some(target) = target {
            let found = part::find(self.tx(), new).await?.ok_or(Refused::NoPart)?;
            self.used(&target, &found, Uuid::now_v7()).await?;
        }
        Ok(())
    }

    /// Adds a photograph, encoded anew by the caller. It gets the id `new`: one that is there is done already.
    pub async fn add_photo(&mut self, id: Uuid, new: Uuid, photo: &NewPhoto) -> Result<Uuid, WorkError> {
        let by = self.lending.clerk();
        let order = self.order(id).await?;
        let there = work_photo::of_order(self.tx(), id).await?;
        if there.iter().any(|one| one.id == new) {
            return Ok(new);
        }
        if i64::try_from(there.len()).unwrap_or(i64::MAX) >= MOST_PHOTOS {
            return Err(Refused::TooManyPhotos.into());
        }
        work_photo::insert(self.tx(), (new, id), photo, by.actor, by.now).await?;
        self.note("work_order.add_photo", "photo", &order, json!({})).await?;
        Ok(new)
    }

    /// Removes a photograph: it showed what it should not.
    pub async fn remove_photo(&mut self, id: Uuid, photo: Uuid) -> Result<(), WorkError> {
        let order = self.order(id).await?;
        if !work_photo::remove(self.tx(), id, photo).await? {
            return Err(Refused::NoPhoto.into());
        }
        self.note("work_order.remove_photo", "photo_removed", &order, json!({})).await
    }

    async fn order(&mut self, id: Uuid) -> Result<WorkOrder, WorkError> {
        let scope = self.lending.clerk().scope;
        Ok(work_order::find_for_update(self.tx(), scope, id).await?.ok_or(Refused::NoOrder)?)
    }

    /// An order is reopened only while its device is where the order left it, and not archived.
    async fn reopenable(&mut self, order: &WorkOrder) -> Result<(), WorkError> {
        if order.position.stage().is_some() {
            return Ok(());
        }
        let scope = self.lending.clerk().scope;
        let found = device::find(self.tx(), scope, order.device).await?.ok_or(Refused::NoDevice)?;
        if found.archived_at.is_some() {
            return Err(Refused::Archived.into());
        }
        let newest = work_order::newest_of_device(self.tx(), scope, order.device).await?;
        let at = loan::lending_state(self.tx(), order.device).await?;
        if newest.is_none_or(|newest| newest.id != order.id) || at != Some(order.position.lending_state()) {
            return Err(Refused::WentOn.into());
        }
        if part::harvested_from(self.tx(), order.id).await? > 0 {
            return Err(Refused::Harvested.into());
        }
        Ok(())
    }

    /// Writes where the device then is, and its grade once the order is closed.
    async fn follow(&mut self, from: Position, order: &WorkOrder) -> Result<(), StoreError> {
        let state = order.position.lending_state();
        if from.lending_state() != state {
            if state == LendingState::InStock {
                self.lending.stock(order.device).await?;
            } else {
                loan::set_lending_state(self.tx(), order.device, state).await?;
            }
        }
        if let (Position::Closed(_), Some(grade)) = (order.position, order.grade) {
            let sql = "UPDATE device SET grade = $2 WHERE id = $1";
            let (device, grade) = (order.device.0, grade.as_str());
            on!(self.tx(), |c| sqlx::query(sql).bind(device).bind(grade).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    async fn used(&mut self, order: &WorkOrder, found: &PartRow, new: Uuid) -> Result<(), WorkError> {
        let by = self.lending.clerk();
        let model = device::find(self.tx(), by.scope, order.device).await?.and_then(|device| device.model);
        let fits = found
            .model
            .as_ref()
            .is_none_or(|fits| model.as_ref().is_some_and(|model| fits.to_lowercase() == model.to_lowercase()));
        if !fits {
            return Err(Refused::OtherModel.into());
        }
        if !part::use_one(self.tx(), (new, found), order.id, by.actor, by.now).await? {
            return Err(Refused::NoneLeft.into());
        }
        let details = json!({ "part": found.kind.as_str(), "unit_cents": found.unit_cents });
        self.note("part.use", "use_part", order, details).await
    }

    async fn note(
        &mut self,
        action: &'static str,
        kind: &str,
        order: &WorkOrder,
        mut details: Value,
    ) -> Result<(), WorkError> {
        let by = self.lending.clerk();
        if let Some(fields) = details.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        let step = NewStep { kind, actor: by.actor, details: details.clone() };
        work_order::add_step(self.tx(), order, &step, by.now).await?;
        details["device"] = json!(order.device);
        if action == "work_order.move" {
            details["step"] = json!(kind);
        }
        self.lending.act(action, ("work_order", order.id), order.device, details);
        Ok(())
    }
}

/// Parts are used while a unit is repaired.
fn at_repair(order: &WorkOrder) -> Result<(), Refused> {
    if order.position == Position::Open(Stage::Repair) { Ok(()) } else { Err(Refused::NotAtRepair) }
}

/// A count as somebody counted it on the shelf: zero is a count.
pub fn counted(count: i64) -> Result<i64, InvalidPart> {
    (0..=MAX_COUNT).contains(&count).then_some(count).ok_or(InvalidPart::Count)
}
