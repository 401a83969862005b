//! Sessions: the cookie, who it stands for at each request, and how long.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use cartable_common::UtcMillis;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    CsrfToken,
    secret::{self, Secret},
};
use crate::{
    app::App,
    clock,
    domain::person::Person,
    random::NoRandomness,
    store::{
        StoreError, Tx,
        session::{self, NewSession},
    },
};

/// A session ends after an hour without a request (NIST SP 800-63B-4, 2.2.3, AAL2: at most an hour): long enough to
/// refit a laptop at the bench between two clicks.
pub const IDLE_MILLIS: i64 = 60 * 60 * 1000;
/// A session ends ten hours after signing in, whatever happens: one working day (ASVS 7.3.2).
pub const LONGEST_MILLIS: i64 = 10 * 60 * 60 * 1000;
/// The last use is written down at most this often, so that reading pages hardly writes.
const TOUCH_MILLIS: i64 = 60 * 1000;

/// The cookie's name over HTTPS: browsers accept it only `Secure`, from this very host, for all its paths.
const SECURE_NAME: &str = "__Host-cartable";
/// The cookie's name on plain loopback HTTP.
const PLAIN_NAME: &str = "cartable";

/// Where people sign in.
pub const SIGN_IN_PATH: &str = "/sign-in";

/// A cookie to send with a response: [`SessionCookie::header`] as `Set-Cookie`.
#[derive(Clone, Debug)]
pub struct SessionCookie(HeaderValue);

impl SessionCookie {
    fn new(token: &str, max_age_seconds: i64, secure: bool) -> Self {
        let name = cookie_name(secure);
        let secure = if secure { "; Secure" } else { "" };
        // Lax, not Strict: a link to a device in a colleague's message must open signed in. What changes anything is
        // a POST, which Lax does not carry across sites and the CSRF token guards besides.
        let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}{secure}");
        // Name, token and numbers are ASCII without control characters, so this never falls back.
        let mut value = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        Self(value)
    }

    /// The value of `Set-Cookie`.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// A cookie that makes the browser forget the session.
    pub fn cleared(app: &App) -> Self {
        Self::new("", 0, app.secure_cookies)
    }
}

impl axum::response::IntoResponseParts for SessionCookie {
    type Error = std::convert::Infallible;
    fn into_response_parts(
        self,
        mut parts: axum::response::ResponseParts,
    ) -> Result<axum::response::ResponseParts, Self::Error> {
        parts.headers_mut().append(header::SET_COOKIE, self.0);
        Ok(parts)
    }
}

const fn cookie_name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { PLAIN_NAME }
}

/// Opens a session for `person`.
pub(super) async fn open(
    tx: &mut Tx,
    person: &Person,
    secure: bool,
    now: UtcMillis,
) -> Result<SessionCookie, super::SignInRefused> {
    let token = Secret::random("").map_err(super::SignInRefused::from)?;
    let csrf: Result<Secret, NoRandomness> = Secret::random("");
    let csrf = csrf.map_err(super::SignInRefused::from)?;
    session::delete_ended(tx, now.plus_millis(-IDLE_MILLIS), now).await?;
    let new = NewSession {
        token_hash: token.hash(),
        person: person.id,
        csrf_token: csrf.expose(),
        expires_at: now.plus_millis(LONGEST_MILLIS),
    };
    session::insert(tx, &new, now).await?;
    Ok(SessionCookie::new(token.expose(), LONGEST_MILLIS / 1000, secure))
}

/// Ends the session that `headers` carry, if any, and gives the cookie that makes the browser forget it.
pub async fn sign_out(app: &App, headers: &HeaderMap) -> Result<SessionCookie, StoreError> {
    if let Some(token) = cookie(headers, app.secure_cookies) {
        let mut tx = app.store.write().await?;
        session::delete(&mut tx, &secret::hash(token)).await?;
        tx.commit().await?;
    }
    Ok(SessionCookie::cleared(app))
}

/// The person who sent this request. Every page but the sign-in page asks for it.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who, with role and sites as of now.
    pub person: Person,
    /// What every form of the page carries.
    pub csrf: CsrfToken,
    /// The moment of this request: read once, handed down.
    pub now: UtcMillis,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let now = clock::now();
        let found = match cookie(&parts.headers, app.secure_cookies) {
            Some(token) => find(app, token, now).await?,
            None => None,
        };
        let Some(signed_in) = found else { return Err(NotSignedIn::ask(parts)) };
        parts.extensions.insert(signed_in.clone());
        Ok(signed_in)
    }
}

async fn find(app: &App, token: &str, now: UtcMillis) -> Result<Option<SignedIn>, StoreError> {
    let hash = secret::hash(token);
    let mut tx = app.store.read().await?;
    let found = session::find(&mut tx, &hash).await?;
    drop(tx);
    let Some(session) = found else { return Ok(None) };
    let idle = now.millis_since(session.last_seen_at);
    if now >= session.expires_at || idle >= IDLE_MILLIS {
        return Ok(None);
    }
    if idle >= TOUCH_MILLIS {
        let mut tx = app.store.write().await?;
        session::touch(&mut tx, &hash, now).await?;
        tx.commit().await?;
    }
    Ok(Some(SignedIn { person: session.person, csrf: CsrfToken::new(session.csrf_token), now }))
}

/// The value of the session cookie, if there is exactly one: a second one is an attempt to slip one in.
fn cookie(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let name = cookie_name(secure);
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Why a page is not shown: nobody is signed in, or the store does not answer.
#[derive(Debug)]
pub enum NotSignedIn {
    /// To the sign-in page, and back to `next` afterwards.
    SignInFirst {
        /// The page that was asked for, if going back to it makes sense.
        next: Option<String>,
    },
    /// The store failed.
    Store(StoreError),
}

impl NotSignedIn {
    fn ask(parts: &Parts) -> Self {
        let wanted = parts.uri.path_and_query().map(axum::http::uri::PathAndQuery::as_str).filter(|path| *path != "/");
        let next = wanted.filter(|_| parts.method == Method::GET).map(str::to_owned);
        Self::SignInFirst { next }
    }
}

impl From<StoreError> for NotSignedIn {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        match self {
            Self::SignInFirst { next: None } => Redirect::to(SIGN_IN_PATH).into_response(),
            Self::SignInFirst { next: Some(next) } => {
                let next = utf8_percent_encode(&next, NON_ALPHANUMERIC);
                Redirect::to(&format!("{SIGN_IN_PATH}?next={next}")).into_response()
            }
            Self::Store(error) => {
                tracing::error!(%error, "the store failed while a session was looked up");
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
            }
        }
    }
}

/// Where to go after signing in: `next` if it is a path of ours, else the overview. Anything that a browser could
/// read as another host (`//host`, `/\host`, a control character) is dropped.
pub fn safe_next(next: Option<&str>) -> &str {
    let is_ours = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && !path.starts_with(SIGN_IN_PATH)
            && path.chars().all(|c| c.is_ascii_graphic())
    };
    next.filter(is_ours).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_lands_elsewhere() {
        assert_eq!(safe_next(Some("/devices?q=a%20b")), "/devices?q=a%20b");
        for bad in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nb", "/\t/x", "javascript:x"]
        {
            assert_eq!(safe_next(Some(bad)), "/", "{bad}");
        }
        assert_eq!(safe_next(None), "/");
    }

    #[test]
    fn two_session_cookies_are_none() {
        let headers = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            headers
        };
        assert_eq!(cookie(&headers(&["a=b; cartable=x"]), false), Some("x"));
        assert_eq!(cookie(&headers(&["cartable=x; cartable=y"]), false), None);
        assert_eq!(cookie(&headers(&["cartable=x", "cartable=y"]), false), None);
        assert_eq!(cookie(&headers(&["cartable=x"]), true), None, "plain cookies don't count over HTTPS");
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_hosts() {
        let cookie = SessionCookie::new("t", 60, true);
        assert_eq!(cookie.header(), "__Host-cartable=t; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure");
        assert!(cookie.header().is_sensitive(), "kept out of logs");
    }
}
