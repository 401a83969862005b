//! Recording a borrower and changing what is known of one: for console and API alike. Who a person is comes sealed.

use cartable_common::UtcMillis;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{StoreError, Tx, borrower};
use crate::domain::{
    borrower::{Borrower, BorrowerKind},
    identity::may_have_left_on,
    paris,
};

/// Records `new`, with the keyed hash of the school's number and the sealed identity where there are any. Gives what the
/// audit says; nothing where another has the number: the unit of work is to be given up then.
pub async fn enter(
    tx: &mut Tx,
    new: &Borrower,
    number: Option<&[u8]>,
    sealed: Option<&str>,
    now: UtcMillis,
) -> Result<Option<Value>, StoreError> {
    match borrower::insert(tx, new, number).await {
        Err(error) if error.is_duplicate_of("natural_key_hash") => return Ok(None),
        other => other?,
    }
    if let Some(sealed) = sealed {
        borrower::put_identity(tx, new.id, sealed, now).await?;
    }
    Ok(Some(json!({ "reference": new.reference.as_str(), "kind": new.kind.as_str(), "site": new.site,
        "identity": sealed.is_some() })))
}

/// Writes the day on which a person left the site, none for one who is back, and gives what the audit says; nothing
/// where the borrower is no person or the day makes no sense.
pub async fn leave(
    tx: &mut Tx,
    mut found: Borrower,
    day: Option<Date>,
    now: UtcMillis,
) -> Result<Option<Value>, StoreError> {
    let today = paris::date(now);
    if found.kind != BorrowerKind::Person || day.is_some_and(|day| !may_have_left_on(day, today)) {
        return Ok(None);
    }
    found.left_site_day = day.map(borrower::day_number);
    borrower::set_details(tx, &found).await?;
    // Not the day: it goes with the identity, and the audit cannot forget it.
    Ok(Some(json!({ "left": day.is_some() })))
}
