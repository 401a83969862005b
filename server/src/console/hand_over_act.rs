//! The hand-over itself, as the desk's second form asks for it; a refusal leads back to the form as it was filled in.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::DeviceId;
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    error::{Refusal, require},
    hand_over::{Asked, again, borrower_of},
    i18n::Words,
    loan_acts::{clerk, ticked},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::{
        loan::{LendingState, Signature},
        signature::Drawing,
    },
    store::{
        lending::{Handing, Lending, LendingError, Refused, Wish},
        loan, loan_signature, programme,
    },
};

/// `POST /hand-over`
pub(super) async fn hand_over(
    visitor: Visitor,
    State(app): State<App>,
    CsrfForm { signed_in, form }: CsrfForm<BTreeMap<String, String>>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::HandOver, Object::OwnScope))?;
    let asked = Asked::of(&form);
    match lend(&app, &signed_in, (&asked, &form), visitor.words).await? {
        Ok(loan) => {
            let next = format!("/hand-over?done=handed-over&last={loan}&programme={}", asked.programme);
            Ok(Redirect::to(&next).into_response())
        }
        Err(problem) => again(&app, &signed_in, &visitor, &form, problem).await,
    }
}

/// Hands it over; or says what is wrong.
async fn lend(
    app: &App,
    signed_in: &SignedIn,
    (asked, form): (&Asked, &BTreeMap<String, String>),
    words: Words,
) -> Result<Result<Uuid, String>, Refusal> {
    let device: DeviceId = asked.code.parse().map_err(|_| Refusal::Nonsense)?;
    let programme: Uuid = asked.programme.parse().map_err(|_| Refusal::Nonsense)?;
    let mut lending = Lending::begin(&app.store, clerk(app, signed_in)).await?;
    let borrower = match borrower_of(lending.tx(), signed_in, &asked.borrower).await? {
        Ok(Some(borrower)) => borrower.id,
        Ok(None) => return Ok(Err(words.say("handing-no-reference"))),
        Err(key) => return Ok(Err(words.say(key))),
    };
    let known = programme::find(lending.tx(), programme).await?.map(|one| one.accessories).unwrap_or_default();
    let (handing, drawing) = match handing(form, &known)? {
        Ok(read) => read,
        Err(key) => return Ok(Err(words.say(key))),
    };
    let wish = Wish { device, borrower, programme };
    let loan = match lending.lend(wish, handing).await {
        Ok(loan) => loan,
        Err(LendingError::Refused(refused)) => {
            return Ok(Err(why_not(&mut lending, signed_in, wish, &refused, words).await?));
        }
        Err(LendingError::Store(error)) => return Err(error.into()),
    };
    if let Some(drawing) = drawing {
        let sealed = app.vault.seal("signature", loan.id, drawing.to_string().as_bytes());
        let sealed = sealed.map_err(|error| {
            tracing::error!(%error, "a signature cannot be sealed");
            Refusal::Broken
        })?;
        loan_signature::put(lending.tx(), loan.id, &sealed, signed_in.now).await?;
    }
    lending.commit().await?;
    Ok(Ok(loan.id))
}

/// Why it is not done; what was done already, by the same form sent once more, is told as such.
pub(super) async fn why_not(
    lending: &mut Lending<'_>,
    signed_in: &SignedIn,
    wish: Wish,
    refused: &Refused,
    words: Words,
) -> Result<String, Refusal> {
    if let Refused::NotInStock(at) = refused {
        let open = loan::open_of_device(lending.tx(), &signed_in.person.scope, wish.device).await?;
        if open.is_some_and(|open| open.borrower == wish.borrower && open.programme == wish.programme) {
            match at {
                LendingState::Lent => return Ok(words.say("handing-already")),
                LendingState::Reserved => return Ok(words.say("handing-already-reserved")),
                LendingState::InStock
                | LendingState::Intake
                | LendingState::Refurbishment
                | LendingState::SetAside
                | LendingState::Lost
                | LendingState::Stolen
                | LendingState::WrittenOff
                | LendingState::Ceded => {}
            }
        }
    }
    Ok(words.word("refused", refused.code()))
}

/// How it is handed over, and the signature if it was drawn; or the key of what is wrong.
fn handing(
    form: &BTreeMap<String, String>,
    known: &[String],
) -> Result<Result<(Handing, Option<Drawing>), &'static str>, Refusal> {
    let text = |name: &str| Some(form.get(name)?.trim()).filter(|text| !text.is_empty());
    let signature = text("signature").map(str::parse::<Signature>).transpose().map_err(|_| Refusal::Nonsense)?;
    let drawing = if signature == Some(Signature::Drawn) {
        match text("drawn").unwrap_or_default().parse::<Drawing>() {
            Ok(drawing) => Some(drawing),
            Err(_) => return Ok(Err("handing-no-drawing")),
        }
    } else {
        None
    };
    let Ok(due) = text("due").map(str::parse::<Date>).transpose() else { return Ok(Err("handing-due-unreadable")) };
    let handing = Handing {
        due,
        accessories: ticked(form, known),
        signature,
        agreement_version: text("agreement").map(str::to_owned),
    };
    Ok(Ok((handing, drawing)))
}
