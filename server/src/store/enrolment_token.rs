//! Enrolment tokens: made, listed, used, revoked. Only hashes are stored.

use cartable_common::{DeviceId, EnrolmentId, UtcMillis};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, parsed},
};
use crate::domain::{
    approval::may_still_ask,
    enrolment_token::{Admits, TokenKind, TokenTerms, TokenText},
    scope::Scope,
    verdict::text_enum,
};

/// A token as people see it afterwards: everything but its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Names it in lists and in the audit.
    pub id: Uuid,
    /// What people call it.
    pub label: String,
    /// One laptop or several.
    pub kind: TokenKind,
    /// The site its laptops belong to.
    pub site_id: Uuid,
    /// That site's code.
    pub site_uai: String,
    /// That site's name.
    pub site_name: String,
    /// Neutral code of the scheme its laptops belong to.
    pub programme: Option<String>,
    /// How many laptops it lets in.
    pub cap: u32,
    /// How many it has let in.
    pub used: u32,
    /// From when on it lets none in.
    pub expires_at: UtcMillis,
    /// When a person ended it.
    pub revoked_at: Option<UtcMillis>,
    /// When it was made.
    pub created_at: UtcMillis,
    /// Who made it.
    pub created_by: String,
    /// Which laptops it lets in without a person.
    pub admits: Admits,
}

text_enum! {
    /// Whether a token still lets laptops in.
    pub enum TokenState {
        /// It does.
        Open = "open",
        /// It has let in as many as it may.
        Exhausted = "spent",
        /// Its time is over.
        Expired = "expired",
        /// A person ended it.
        Revoked = "revoked",
    }
}

impl TokenRow {
    /// Whether it still lets laptops in at `now`, and why not.
    pub fn state(&self, now: UtcMillis) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if self.expires_at <= now {
            TokenState::Expired
        } else if self.used >= self.cap {
            TokenState::Exhausted
        } else {
            TokenState::Open
        }
    }
}

#[derive(FromRow)]
struct Raw {
    id: Uuid,
    label: String,
    kind: String,
    site_id: Uuid,
    site_uai: String,
    site_name: String,
    programme: Option<String>,
    cap: i64,
    used: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    created_at: i64,
    created_by: String,
    admits: String,
}

impl TryFrom<Raw> for TokenRow {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let number = |what, value: i64| {
            u32::try_from(value).map_err(|error| StoreError::Corrupt { what, why: format!("{value}: {error}") })
        };
        Ok(Self {
            id: raw.id,
            label: raw.label,
            kind: raw
                .kind
                .parse()
                .map_err(|error| StoreError::Corrupt { what: "enrolment_token.kind", why: format!("{error}") })?,
            site_id: raw.site_id,
            site_uai: raw.site_uai,
            site_name: raw.site_name,
            programme: raw.programme,
            cap: number("enrolment_token.cap", raw.cap)?,
            used: number("enrolment_token.used", raw.used)?,
            expires_at: UtcMillis::new(raw.expires_at).unwrap_or_default(),
            revoked_at: raw.revoked_at.and_then(UtcMillis::new),
            created_at: UtcMillis::new(raw.created_at).unwrap_or_default(),
            created_by: raw.created_by,
            admits: parsed("enrolment_token.admits", &raw.admits)?,
        })
    }
}

/// Records a new token for `site_id`. Gives its id; the text is the caller's to show once.
pub async fn create(
    tx: &mut Tx,
    text: &TokenText,
    terms: &TokenTerms,
    site_id: Uuid,
    created_by: &str,
    now: UtcMillis,
) -> Result<Uuid, StoreError> {
    const SQL: &str = "INSERT INTO enrolment_token \
        (id, token_hash, label, kind, site_id, programme, cap, used, expires_at, created_at, created_by, admits) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11)";
    let id = Uuid::now_v7();
    on!(tx, |c| sqlx::query(SQL)
        .bind(id)
        .bind(text.sha256().as_slice())
        .bind(terms.label())
        .bind(terms.kind().as_str())
        .bind(site_id)
        .bind(terms.programme())
        .bind(i64::from(terms.cap()))
        .bind(terms.expires_at().get())
        .bind(now.get())
        .bind(created_by)
        .bind(terms.admits().as_str())
        .execute(c)
        .await
        .map(drop))?;
    Ok(id)
}

/// All tokens of sites that the scope covers, newest first.
pub async fn list(tx: &mut Tx, scope: &Scope) -> Result<Vec<TokenRow>, StoreError> {
    const SQL: &str = "SELECT t.id, t.label, t.kind, t.site_id, s.uai AS site_uai, s.name AS site_name, t.programme, \
        t.cap, t.used, t.expires_at, t.revoked_at, t.created_at, t.created_by, t.admits \
        FROM enrolment_token t JOIN site s ON s.id = t.site_id ORDER BY t.created_at DESC, t.id DESC";
    let rows: Vec<Raw> = on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await)?;
    rows.into_iter().filter(|raw| scope.covers(Some(raw.site_id))).map(TryInto::try_into).collect()
}

/// The token with that id, where the scope covers its site.
pub async fn find(tx: &mut Tx, scope: &Scope, id: Uuid) -> Result<Option<TokenRow>, StoreError> {
    const SQL: &str = "SELECT t.id, t.label, t.kind, t.site_id, s.uai AS site_uai, s.name AS site_name, t.programme, \
        t.cap, t.used, t.expires_at, t.revoked_at, t.created_at, t.created_by, t.admits \
        FROM enrolment_token t JOIN site s ON s.id = t.site_id WHERE t.id = $1";
    let raw: Option<Raw> = on!(tx, |c| sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?;
    raw.filter(|raw| scope.covers(Some(raw.site_id))).map(TryInto::try_into).transpose()
}

/// Ends a token. False where there is none with that id in the scope, or it was ended before.
pub async fn revoke(tx: &mut Tx, scope: &Scope, id: Uuid, now: UtcMillis) -> Result<bool, StoreError> {
    if find(tx, scope, id).await?.is_none() {
        return Ok(false);
    }
    let sql = "UPDATE enrolment_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    let changed =
        on!(tx, |c| sqlx::query(sql).bind(id).bind(now.get()).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// What a token's use grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The token.
    pub id: Uuid,
    /// The site the laptop belongs to.
    pub site_id: Uuid,
    /// The scheme it belongs to.
    pub programme: Option<String>,
    /// Which laptops come in without a person.
    pub admits: Admits,
}

#[derive(FromRow)]
struct RawAdmission {
    id: Uuid,
    site_id: Uuid,
    programme: Option<String>,
    admits: String,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl RawAdmission {
    fn read(self) -> Result<Admission, StoreError> {
        let admits = parsed("enrolment_token.admits", &self.admits)?;
        Ok(Admission { id: self.id, site_id: self.site_id, programme: self.programme, admits })
    }
}

/// A key that a machine says that it lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostKey {
    /// The enrolment whose key it is.
    pub enrolment: EnrolmentId,
    /// The device that it speaks for.
    pub device: DeviceId,
}

/// What became of a token that was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It was open, and is used once more.
    Open(Admission),
    /// It lets none in any more; whoever brings it may ask a person.
    Spent(Admission),
    /// Nothing of a token, but the name of a key that it let in: whoever brings it may ask a person.
    Lost(Admission, LostKey),
    /// The same of a key that no token let in: whoever brings it may ask a person to be its device.
    OfDevice(LostKey),
    /// A person ended it, or it ended long ago.
    Ended,
    /// It was never made: tells a technician's mistake from guessing.
    Unknown,
}

/// Uses a token once, if it is open. However many use it at once, no more than its cap succeed: the row's lock orders
/// them, and each sees the count that the one before it left. The row stays locked, whatever the answer.
pub async fn present(tx: &mut Tx, token_sha256: &[u8; 32], now: UtcMillis) -> Result<Presented, StoreError> {
    const USE: &str = "UPDATE enrolment_token SET used = used + 1 \
        WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > $2 AND used < cap \
        RETURNING id, site_id, programme, admits, expires_at, revoked_at";
    const LOOK: &str = "UPDATE enrolment_token SET used = used WHERE token_hash = $1 \
        RETURNING id, site_id, programme, admits, expires_at, revoked_at";
    let hash = token_sha256.as_slice();
    let used: Option<RawAdmission> =
        on!(tx, |c| sqlx::query_as(USE).bind(hash).bind(now.get()).fetch_optional(c).await)?;
    if let Some(used) = used {
        return used.read().map(Presented::Open);
    }
    let found: Option<RawAdmission> = on!(tx, |c| sqlx::query_as(LOOK).bind(hash).fetch_optional(c).await)?;
    let Some(found) = found else { return Ok(Presented::Unknown) };
    let expires_at = moment("enrolment_token.expires_at", found.expires_at)?;
    if may_still_ask(found.revoked_at.is_some(), expires_at, now) {
        return found.read().map(Presented::Spent);
    }
    Ok(Presented::Ended)
}

/// What the key `key_sha256`, which a machine says that its TPM lost, still lets it do: ask a person, through the token that
/// let it in, used up or over as that may be, unless a person ended it; or as the device that the key speaks for, where none did
/// (a key that healed another, was renewed, or came back after a restore). Nothing where the key does not speak for its device now.
pub async fn of_lost_key(tx: &mut Tx, key_sha256: &[u8; 32]) -> Result<Presented, StoreError> {
    const KEY: &str = "SELECT id, device_id, token_id FROM enrolment \
        WHERE spki_sha256 = $1 AND status = 'active' AND kind = 'agent'";
    const TOKEN: &str =
        "SELECT id, site_id, programme, admits, expires_at, revoked_at FROM enrolment_token WHERE id = $1";
    let key = key_sha256.as_slice();
    let found: Option<(Uuid, Uuid, Option<Uuid>)> = on!(tx, |c| sqlx::query_as(KEY).bind(key).fetch_optional(c).await)?;
    let Some((enrolment, device, token)) = found else { return Ok(Presented::Unknown) };
    let lost = LostKey { enrolment: EnrolmentId(enrolment), device: DeviceId(device) };
    let Some(token) = token else { return Ok(Presented::OfDevice(lost)) };
    let through: RawAdmission = on!(tx, |c| sqlx::query_as(TOKEN).bind(token).fetch_one(c).await)?;
    if through.revoked_at.is_some() {
        return Ok(Presented::Ended);
    }
    Ok(Presented::Lost(through.read()?, lost))
}

/// Gives back the use of a token that let nobody in.
pub async fn give_back(tx: &mut Tx, id: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment_token SET used = used - 1 WHERE id = $1 AND used > 0";
    on!(tx, |c| sqlx::query(sql).bind(id).execute(c).await.map(drop))?;
    Ok(())
}
