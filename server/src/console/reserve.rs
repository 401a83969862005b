//! Setting a device aside from the hand-over page, without handing it over yet.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    error::{Refusal, require},
    hand_over::{Asked, again, borrower_of},
    hand_over_act::why_not,
    loan_acts::clerk,
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object},
    store::lending::{Lending, LendingError, Wish},
};

/// `POST /hand-over/reserve`: sets the device aside; it is handed over later, from the same page.
pub(super) async fn reserve(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let asked = Asked::of(&form);
    let device: DeviceId = asked.code.parse().map_err(|_| Refusal::Nonsense)?;
    let programme: Uuid = asked.programme.parse().map_err(|_| Refusal::Nonsense)?;
    let words = visitor.words;
    let mut lending = Lending::begin(&app.store, clerk(&app, &signed_in)).await?;
    let problem = match borrower_of(lending.tx(), &signed_in, &asked.borrower).await? {
        Ok(Some(borrower)) => {
            let wish = Wish { device, borrower: borrower.id, programme };
            match lending.reserve(wish).await {
                Ok(loan) => {
                    lending.commit().await?;
                    let next = format!("/hand-over?done=reserved&last={}&programme={programme}", loan.id);
                    return Ok(Redirect::to(&next).into_response());
                }
                Err(LendingError::Refused(refused)) => why_not(&mut lending, &signed_in, wish, &refused, words).await?,
                Err(LendingError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(None) => words.say("handing-no-reference"),
        Err(key) => words.say(key),
    };
    drop(lending);
    again(&app, &signed_in, &visitor, &form, problem).await
}
