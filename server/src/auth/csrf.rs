//! Forms that only our own pages may send: each carries the session's CSRF token, and the browser's own word about
//! where the request came from must not contradict it.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts as _, Multipart, Request, multipart::MultipartError},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::{SignedIn, secret, session::NotSignedIn};
use crate::app::App;

/// The name of the field that carries the token.
pub const CSRF_FIELD: &str = "csrf";
/// Largest form in bytes: a reason and a few choices.
const MAX_FORM_BYTES: usize = 64 * 1024;
/// Largest field beside a file, unless a form says otherwise.
const MAX_FIELD_BYTES: usize = 1_024;
/// Most fields beside a file.
const MAX_FIELDS: usize = 16;

/// A session's CSRF token, for a hidden field of each form.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    pub(super) const fn new(token: String) -> Self {
        Self(token)
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CsrfToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A form of a signed-in person that one of our pages sent.
#[derive(Clone, Debug)]
pub struct CsrfForm<T> {
    /// Who sent it.
    pub signed_in: SignedIn,
    /// What it holds.
    pub form: T,
}

/// Why a form is not accepted.
#[derive(Debug)]
pub enum FormRefused {
    /// Nobody is signed in.
    NotSignedIn(NotSignedIn),
    /// It came from elsewhere, or its token is missing, old or another session's.
    Foreign,
    /// It is larger than it may be.
    TooLarge(TooLarge),
    /// It cannot be read.
    Unreadable(Response),
}

/// A form, or the file in it, that is larger than it may be.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TooLarge {
    /// Most bytes of what is too large.
    pub most: usize,
    /// The fields that stood before it in a form that was ours.
    pub fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TooLarge").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Why a form was not accepted, left with the answer for whoever makes a page of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormFault {
    /// As [`FormRefused::Foreign`].
    Foreign,
    /// As [`FormRefused::TooLarge`].
    TooLarge {
        /// Most bytes of what is too large.
        most: usize,
    },
}

impl IntoResponse for FormRefused {
    fn into_response(self) -> Response {
        let (mut response, fault) = match self {
            Self::NotSignedIn(refusal) => return refusal.into_response(),
            Self::Unreadable(response) => return response,
            Self::TooLarge(TooLarge { most, .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE.into_response(), FormFault::TooLarge { most })
            }
            Self::Foreign => {
                let text = "This form is not from your present session. Go back, reload the page and send it again.\n\
                            Ce formulaire ne vient pas de votre session actuelle. Revenez en arrière, rechargez la page \
                            et renvoyez-le.";
                ((StatusCode::FORBIDDEN, text).into_response(), FormFault::Foreign)
            }
        };
        response.extensions_mut().insert(fault);
        response
    }
}

impl<T: DeserializeOwned> FromRequest<App> for CsrfForm<T> {
    type Rejection = FormRefused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let signed_in = SignedIn::from_request_parts(&mut parts, app).await.map_err(FormRefused::NotSignedIn)?;
        if !is_same_origin(&parts.headers) {
            return Err(FormRefused::Foreign);
        }
        let too_large = |_| FormRefused::TooLarge(TooLarge { most: MAX_FORM_BYTES, ..TooLarge::default() });
        let bytes = axum::body::to_bytes(body, MAX_FORM_BYTES).await.map_err(too_large)?;
        if !field(&bytes, CSRF_FIELD).is_some_and(|sent| secret::equal(&sent, signed_in.csrf.as_str())) {
            return Err(FormRefused::Foreign);
        }
        let request = Request::from_parts(parts, axum::body::Body::from(bytes));
        let unreadable = |rejection: axum::extract::rejection::FormRejection| {
            FormRefused::Unreadable((StatusCode::BAD_REQUEST, rejection.body_text()).into_response())
        };
        let Form(form) = Form::from_request(request, app).await.map_err(unreadable)?;
        Ok(Self { signed_in, form })
    }
}

/// A file that one of our pages sent, with the other fields of its form.
#[derive(Clone, Default)]
pub struct Upload {
    /// The fields that are no file, by name.
    pub fields: BTreeMap<String, String>,
    /// What the file was called there.
    pub file_name: String,
    /// The file.
    pub file: Vec<u8>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("bytes", &self.file.len()).finish_non_exhaustive()
    }
}

/// How much a form with a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// Bytes of the file.
    pub file: usize,
    /// Bytes of each other field.
    pub field: usize,
}

impl UploadLimits {
    /// For a file of at most this many bytes, with short fields beside it.
    pub const fn of_file(file: usize) -> Self {
        Self { file, field: MAX_FIELD_BYTES }
    }
}

/// Reads a form with a file (`multipart/form-data`) of a person already signed in. The token's field stands first: of a
/// foreign form nothing more is read.
pub async fn upload(signed_in: &SignedIn, request: Request, limits: UploadLimits) -> Result<Upload, FormRefused> {
    if !is_same_origin(request.headers()) {
        return Err(FormRefused::Foreign);
    }
    let refused = |status: StatusCode| FormRefused::Unreadable(status.into_response());
    let too_large =
        |most: usize, upload: &Upload| FormRefused::TooLarge(TooLarge { most, fields: upload.fields.clone() });
    // What stands before the file is small: a form that is too large as a whole has too large a file.
    let unreadable = |error: MultipartError, upload: &Upload| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(limits.file, upload),
        status => refused(status),
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| refused(StatusCode::BAD_REQUEST))?;
    let mut upload = Upload::default();
    let mut proven = false;
    while let Some(mut part) = form.next_field().await.map_err(|error| unreadable(error, &upload))? {
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let most = if is_file { limits.file } else { limits.field };
        let called = part.file_name().unwrap_or_default().to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(|error| unreadable(error, &upload))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > most {
                return Err(too_large(most, &upload));
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
        if !proven {
            if name != CSRF_FIELD
                || is_file
                || !text(bytes).is_some_and(|sent| secret::equal(&sent, signed_in.csrf.as_str()))
            {
                return Err(FormRefused::Foreign);
            }
            proven = true;
        } else if is_file {
            (upload.file_name, upload.file) = (called, bytes);
        } else if upload.fields.len() < MAX_FIELDS {
            let value = text(bytes).ok_or_else(|| refused(StatusCode::BAD_REQUEST))?;
            upload.fields.insert(name, value);
        }
    }
    if proven { Ok(upload) } else { Err(FormRefused::Foreign) }
}

/// Whether the browser does not say that the request comes from another site. Every present browser sends
/// `Sec-Fetch-Site` over HTTPS and to loopback, and `Origin` with each POST; a client that sends neither has no
/// cookies of a victim.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let fetch_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = text(header::HOST.as_str());
    let origin = text(header::ORIGIN.as_str()).is_none_or(|origin| {
        let origin_host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        // HTTP/2 has no Host header; there, `Sec-Fetch-Site` and the token decide.
        origin_host.is_some() && (host.is_none() || origin_host == host)
    });
    fetch_site && origin
}

/// The first value of a field in a URL-encoded form.
fn field(body: &[u8], name: &str) -> Option<String> {
    let decode = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_encoding::percent_decode(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    body.split(|byte| *byte == b'&').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        (decode(&pair[..at])? == name).then(|| decode(&pair[at + 1..])).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_same_origin(&headers)
    }

    #[test]
    fn a_request_from_another_site_is_recognised() {
        assert!(same(&[("host", "cartable.example"), ("origin", "https://cartable.example")]));
        assert!(same(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]));
        assert!(same(&[("sec-fetch-site", "same-origin")]));
        for foreign in [
            [("host", "cartable.example"), ("origin", "https://evil.example")],
            [("host", "cartable.example"), ("origin", "null")],
            [("host", "cartable.example"), ("origin", "https://cartable.example.evil.example")],
            [("host", "cartable.example"), ("sec-fetch-site", "cross-site")],
            [("host", "cartable.example"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!same(&foreign), "{foreign:?}");
        }
    }

    #[test]
    fn the_token_is_found_wherever_it_stands() {
        assert_eq!(field(b"a=b&csrf=x%2Dy+z&c", "csrf").as_deref(), Some("x-y z"));
        assert_eq!(field(b"a=b", "csrf"), None);
        assert_eq!(field(b"", "csrf"), None);
    }
}
