//! The acts of lending, for console, API and import alike: each reads what it is about under lock, asks `domain`, and
//! writes the loan, its event, and where its device then is.
//!
//! A [`Lending`] owns the unit of work: it cannot be committed without the audit rows of its acts and without its
//! devices being judged anew. Whether the clerk's role allows an act is the caller's question ([`can`]); what lies
//! outside the clerk's sites does not exist here.
//!
//! [`can`]: crate::domain::authority::can

use std::collections::BTreeSet;

use cartable_common::{DeviceId, UtcMillis};
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

pub use super::lending_refused::{LendingError, Refused};
use super::{
    Store, StoreError, Tx,
    audit::{self, NewAudit},
    borrower, device, document, donation_line,
    judgement::Considered,
    loan::{self, Event},
    loan_due, programme, review,
    value::day_number,
};
use crate::domain::{
    device::DeviceStatus,
    loan::{HandedOver, LendingState, Loan, LoanState, Refused as Step, Signature, Theft},
    paris,
    policy::Policy,
    programme::{Programme, Term},
    scope::Scope,
};

/// Who acts, within which sites, by which rules, and when.
#[derive(Clone, Copy, Debug)]
pub struct Clerk<'a> {
    /// The person's login, or what else acts.
    pub actor: &'a str,
    /// The API token by which it came, if it did, for the audit.
    pub token: Option<Uuid>,
    /// The sites.
    pub scope: &'a Scope,
    /// What devices are judged by.
    pub policy: &'a Policy,
    /// Now.
    pub now: UtcMillis,
}

/// Longest name of an agreement's version, in characters.
pub const MAX_AGREEMENT_CHARS: usize = 64;

/// Which device for whom under what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The device.
    pub device: DeviceId,
    /// The borrower.
    pub borrower: Uuid,
    /// The programme.
    pub programme: Uuid,
}

/// How a device is handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handing {
    /// Until when; without a day, as the programme says.
    pub due: Option<Date>,
    /// What goes with it: some of the programme's accessories.
    pub accessories: Vec<String>,
    /// How the agreement was signed.
    pub signature: Option<Signature>,
    /// Which version of which agreement.
    pub agreement_version: Option<String>,
}

/// An act to be written down.
#[derive(Debug)]
struct Act {
    action: &'static str,
    object: (&'static str, Uuid),
    details: Value,
}

/// A unit of work of lending.
#[derive(Debug)]
pub struct Lending<'a> {
    tx: Tx,
    by: Clerk<'a>,
    acts: Vec<Act>,
    touched: BTreeSet<Uuid>,
}

impl<'a> Lending<'a> {
    /// Begins one.
    pub async fn begin(store: &Store, by: Clerk<'a>) -> Result<Self, StoreError> {
        Ok(Self::within(store.write().await?, by))
    }

    /// Goes on with a unit of work that has begun.
    pub fn within(tx: Tx, by: Clerk<'a>) -> Self {
        Self { tx, by, acts: Vec::new(), touched: BTreeSet::new() }
    }

    /// The unit of work, for what else belongs into it.
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Holds several devices at once: units of work about many devices never wait for each other in a circle.
    pub async fn hold(&mut self, devices: impl IntoIterator<Item = DeviceId>) -> Result<(), StoreError> {
        device::lock(&mut self.tx, devices.into_iter().map(|id| id.0)).await
    }

    /// Judges the devices anew, writes the acts into the audit, and gives the unit of work back for committing.
    pub async fn close(mut self) -> Result<Tx, StoreError> {
        let Clerk { actor, token, policy, now, .. } = self.by;
        let touched: Vec<Uuid> = self.touched.into_iter().collect();
        if !touched.is_empty() {
            review::devices(&mut self.tx, &touched, Considered::All, policy, now).await?;
        }
        for Act { action, object: (object_kind, object), mut details } in self.acts {
            if let Some(token) = token {
                details["api_token"] = json!(token);
            }
            let object_id = &object.to_string();
            audit::append(&mut self.tx, NewAudit { actor, action, object_kind, object_id, details }, now).await?;
        }
        Ok(self.tx)
    }

    /// [`Lending::close`], and makes it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.close().await?.commit().await
    }

    /// Sets a device aside for a borrower.
    pub async fn reserve(&mut self, wish: Wish) -> Result<Loan, LendingError> {
        device::lock(&mut self.tx, [wish.device.0]).await?;
        let site = self.lendable(wish).await?;
        let at = self.state_of(wish.device).await?;
        if at != LendingState::InStock {
            return Err(Refused::NotInStock(at).into());
        }
        let (id, reserved_at, Wish { device, borrower, programme }) = (Uuid::now_v7(), self.by.now, wish);
        let loan = Loan { id, device, borrower, programme, site, reserved_at, state: LoanState::Reserved };
        loan::reserve(&mut self.tx, &loan, self.by.actor, self.by.now).await?;
        // Neither for whom nor under what: the loan says it to those who may know, and the audit cannot forget it.
        self.note("loan.reserve", &loan, Value::Null);
        Ok(loan)
    }

    /// Drops a reservation.
    pub async fn cancel(&mut self, id: Uuid) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?.cancel(self.by.now)?;
        self.save("loan.cancel", loan, "cancelled", Value::Null).await
    }

    /// The borrower of a reservation takes the device.
    pub async fn hand_over(&mut self, id: Uuid, handing: Handing) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?;
        self.lendable(Wish { device: loan.device, borrower: loan.borrower, programme: loan.programme }).await?;
        self.handed(loan, handing).await
    }

    /// Hands a device over at once: under its reservation if it has one for this borrower, else from stock.
    pub async fn lend(&mut self, wish: Wish, handing: Handing) -> Result<Loan, LendingError> {
        device::lock(&mut self.tx, [wish.device.0]).await?;
        let site = self.lendable(wish).await?;
        let at = self.state_of(wish.device).await?;
        let loan = if at == LendingState::Reserved {
            let open = loan::open_of_device(&mut self.tx, self.by.scope, wish.device).await?;
            let open = open.filter(|loan| loan.borrower == wish.borrower && loan.programme == wish.programme);
            open.ok_or(Refused::ReservedForOther)?
        } else {
            // What is wrong with the hand-over is found before anything is written.
            self.handing(wish.programme, site, &handing).await?;
            self.reserve(wish).await?
        };
        self.handed(loan, handing).await
    }

    /// The borrower keeps the device until `due`.
    pub async fn extend(&mut self, id: Uuid, due: Date) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?;
        let programme = self.open_programme(loan.programme).await?;
        let before = loan.state.handed_over().and_then(|handed| handed.due);
        let loan = loan.extend(due, programme.renewals_allowed, paris::date(self.by.now))?;
        let details = json!({ "before": before.map(|day| day.to_string()), "after": due.to_string() });
        self.save("loan.extend", loan, "extended", details).await
    }

    /// The borrower cannot find the device.
    pub async fn lose(&mut self, id: Uuid) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?.lose(self.by.now)?;
        self.save("loan.lose", loan, "lost", Value::Null).await
    }

    /// The device was stolen, and the theft reported to the police.
    pub async fn steal(&mut self, id: Uuid, police_report: &str) -> Result<Loan, LendingError> {
        let theft = Theft { at: self.by.now, police_report: police_report.trim().to_owned() };
        let loan = self.loan(id).await?.steal(theft)?;
        self.save("loan.steal", loan, "stolen", json!({ "police_report": police_report.trim() })).await
    }

    /// The programme gives the device up.
    pub async fn write_off(&mut self, id: Uuid) -> Result<Loan, LendingError> {
        let loan = self.loan(id).await?.write_off(self.by.now)?;
        self.save("loan.write_off", loan, "written_off", Value::Null).await
    }

    /// Notes an act that changed this device: it is judged anew, and the act stands in the audit.
    pub(super) fn act(&mut self, action: &'static str, object: (&'static str, Uuid), device: DeviceId, details: Value) {
        self.touched.insert(device.0);
        self.acts.push(Act { action, object, details });
    }

    /// Who acts.
    pub(super) const fn clerk(&self) -> Clerk<'a> {
        self.by
    }

    async fn handed(&mut self, loan: Loan, handing: Handing) -> Result<Loan, LendingError> {
        let due = self.handing(loan.programme, loan.site, &handing).await?;
        // An agreement that was made for this hand-over belongs to the loan, and says which version was signed.
        let made = document::adopt(&mut self.tx, &loan).await?.map(|agreement| agreement.label());
        let Handing { accessories, signature, agreement_version, .. } = handing;
        let agreement_version = agreement_version.or(made);
        let details = json!({
            "due": due.map(|day| day.to_string()), "accessories": accessories,
            "signature": signature.map(Signature::as_str), "agreement_version": agreement_version,
        });
        let at = self.by.now;
        let handed = HandedOver { at, due, extensions: 0, accessories, signature, agreement_version };
        let loan = loan.hand_over(handed, paris::date(at))?;
        self.save("loan.hand_over", loan, "handed_over", details).await
    }

    /// The due date of a hand-over that makes sense.
    async fn handing(
        &mut self,
        programme: Uuid,
        site: Option<Uuid>,
        handing: &Handing,
    ) -> Result<Option<Date>, LendingError> {
        let programme = self.open_programme(programme).await?;
        only(&handing.accessories, &programme.accessories)?;
        let printable = |text: &String| text.chars().count() <= MAX_AGREEMENT_CHARS && !text.contains(char::is_control);
        if !handing.agreement_version.as_ref().is_none_or(printable) {
            return Err(Refused::BadAgreement.into());
        }
        let today = paris::date(self.by.now);
        if handing.due.is_some_and(|due| due < today) {
            return Err(Step::DueInThePast.into());
        }
        match handing.due {
            Some(due) => Ok(Some(due)),
            None if programme.term == Term::Open => Ok(None),
            // Whoever lends until a day that has passed, or beyond the calendar that is known, has to say until when.
            None => {
                let suggested = loan_due::suggested(&mut self.tx, &programme, site, today, self.by.policy).await?;
                Ok(Some(suggested.ok_or(Refused::DueNeeded)?))
            }
        }
    }

    /// That the device may be lent to the borrower under the programme, all of them the clerk's; the site that will
    /// answer for the loan.
    async fn lendable(&mut self, wish: Wish) -> Result<Option<Uuid>, LendingError> {
        let scope = self.by.scope;
        let found = device::find(&mut self.tx, scope, wish.device).await?.ok_or(Refused::NoDevice)?;
        if found.archived_at.is_some() {
            return Err(Refused::Archived.into());
        }
        if matches!(found.status, DeviceStatus::Revoked | DeviceStatus::Released) {
            return Err(Refused::OutOfService(found.status).into());
        }
        if donation_line::is_promised(&mut self.tx, wish.device).await? {
            return Err(Refused::InLot.into());
        }
        let borrower = borrower::find(&mut self.tx, scope, wish.borrower).await?.ok_or(Refused::NoBorrower)?;
        if borrower.identity_erased_at.is_some() {
            return Err(Refused::ForgottenBorrower.into());
        }
        if borrower.left_site_day.is_some_and(|day| day <= day_number(paris::date(self.by.now))) {
            return Err(Refused::BorrowerLeft.into());
        }
        self.open_programme(wish.programme).await?;
        Ok(found.site.or(borrower.site))
    }

    async fn open_programme(&mut self, id: Uuid) -> Result<Programme, LendingError> {
        let programme = programme::find(&mut self.tx, id).await?.ok_or(Refused::NoProgramme)?;
        if programme.open { Ok(programme) } else { Err(Refused::ProgrammeClosed.into()) }
    }

    /// Where a device is.
    pub(super) async fn state_of(&mut self, id: DeviceId) -> Result<LendingState, LendingError> {
        Ok(loan::lending_state(&mut self.tx, id).await?.ok_or(Refused::NoDevice)?)
    }

    /// A loan of the clerk's sites, under lock.
    pub(super) async fn loan(&mut self, id: Uuid) -> Result<Loan, LendingError> {
        Ok(loan::find_for_update(&mut self.tx, self.by.scope, id).await?.ok_or(Refused::NoLoan)?)
    }

    /// Writes a loan after one of its steps, and notes the act. A device that changed owner is past its loans: one that
    /// was lost, found and given does not come back by the loan in which it was lost.
    pub(super) async fn save(
        &mut self,
        action: &'static str,
        loan: Loan,
        kind: &str,
        details: Value,
    ) -> Result<Loan, LendingError> {
        let at = self.state_of(loan.device).await?;
        if at == LendingState::Ceded {
            return Err(Refused::NotLent(at).into());
        }
        let step = Event { kind, actor: self.by.actor, details: details.clone() };
        loan::save(&mut self.tx, &loan, step, self.by.now).await?;
        self.note(action, &loan, details);
        Ok(loan)
    }

    fn note(&mut self, action: &'static str, loan: &Loan, mut details: Value) {
        if !details.is_object() {
            details = json!({});
        }
        details["device"] = json!(loan.device);
        self.touched.insert(loan.device.0);
        self.acts.push(Act { action, object: ("loan", loan.id), details });
    }
}

/// That each of `some` accessories is one of those that are `known`.
pub(super) fn only(some: &[String], known: &[String]) -> Result<(), Refused> {
    match some.iter().find(|name| !known.contains(name)) {
        Some(unknown) => Err(Refused::UnknownAccessory(unknown.clone())),
        None => Ok(()),
    }
}
