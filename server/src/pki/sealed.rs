//! Encryption of private keys at rest: AES-256-GCM, the file's purpose as associated data, so that one sealed file
//! cannot stand in for another.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    error::Unspecified,
};
use data_encoding::BASE64;

/// First line of a sealed file; a later form gets another.
const HEADER: &str = "cartable-sealed-1";

/// `plain` encrypted under `key` for the purpose `name`, as three lines of text.
pub(crate) fn seal(key: &[u8; 32], name: &str, plain: &[u8]) -> Result<String, Unspecified> {
    let mut text = plain.to_vec();
    let nonce = RandomizedNonceKey::new(&AES_256_GCM, key)?.seal_in_place_append_tag(aad(name), &mut text)?;
    Ok(format!("{HEADER}\n{}\n{}\n", BASE64.encode(nonce.as_ref()), BASE64.encode(&text)))
}

/// What [`seal`] was given, if key, purpose and content are the same.
pub(crate) fn open(key: &[u8; 32], name: &str, sealed: &str) -> Option<Vec<u8>> {
    let mut lines = sealed.lines();
    if lines.next() != Some(HEADER) {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(&BASE64.decode(lines.next()?.as_bytes()).ok()?).ok()?;
    let mut text = BASE64.decode(lines.next()?.as_bytes()).ok()?;
    let plain = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?.open_in_place(nonce, aad(name), &mut text).ok()?;
    Some(plain.to_vec())
}

fn aad(name: &str) -> Aad<Vec<u8>> {
    Aad::from([HEADER.as_bytes(), b":", name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_purpose_open_it() {
        let sealed = seal(&[1; 32], "devices", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(open(&[1; 32], "devices", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(open(&[2; 32], "devices", &sealed), None);
        assert_eq!(open(&[1; 32], "gateway", &sealed), None);
        assert_eq!(open(&[1; 32], "devices", &sealed.replacen("==", "", 1)), None);
        assert_ne!(sealed, seal(&[1; 32], "devices", b"secret").unwrap(), "a nonce is never used twice");
    }
}
