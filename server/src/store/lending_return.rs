//! Devices that come back: taking one back, undoing that, and putting one in stock again.

use cartable_common::DeviceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    StoreError, borrower,
    device::{self, DeviceRow},
    device_action, left_behind,
    lending::{Clerk, Lending, LendingError, Refused, only},
    loan::{self, Event},
    loan_event,
};
use crate::domain::{
    erasure::DriveKey,
    loan::{Condition, LendingState, Loan, LoanStateName, Return},
    scope::Scope,
};

/// How long a return may be undone by the one who took it back: the queue at a desk, not the next day.
const UNDO_MILLIS: i64 = 15 * 60_000;

impl Lending<'_> {
    /// The device came back; also one that was lost, stolen or given up. A return notice that still waits is not told to
    /// whoever has it next.
    pub async fn take_back(
        &mut self,
        id: Uuid,
        condition: Condition,
        missing: Vec<String>,
    ) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?;
        if let Some(handed) = loan.state.handed_over() {
            only(&missing, &handed.accessories)?;
        }
        let mut details = loan_event::before(&loan);
        details["condition"] = condition.as_str().into();
        details["missing"] = missing.clone().into();
        let device = loan.device;
        let loan = loan.take_back(Return { at: self.clerk().now, condition, missing })?;
        self.newest(device, loan.id).await?;
        let loan = self.save("loan.take_back", loan, "returned", details).await?;
        let now = self.clerk().now;
        let withdrawn = device_action::withdraw_notice(self.tx(), device, now).await?;
        if let Some(notice) = withdrawn {
            self.act("device_action.withdraw", ("device_action", notice), device, json!({ "device": device }));
        }
        Ok(loan)
    }

    /// The device came back, whichever loan it is in. What is `missing` counts only if it had gone with the device.
    pub async fn take_back_device(
        &mut self,
        id: DeviceId,
        condition: Condition,
        missing: &[String],
    ) -> Result<Loan, LendingError> {
        device::lock(self.tx(), [id.0]).await?;
        let state = self.state_of(id).await?;
        let newest = loan::newest_of_device(self.tx(), id).await?.ok_or(Refused::NotLent(state))?;
        let loan = self.loan(newest).await?;
        let handed = loan.state.handed_over().ok_or(Refused::NotLent(state))?;
        // The borrower of a ceded device owns it: there is nothing to take back.
        if matches!(loan.state.name(), LoanStateName::Returned | LoanStateName::Ceded) {
            return Err(Refused::NotLent(state).into());
        }
        let missing = missing.iter().filter(|name| handed.accessories.contains(name)).cloned().collect();
        self.take_back(newest, condition, missing).await
    }

    /// The clerk took the wrong device back: the loan goes on as before. Only the one who did it, only at once.
    pub async fn undo_return(&mut self, id: Uuid) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?;
        let steps = loan_event::of_loan(self.tx(), id).await?;
        let last = steps.last().filter(|step| step.kind == "returned" && step.actor == self.clerk().actor);
        // A return that was imported does not tell how the loan stood before.
        let last = last.filter(|step| step.details["from"].is_string());
        let fresh =
            last.filter(|step| self.clerk().now.millis_since(step.at) <= UNDO_MILLIS).ok_or(Refused::NotUndoable)?;
        let handed = loan.state.handed_over().cloned().ok_or(Refused::NotUndoable)?;
        self.newest(loan.device, id).await?;
        // Whoever has it on the bench meanwhile is asked first.
        if self.state_of(loan.device).await? != LendingState::Intake {
            return Err(Refused::NotUndoable.into());
        }
        let device = device::find(self.tx(), &Scope::Everything, loan.device).await?.ok_or(Refused::NoDevice)?;
        let borrower =
            borrower::find(self.tx(), &Scope::Everything, loan.borrower).await?.ok_or(Refused::NoBorrower)?;
        if device.archived_at.is_some() || borrower.identity_erased_at.is_some() {
            return Err(Refused::NotUndoable.into());
        }
        let before = loan_event::state_before(&fresh.details, handed)?;
        let loan = loan.undo_return(before)?;
        self.save("loan.undo_return", loan, "return_undone", Value::Null).await
    }

    /// A device that came back was looked at, and what its last borrower left is erased: it may be lent again.
    pub async fn put_in_stock(&mut self, id: DeviceId) -> Result<(), LendingError> {
        device::lock(self.tx(), [id.0]).await?;
        let scope = self.clerk().scope;
        let row = device::find(self.tx(), scope, id).await?.ok_or(Refused::NoDevice)?;
        let at = self.state_of(id).await?;
        if at != LendingState::Intake {
            return Err(Refused::NotInIntake(at).into());
        }
        self.nothing_left_behind(&row).await?;
        self.stock(id).await?;
        self.act("device.put_in_stock", ("device", id.0), id, Value::Null);
        Ok(())
    }

    /// Every drive that the device was ever seen with is erased since its return, or declared gone.
    async fn nothing_left_behind(&mut self, row: &DeviceRow) -> Result<(), LendingError> {
        let Clerk { policy, .. } = self.clerk();
        let left = left_behind::of_device(self.tx(), row, &policy.erasure).await?;
        let named: Vec<&str> = left.iter().map(DriveKey::as_str).collect();
        if named.is_empty() { Ok(()) } else { Err(Refused::NotErased(named.join(", ")).into()) }
    }

    /// Writes that a device is in stock, and since when its newest loan says so.
    pub(super) async fn stock(&mut self, id: DeviceId) -> Result<(), StoreError> {
        loan::set_lending_state(self.tx(), id, LendingState::InStock).await?;
        if let Some(newest) = loan::newest_of_device(self.tx(), id).await? {
            let Clerk { actor, now, .. } = self.clerk();
            let step = Event { kind: "stocked", actor, details: Value::Null };
            loan::event(self.tx(), newest, step, now).await?;
        }
        Ok(())
    }

    /// An old loan never says where its device is: another may have begun since.
    async fn newest(&mut self, device: DeviceId, id: Uuid) -> Result<(), LendingError> {
        if loan::newest_of_device(self.tx(), device).await? == Some(id) {
            Ok(())
        } else {
            Err(Refused::NotLent(self.state_of(device).await?).into())
        }
    }
}
