//! A message of another system's agent: bounded before and after decompression. How it is packed says its content type, as
//! these agents mean it.

use std::io::Read;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use flate2::read::{GzDecoder, ZlibDecoder};

use crate::gateway::{message, refusal::Refusal};

/// Largest message in bytes, unpacked. A whole inventory of a machine, programs and all, has 100 KB to 2 MB.
const MOST_BYTES: usize = 4 << 20;

/// How a message is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    /// RFC 1950.
    Zlib,
    /// RFC 1952.
    Gzip,
}

/// Reads a message and unpacks it.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    let packing = packing(headers)?;
    let packed = message::read(body).await?;
    match packing {
        Packing::Plain => Ok(packed.to_vec()),
        Packing::Zlib => unpacked(ZlibDecoder::new(&packed[..])),
        Packing::Gzip => unpacked(GzDecoder::new(&packed[..])),
    }
}

fn packing(headers: &HeaderMap) -> Result<Packing, Refusal> {
    let refused = |detail: &'static str| {
        Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Unknown packing", detail))
    };
    if headers.contains_key(header::CONTENT_ENCODING) {
        return refused("Send the message without a content encoding: its content type says how it is packed.");
    }
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" | "application/xml" | "text/xml" => Ok(Packing::Plain),
        "application/x-compress-zlib" => Ok(Packing::Zlib),
        "application/x-compress-gzip" | "application/x-gzip" | "application/gzip" => Ok(Packing::Gzip),
        _ => refused(
            "Send application/json, application/xml, application/x-compress-zlib or application/x-compress-gzip.",
        ),
    }
}

fn unpacked(packed: impl Read) -> Result<Vec<u8>, Refusal> {
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let mut plain = Vec::new();
    packed.take(most.saturating_add(1)).read_to_end(&mut plain).map_err(|_| {
        let detail = "The message is not packed as its content type says.";
        Refusal::new(StatusCode::BAD_REQUEST, "body", "Unreadable message", detail)
    })?;
    if plain.len() > MOST_BYTES {
        let detail = format!("An inventory has at most {} MiB, unpacked.", MOST_BYTES >> 20);
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::http::HeaderValue;
    use flate2::{
        Compression,
        write::{GzEncoder, ZlibEncoder},
    };
    use proptest::prelude::*;

    use super::*;

    fn typed(media: &'static str) -> HeaderMap {
        [(header::CONTENT_TYPE, HeaderValue::from_static(media))].into_iter().collect()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    async fn status(media: &'static str, body: Vec<u8>) -> Result<Vec<u8>, u16> {
        read(&typed(media), Body::from(body)).await.map_err(|refusal| refusal.status().as_u16())
    }

    #[tokio::test]
    async fn the_content_type_says_how_a_message_is_packed() {
        let plain = b"<REQUEST/>".to_vec();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        for (media, body) in [
            ("application/xml", plain.clone()),
            ("Application/JSON; charset=utf-8", plain.clone()),
            ("application/x-compress-zlib", zlib(&plain)),
            ("application/x-compress-gzip", gzip.clone()),
        ] {
            assert_eq!(status(media, body).await, Ok(plain.clone()), "{media}");
        }
        assert_eq!(status("application/x-compress-zlib", gzip).await, Err(400));
        assert_eq!(status("text/plain", plain.clone()).await, Err(415));
        assert_eq!(read(&HeaderMap::new(), Body::from(plain.clone())).await.unwrap_err().status().as_u16(), 415);
        let mut twice = typed("application/xml");
        twice.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(read(&twice, Body::from(plain)).await.unwrap_err().status().as_u16(), 415);
    }

    #[tokio::test]
    async fn a_bomb_is_cut_at_the_limit() {
        let whole = zlib(&vec![b' '; MOST_BYTES]);
        assert_eq!(status("application/x-compress-zlib", whole).await.unwrap().len(), MOST_BYTES);
        let bomb = zlib(&vec![b' '; MOST_BYTES + 1]);
        assert!(bomb.len() < 8 * 1024, "{}", bomb.len());
        assert_eq!(status("application/x-compress-zlib", bomb).await, Err(413));
        assert_eq!(status("application/xml", vec![b' '; (1 << 20) + 1]).await, Err(413));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            let _ = unpacked(ZlibDecoder::new(bytes.as_slice()));
            let _ = unpacked(GzDecoder::new(bytes.as_slice()));
        }
    }
}
