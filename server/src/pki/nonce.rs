//! Nonces of recoveries: good for one key, for two minutes, from any server of the installation.
//!
//! A nonce carries its moment, its name and an HMAC over both and the key that asked. So nothing is kept when one is
//! given: whoever asks without a certificate makes no server write. Only after a registered key has signed one is its
//! name recorded, and a second use refused (`store::recovery::use_nonce`). The HMAC's key is derived from the master key,
//! which every server of an installation has.

use aws_lc_rs::hmac;
use cartable_common::UtcMillis;
use data_encoding::BASE64URL_NOPAD;

use super::MasterKey;
use crate::domain::recovery::{NONCE_AHEAD_MILLIS, NONCE_MILLIS};

const MOMENT_BYTES: usize = 8;
const NAME_BYTES: usize = 16;
const SIGNED_BYTES: usize = MOMENT_BYTES + NAME_BYTES;
const BYTES: usize = SIGNED_BYTES + 32;

/// A nonce that this installation gave to the key that brings it, and that is not too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// Its name: no other nonce has it.
    pub name: [u8; NAME_BYTES],
    /// When it is over.
    pub ends_at: UtcMillis,
}

/// Gives and checks nonces.
#[derive(Debug)]
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    pub(super) fn new(master: &MasterKey) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &master.derive("recovery nonces 1")) }
    }

    /// A nonce for the key whose hash is `key`, named by `random`.
    pub fn give(&self, key: &[u8; 32], random: [u8; NAME_BYTES], now: UtcMillis) -> String {
        let signed = [&now.get().to_be_bytes()[..], &random].concat();
        let tag = hmac::sign(&self.key, &[&signed[..], key].concat());
        BASE64URL_NOPAD.encode(&[&signed[..], tag.as_ref()].concat())
    }

    /// The nonce in `text`, if this installation gave it to that key, and it is good at `now`.
    pub fn check(&self, text: &str, key: &[u8; 32], now: UtcMillis) -> Option<Nonce> {
        if text.len() != BASE64URL_NOPAD.encode_len(BYTES) {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED_BYTES)?;
        hmac::verify(&self.key, &[signed, key].concat(), tag).ok()?;
        let (moment, name) = signed.split_at_checked(MOMENT_BYTES)?;
        let given_at = UtcMillis::new(i64::from_be_bytes(moment.try_into().ok()?))?;
        let is_good = (-NONCE_AHEAD_MILLIS..NONCE_MILLIS).contains(&now.millis_since(given_at));
        is_good.then_some(Nonce { name: name.try_into().ok()?, ends_at: given_at.plus_millis(NONCE_MILLIS) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(byte: u8) -> Nonces {
        Nonces::new(&MasterKey([byte; 32]))
    }

    #[test]
    fn a_nonce_is_good_for_one_key_and_two_minutes_on_every_server() {
        let now = UtcMillis::new(1_796_000_000_000).unwrap();
        let text = nonces(1).give(&[7; 32], [9; 16], now);
        let nonce = nonces(1).check(&text, &[7; 32], now).unwrap();
        assert_eq!(nonce, Nonce { name: [9; 16], ends_at: now.plus_millis(120_000) });
        assert!(nonces(1).check(&text, &[7; 32], now.plus_millis(119_999)).is_some());
        assert!(nonces(1).check(&text, &[7; 32], now.plus_millis(120_000)).is_none(), "too old");
        assert!(nonces(1).check(&text, &[7; 32], now.plus_millis(-30_000)).is_some(), "another server's clock");
        assert!(nonces(1).check(&text, &[7; 32], now.plus_millis(-60_001)).is_none(), "from the future");
        assert!(nonces(1).check(&text, &[8; 32], now).is_none(), "another key's");
        assert!(nonces(2).check(&text, &[7; 32], now).is_none(), "another installation's");
    }

    #[test]
    fn nothing_else_is_a_nonce() {
        let now = UtcMillis::new(1_796_000_000_000).unwrap();
        let good = nonces(1).give(&[7; 32], [9; 16], now);
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).unwrap();
            assert!(nonces(1).check(&text, &[7; 32], now).is_none(), "{at}");
        }
        for text in ["", "AAAA", "no base64!", &good[1..], &format!("{good}A")] {
            assert!(nonces(1).check(text, &[7; 32], now).is_none(), "{text}");
        }
    }
}
