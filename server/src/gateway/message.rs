//! A request's message: bounded before and after decompression, JSON of bounded depth, parsed into its type.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use cartable_common::limits::{MAX_BODY_BYTES, MAX_DECOMPRESSED_BYTES};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;

use super::{limits, refusal::Refusal};

/// What zstd answers when the output does not fit: `(size_t)-ZSTD_error_dstSize_tooSmall`.
const ZSTD_OUTPUT_TOO_SMALL: usize = 0_usize.wrapping_sub(70);

/// A parsed message.
#[derive(Clone, Debug)]
pub struct Message<T> {
    /// What it says.
    pub value: T,
    /// How many fields in it this version does not know.
    pub unknown_fields: u32,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Message<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let encoding = Encoding::of(request.headers())?;
        let body = read(request.into_body()).await?;
        match encoding {
            Encoding::Identity => parse(&body),
            Encoding::Zstd => parse(&decompress(&body)?),
        }
    }
}

enum Encoding {
    Identity,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
        let media = text(header::CONTENT_TYPE).unwrap_or_default();
        if media.split(';').next().is_none_or(|media| media.trim() != "application/json") {
            let detail = "Send application/json, plain or compressed with zstd.";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Not JSON", detail).closing());
        }
        // Said in two lines it means two layers, as with a comma.
        let layers = headers.get_all(header::CONTENT_ENCODING).iter().count();
        match (layers, text(header::CONTENT_ENCODING).as_deref()) {
            (0, _) | (1, Some("" | "identity")) => Ok(Self::Identity),
            (1, Some("zstd")) => Ok(Self::Zstd),
            _ => Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content-encoding",
                "Unknown compression",
                "Send the body plain or compressed with zstd, once.",
            )
            .closing()),
        }
    }
}

fn too_large() -> Refusal {
    let detail = format!("A body has at most {MAX_BODY_BYTES} bytes, before and after decompression.");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail).closing()
}

/// Reads a body of at most [`MAX_BODY_BYTES`] within [`limits::BODY_TIMEOUT`].
pub(super) async fn read(mut body: Body) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        drain(body).await;
        return Err(too_large());
    }
    let limited = Limited::new(&mut body, MAX_BODY_BYTES);
    match tokio::time::timeout(limits::BODY_TIMEOUT, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(too_large())
        }
        Ok(Err(error)) => {
            let detail = format!("The body broke off or was malformed: {error}");
            Err(Refusal::new(StatusCode::BAD_REQUEST, "body", "Unreadable body", detail).closing())
        }
        Err(_) => {
            let detail = "The body did not arrive in time.";
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "Too slow", detail).closing())
        }
    }
}

/// Reads and drops a little more, so that the sender stops sending, sees the answer, and is then cut off.
pub(super) async fn drain(mut body: Body) {
    let mut left = limits::DRAIN_BYTES;
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { break };
            left = rest;
        }
    };
    // A sender that takes longer loses the answer, nothing else.
    let _ = tokio::time::timeout(limits::DRAIN_TIMEOUT, reading).await;
}

/// Decompresses into one bounded buffer: zstd writes there directly and allocates no window, whatever window or
/// content size the frame claims.
fn decompress(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut plain = Vec::with_capacity(body.len().saturating_mul(16).clamp(64 * 1024, MAX_DECOMPRESSED_BYTES));
    match zstd::zstd_safe::decompress(&mut plain, body) {
        Ok(_) => return Ok(plain),
        Err(ZSTD_OUTPUT_TOO_SMALL) if plain.capacity() < MAX_DECOMPRESSED_BYTES => {}
        Err(code) => return Err(undecodable(code)),
    }
    let mut plain = Vec::with_capacity(MAX_DECOMPRESSED_BYTES);
    zstd::zstd_safe::decompress(&mut plain, body).map_err(undecodable)?;
    Ok(plain)
}

fn undecodable(code: usize) -> Refusal {
    if code == ZSTD_OUTPUT_TOO_SMALL {
        return too_large();
    }
    let detail = format!("The body is not what zstd writes: {}", zstd::zstd_safe::get_error_name(code));
    Refusal::new(StatusCode::BAD_REQUEST, "body", "Unreadable body", detail)
}

/// Parses `json`: bounded depth, no duplicate key of a known field, unknown fields counted.
fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<Message<T>, Refusal> {
    let bad = |detail: String| Refusal::new(StatusCode::BAD_REQUEST, "message", "Not a valid message", detail);
    if !is_depth_within(json, limits::MAX_JSON_DEPTH) {
        return Err(bad(format!("The JSON is nested deeper than {} levels.", limits::MAX_JSON_DEPTH)));
    }
    let mut unknown_fields = 0_u32;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = serde_ignored::deserialize(&mut deserializer, |_| unknown_fields = unknown_fields.saturating_add(1))
        .map_err(|error| bad(error.to_string()))?;
    deserializer.end().map_err(|error| bad(error.to_string()))?;
    Ok(Message { value, unknown_fields })
}

/// Whether arrays and objects nest at most `limit` deep. Parsers skip unknown fields without counting levels.
fn is_depth_within(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use cartable_common::protocol::{CheckInRequest, RenewRequest};
    use proptest::prelude::*;

    use super::*;

    fn status<T>(result: Result<T, Refusal>) -> u16 {
        result.map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert!(is_depth_within(br#"{"a":"[[[[{{{{\"[["}"#, 1));
        assert!(is_depth_within(b"[[]][[]]", 2));
        assert!(!is_depth_within(b"[[[]]]", 2));
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 19).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(b' '), 200 << 20), &mut encoder).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
        assert_eq!(status(decompress(&bomb)), 413);
        let nested = zstd::encode_all(&bomb[..], 3).unwrap();
        assert_eq!(decompress(&nested).unwrap(), bomb);
        assert_eq!(status(parse::<RenewRequest>(&decompress(&nested).unwrap())), 400);
    }

    #[test]
    fn a_whole_body_of_the_limit_fits_and_one_more_byte_does_not() {
        let exact = vec![b'x'; MAX_DECOMPRESSED_BYTES];
        assert_eq!(decompress(&zstd::encode_all(&exact[..], 3).unwrap()).unwrap(), exact);
        let more = vec![b'x'; MAX_DECOMPRESSED_BYTES + 1];
        assert_eq!(status(decompress(&zstd::encode_all(&more[..], 3).unwrap())), 413);
        let noise: Vec<u8> = (0_u32..300_000).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        assert_eq!(decompress(&zstd::encode_all(&noise[..], 1).unwrap()).unwrap(), noise);
        assert_eq!(status(decompress(b"not zstd")), 400);
    }

    #[test]
    fn unknown_fields_are_counted_and_duplicates_refused() {
        let message = parse::<RenewRequest>(br#"{"csr_pem":"x","role":"admin","deep":{"a":[1]}}"#).unwrap();
        assert_eq!(message.unknown_fields, 2);
        assert_eq!(status(parse::<RenewRequest>(br#"{"csr_pem":"x","csr_pem":"y"}"#)), 400);
        assert_eq!(status(parse::<RenewRequest>(br#"{"csr_pem":"x"} {}"#)), 400);
        let deep = format!(r#"{{"csr_pem":"x","a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(status(parse::<RenewRequest>(deep.as_bytes())), 400);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_parsers(bytes: Vec<u8>) {
            let _ = decompress(&bytes);
            let _ = parse::<CheckInRequest>(&bytes);
        }
    }
}
