//! A certificate request (PKCS#10) that names nothing: a P-256 public key and the proof that its owner asks.
//!
//! Everything in it is of fixed length but the signature, so it is written here byte by byte: a library for requests in
//! general would bring along RSA, calendars and names, none of which the agent ever uses.

/// SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING: what stands before the 65 bytes of an uncompressed point.
const PUBLIC_KEY: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// SEQUENCE { ecdsa-with-SHA256 }.
const SIGNED_WITH: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// INTEGER 0 (the first version), SEQUENCE {} (no name).
const VERSION_AND_SUBJECT: &[u8] = &[0x02, 0x01, 0x00, 0x30, 0x00];
/// [0] {}: nothing is asked for.
const ATTRIBUTES: &[u8] = &[0xa0, 0x00];

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// The SubjectPublicKeyInfo of the public key `point`, in DER.
pub(crate) fn subject_public_key_info(point: &[u8]) -> Vec<u8> {
    [PUBLIC_KEY, point].concat()
}

/// The part of the request that is signed, for the public key `point`.
pub(crate) fn to_be_signed(point: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[VERSION_AND_SUBJECT, PUBLIC_KEY, point, ATTRIBUTES])
}

/// The request in DER: what was signed, how, and the signature.
pub(crate) fn signed(to_be_signed: &[u8], signature: &[u8]) -> Vec<u8> {
    let signature = element(BIT_STRING, &[&[0], signature]);
    element(SEQUENCE, &[to_be_signed, SIGNED_WITH, &signature])
}

/// An ECDSA signature in DER, of its two halves.
pub(crate) fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&integer(r), &integer(s)])
}

/// A number that is never negative, without needless zeros before it.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros.min(number.len().saturating_sub(1))..];
    let sign: &[u8] = if number.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, number])
}

/// One DER element of at most 255 bytes: a request has about 190.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    debug_assert_eq!(usize::from(length), content.len(), "a request of one key is short");
    let head: &[u8] = if length < 0x80 { &[tag, length] } else { &[tag, 0x81, length] };
    [head, &content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_their_shortest_form() {
        assert_eq!(element(SEQUENCE, &[&[1], &[2, 3]]), [0x30, 3, 1, 2, 3]);
        assert_eq!(element(SEQUENCE, &[&[7; 127]])[..2], [0x30, 127]);
        assert_eq!(element(SEQUENCE, &[&[7; 128]])[..3], [0x30, 0x81, 128]);
    }

    #[test]
    fn halves_of_a_signature_are_positive_and_short() {
        assert_eq!(signature(&[0, 0, 0x80], &[0x7f, 1]), [0x30, 8, 2, 2, 0, 0x80, 2, 2, 0x7f, 1]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
    }
}
