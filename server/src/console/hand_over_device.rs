//! The device at the hand-over desk: what its code means, why it cannot be handed over, and what is known already of the
//! loan it waits for.

use super::{
    component::Badge,
    device_list::{device_name, model_name},
    device_scan::{self, Keyboard},
    error::Refusal,
    hand_over::Asked,
    i18n::Words,
    loan_line::lending_badge,
};
use crate::{
    auth::SignedIn,
    domain::{
        borrower::Borrower,
        device::DeviceStatus,
        loan::{LendingState, Loan},
        programme::Programme,
    },
    store::{Tx, borrower, device::DeviceRow, loan, programme},
};

/// The device that was scanned, as the page shows it.
#[derive(Clone, Debug)]
pub(super) struct Scanned {
    pub(super) name: String,
    pub(super) model: String,
    pub(super) href: String,
    pub(super) at: Badge,
}

/// A device that was scanned.
pub(super) struct There {
    pub(super) device: DeviceRow,
    pub(super) at: LendingState,
    /// Its open loan, where it is the person's to see.
    open: Option<Loan>,
    pub(super) keyboard: Keyboard,
}

impl There {
    /// The device that a code means, or the key of what is wrong with the code.
    pub(super) async fn find(
        tx: &mut Tx,
        signed_in: &SignedIn,
        code: &str,
    ) -> Result<Result<Self, &'static str>, Refusal> {
        let scope = &signed_in.person.scope;
        let (device, keyboard) = match device_scan::one(tx, scope, code, "refused-no-device").await? {
            Ok(found) => found,
            Err(key) => return Ok(Err(key)),
        };
        let at = loan::lending_state(tx, device.id).await?.ok_or(Refusal::NotFound)?;
        let open = loan::open_of_device(tx, scope, device.id).await?;
        Ok(Ok(Self { device, at, open, keyboard }))
    }

    /// As the page shows it.
    pub(super) fn shown(&self, words: Words) -> Scanned {
        let device = &self.device;
        Scanned {
            name: device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id),
            model: model_name(device.manufacturer.as_deref(), device.model.as_deref(), words),
            href: format!("/devices/{}", device.id),
            at: lending_badge(self.at, words),
        }
    }

    /// Why it cannot be handed over, whatever else is chosen.
    pub(super) fn refused(&self, borrower: Option<&Borrower>, words: Words) -> Option<String> {
        if self.device.archived_at.is_some() {
            return Some(words.say("refused-archived"));
        }
        if matches!(self.device.status, DeviceStatus::Revoked | DeviceStatus::Released) {
            return Some(words.say("refused-out-of-service"));
        }
        if matches!(self.at, LendingState::InStock | LendingState::Reserved) {
            return None;
        }
        let holder = self.open.as_ref().filter(|_| self.at == LendingState::Lent).map(|loan| loan.borrower);
        if holder.is_some() && holder == borrower.map(|borrower| borrower.id) {
            return Some(words.say("handing-already"));
        }
        Some(words.with("handing-not-in-stock", &words.word("lending", self.at.as_str())))
    }

    /// A reservation says for whom and under what, and a device's record under what, unless something else was typed. The
    /// reservation's programme stands among `programmes` afterwards, even one that is closed.
    pub(super) async fn prefer(
        &self,
        tx: &mut Tx,
        signed_in: &SignedIn,
        asked: &mut Asked,
        programmes: &mut Vec<Programme>,
    ) -> Result<(), Refusal> {
        if let Some(reservation) = self.open.as_ref().filter(|_| self.at == LendingState::Reserved) {
            if asked.borrower.is_empty() {
                let reserved_for = borrower::find(tx, &signed_in.person.scope, reservation.borrower).await?;
                asked.borrower = reserved_for.map_or_else(String::new, |borrower| borrower.reference.to_string());
                asked.programme = reservation.programme.to_string();
            }
            if asked.programme.is_empty() {
                asked.programme = reservation.programme.to_string();
            }
            if programmes.iter().all(|programme| programme.id != reservation.programme) {
                programmes.extend(programme::find(tx, reservation.programme).await?);
            }
        }
        if let Some(code) = self.device.programme.as_deref().filter(|_| asked.programme.is_empty()) {
            let own = programmes.iter().find(|programme| programme.code.as_str().eq_ignore_ascii_case(code));
            asked.programme = own.map_or_else(String::new, |programme| programme.id.to_string());
        }
        Ok(())
    }
}
