//! Writes the three OpenPGP texts that apt asks for: a key, a signed text, a signature beside a text.
//!
//! Nothing here reads OpenPGP, which is where its dangers lie; what is written is one fixed form of RFC 9580: packets of
//! version 4, the algorithm 22 (Ed25519 as GnuPG and Sequoia have known it for years), SHA-512. gpgv and sqv, which apt
//! asks, verify it (`tests/tests/programs/updates.rs` has the real apt do so).

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA512, digest};
use cartable_common::UtcMillis;
use data_encoding::BASE64;

use super::update_signer::UpdateSigner;

const VERSION: u8 = 4;
const EDDSA: u8 = 22;
const SHA512_ID: u8 = 10;
/// Ed25519's object identifier, 1.3.6.1.4.1.11591.15.1.
const CURVE: [u8; 9] = [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x0F, 0x01];
/// Says that a point is written as its 32 bytes.
const NATIVE: u8 = 0x40;

const PUBLIC_KEY_PACKET: u8 = 6;
const USER_ID_PACKET: u8 = 13;
const SIGNATURE_PACKET: u8 = 2;

const CREATED: u8 = 2;
const ISSUER: u8 = 16;
const KEY_FLAGS: u8 = 27;
const FEATURES: u8 = 30;
const ISSUER_FINGERPRINT: u8 = 33;
/// The key certifies itself and signs.
const CERTIFIES_AND_SIGNS: u8 = 0x03;
/// Packets are protected against changes.
const MODIFICATION_DETECTION: u8 = 0x01;

/// Who the key says it is: not a person.
const USER_ID: &str = "Cartable updates";
/// Characters in a line of armour.
const ARMOUR_LINE: usize = 64;

/// What a signature is of.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Binary = 0x00,
    Text = 0x01,
    Certification = 0x13,
}

/// The public key, as `Signed-By` of apt takes it.
#[must_use]
pub fn certificate(signer: &UpdateSigner) -> String {
    let key = key_body(signer);
    let length = u32::try_from(USER_ID.len()).unwrap_or_default().to_be_bytes();
    let content = [&framed(&key)[..], &[0xB4], &length, USER_ID.as_bytes()].concat();
    let says = [subpacket(KEY_FLAGS, &[CERTIFIES_AND_SIGNS]), subpacket(FEATURES, &[MODIFICATION_DETECTION])].concat();
    let signature = signature(signer, Kind::Certification, &content, signer.created_at(), &says);
    let packets = [packet(PUBLIC_KEY_PACKET, &key), packet(USER_ID_PACKET, USER_ID.as_bytes()), signature].concat();
    armoured("PUBLIC KEY BLOCK", &packets)
}

/// `text` with the signatures of all signers in it, as `InRelease` is.
#[must_use]
pub fn cleartext(signers: &[UpdateSigner], text: &str, now: UtcMillis) -> String {
    let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
    // What is signed has network line ends, none after the last line, and no blanks before them.
    let canonical: Vec<&str> = lines.iter().map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect();
    let escaped =
        lines.iter().map(|line| if line.starts_with('-') { format!("- {line}\n") } else { format!("{line}\n") });
    let content = canonical.join("\r\n");
    let signatures = all(signers, Kind::Text, content.as_bytes(), now);
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}{}",
        escaped.collect::<String>(),
        armoured("SIGNATURE", &signatures)
    )
}

/// The signatures of all signers of `text`, to lie beside it, as `Release.gpg` does.
#[must_use]
pub fn detached(signers: &[UpdateSigner], text: &str, now: UtcMillis) -> String {
    armoured("SIGNATURE", &all(signers, Kind::Binary, text.as_bytes(), now))
}

fn all(signers: &[UpdateSigner], kind: Kind, content: &[u8], now: UtcMillis) -> Vec<u8> {
    signers.iter().flat_map(|signer| signature(signer, kind, content, now, &[])).collect()
}

fn seconds(moment: UtcMillis) -> [u8; 4] {
    // Of four bytes, which reach to 2106.
    u32::try_from(moment.get() / 1000).unwrap_or(u32::MAX).to_be_bytes()
}

fn key_body(signer: &UpdateSigner) -> Vec<u8> {
    let point = [&[NATIVE][..], &signer.public().0].concat();
    let oid_bytes = u8::try_from(CURVE.len()).unwrap_or_default();
    [&[VERSION][..], &seconds(signer.created_at()), &[EDDSA, oid_bytes], &CURVE, &integer(&point)].concat()
}

/// A key as it is hashed.
fn framed(key: &[u8]) -> Vec<u8> {
    [&[0x99][..], &two_bytes(key.len()), key].concat()
}

fn fingerprint(key: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, &framed(key)).as_ref().to_vec()
}

/// A signature packet; `says` are more subpackets.
fn signature(signer: &UpdateSigner, kind: Kind, content: &[u8], made_at: UtcMillis, says: &[u8]) -> Vec<u8> {
    let fingerprint = fingerprint(&key_body(signer));
    let issuer = [&[VERSION][..], &fingerprint].concat();
    let hashed = [&subpacket(CREATED, &seconds(made_at))[..], says, &subpacket(ISSUER_FINGERPRINT, &issuer)].concat();
    let head = [&[VERSION, kind as u8, EDDSA, SHA512_ID][..], &two_bytes(hashed.len()), &hashed].concat();
    let mut hash = Context::new(&SHA512);
    hash.update(content);
    hash.update(&head);
    hash.update(&[VERSION, 0xFF]);
    hash.update(&u32::try_from(head.len()).unwrap_or_default().to_be_bytes());
    let hash = hash.finish();
    let (r, s) = {
        let made = signer.sign(hash.as_ref());
        let (r, s) = made.split_at(32);
        (integer(r), integer(s))
    };
    let unhashed = subpacket(ISSUER, &fingerprint[fingerprint.len() - 8..]);
    let body = [&head[..], &two_bytes(unhashed.len()), &unhashed, &hash.as_ref()[..2], &r, &s].concat();
    packet(SIGNATURE_PACKET, &body)
}

fn two_bytes(length: usize) -> [u8; 2] {
    // Nothing here is longer than some hundred bytes.
    u16::try_from(length).unwrap_or_default().to_be_bytes()
}

fn subpacket(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[u8::try_from(content.len() + 1).unwrap_or_default(), kind][..], content].concat()
}

/// A packet with the header of the newer form; ours are shorter than 8,384 bytes.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = match body.len() {
        short @ 0..192 => vec![u8::try_from(short).unwrap_or_default()],
        long => {
            let [high, low] = two_bytes(long - 192);
            vec![high + 192, low]
        }
    };
    [&[0xC0 | tag][..], &length, body].concat()
}

/// A number of any length: how many bits, then its bytes from the first that is not zero.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    let unused = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    [&two_bytes(bytes.len() * 8 - unused)[..], bytes].concat()
}

fn armoured(what: &str, packets: &[u8]) -> String {
    let encoded = BASE64.encode(packets);
    let mut armoured = format!("-----BEGIN PGP {what}-----\n\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(ARMOUR_LINE));
        armoured.push_str(line);
        armoured.push('\n');
        rest = more;
    }
    armoured + &format!("={}\n-----END PGP {what}-----\n", BASE64.encode(&checksum(packets)))
}

/// CRC-24 of RFC 9580, section 6.1.1: newer readers ignore it, older ones ask for it.
fn checksum(packets: &[u8]) -> [u8; 3] {
    let mut word: u32 = 0xB7_04CE;
    for byte in packets {
        word ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            word <<= 1;
            if word & 0x0100_0000 != 0 {
                word ^= 0x0186_4CFB;
            }
        }
    }
    let [_, high, middle, low] = word.to_be_bytes();
    [high, middle, low]
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn at(seconds: i64) -> UtcMillis {
        UtcMillis::new(seconds * 1000).unwrap()
    }

    fn sha256(text: &str) -> String {
        HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..])
    }

    /// What GnuPG 2.2's gpgv found good, written by another program from the same key and moments.
    #[test]
    fn key_and_signatures_are_those_that_gpgv_verified() {
        let signer = UpdateSigner::of([7; 32], at(1_796_000_000)).unwrap();
        assert_eq!(
            HEXLOWER.encode(&signer.public().0),
            "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
        );
        let fingerprint = fingerprint(&key_body(&signer));
        assert_eq!(HEXLOWER.encode(&fingerprint), "f775b1b72d3587d4aade366fc2acec954b6bcfd6");
        let key = certificate(&signer);
        assert_eq!(sha256(&key), "a207e117f2b6e0f446f44720faf1e5b64cc1a14a82fa4d68a08e2f82c7a81759", "{key}");
        let text = "Origin: Cartable\nSuite: stable\n- dashed  \n\nEnd: x\n";
        let signers = [signer];
        let inside = cleartext(&signers, text, at(1_796_040_000));
        assert_eq!(sha256(&inside), "1fddc61bdc879314c9292f78fa6ebc2a08596d73e00ded4c951b752fff8f5615", "{inside}");
        let beside = detached(&signers, text, at(1_796_040_000));
        assert_eq!(sha256(&beside), "18f29503e595cb9c5428fc2ae42678ffc46e4f12900940fdcad50b70a4ec84c8", "{beside}");
    }

    #[test]
    fn numbers_begin_with_their_first_bit() {
        assert_eq!(integer(&[0, 0, 1]), [0, 1, 1]);
        assert_eq!(integer(&[0xFF, 0]), [0, 16, 0xFF, 0]);
        assert_eq!(integer(&[0, 0]), [0, 0]);
    }
}
