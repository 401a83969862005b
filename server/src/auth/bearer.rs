//! API tokens: `Authorization: Bearer cartable_…`, a person's rights for a script.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use cartable_common::UtcMillis;
use uuid::Uuid;

use super::secret;
use crate::{
    app::App,
    clock,
    domain::person::Person,
    store::{
        StoreError,
        api_token::{self, Bearer},
    },
};

/// What every token begins with, so that people and secret scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "cartable_";

/// Who a script acts for. Every route of the API asks for it.
#[derive(Clone, Debug)]
pub struct BearerToken {
    /// The person, with role and sites as of now.
    pub person: Person,
    /// Which token.
    pub token: Uuid,
    /// The moment of this request: read once, handed down.
    pub now: UtcMillis,
}

/// Why a request is not answered.
#[derive(Debug)]
pub enum BearerRefused {
    /// No token was sent.
    Missing,
    /// The token is unknown, expired, revoked, or its person may no longer sign in.
    Invalid,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for BearerRefused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl FromRequestParts<App> for BearerToken {
    type Rejection = BearerRefused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let token = token(&parts.headers)?;
        let now = clock::now();
        let mut tx = app.store.read().await?;
        let found = api_token::bearer(&mut tx, &secret::hash(token), now).await?;
        drop(tx);
        let Some(Bearer { token, person, last_used_day }) = found else { return Err(BearerRefused::Invalid) };
        let today = now.day_number();
        if last_used_day != Some(today) {
            let mut tx = app.store.write().await?;
            api_token::set_used(&mut tx, token, today).await?;
            tx.commit().await?;
        }
        Ok(Self { person, token, now })
    }
}

fn token(headers: &HeaderMap) -> Result<&str, BearerRefused> {
    let value = headers.get(header::AUTHORIZATION).ok_or(BearerRefused::Missing)?;
    let text = value.to_str().map_err(|_| BearerRefused::Invalid)?;
    let (scheme, token) = text.split_once(' ').ok_or(BearerRefused::Invalid)?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(TOKEN_PREFIX))
        .then_some(token)
        .ok_or(BearerRefused::Invalid)
}
