//! The five TPM 2.0 commands that a key of ours needs, byte by byte, and the answers to them.
//!
//! Numbers of sections are those of the TCG's "Trusted Platform Module Library", version 1.59: part 1 (architecture), part 2
//! (structures), part 3 (commands). Everything is big-endian and, but for three values, constant. What answers is a chip
//! of another maker: nothing in an answer is believed before its length.

/// TPM_ST_NO_SESSIONS and TPM_ST_SESSIONS (part 2, 6.9).
const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;

/// Bytes of the header of commands and answers alike: tag, length, command or response code.
pub(super) const HEADER_BYTES: usize = 10;

/// TPM_RH_OWNER (part 2, 7.4): whose storage hierarchy the key lives in.
const OWNER: u32 = 0x4000_0001;

/// An authorization area with one session, the password session with an empty password: its
/// length, TPM_RS_PW, no nonce, no attributes, no password.
const EMPTY_PASSWORD: &[u8] = &[0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0];

/// TPM2B_SENSITIVE_CREATE (part 2, 11.1.16) with an empty password and no data.
const NOTHING_SENSITIVE: &[u8] = &[0, 4, 0, 0, 0, 0];

/// No outside information (TPM2B_DATA) and no selection of PCRs (TPML_PCR_SELECTION).
const NO_INFORMATION_NO_PCRS: &[u8] = &[0, 0, 0, 0, 0, 0];

/// TPMT_PUBLIC (part 2, 12.2.4) of the storage primary: the ECC P-256 template "H-2" of the TCG's EK Credential Profile
/// (which has no unique value) with the attributes of a storage root key (TCG TPM v2.0 Provisioning Guidance, 7.5.1):
/// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, decrypt. A TPM derives the same key from it
/// as long as nobody clears it, so it need not be kept.
const PRIMARY: &[u8] = &[
    0, 0x23, // TPM_ALG_ECC
    0, 0x0b, // named by TPM_ALG_SHA256
    0, 0x03, 0x04, 0x72, // attributes
    0, 0, // no policy
    0, 0x06, 0, 0x80, 0, 0x43, // AES, 128 bits, CFB: protects the children
    0, 0x10, // no scheme of its own
    0, 0x03, // TPM_ECC_NIST_P256
    0, 0x10, // no key derivation
    0, 0, 0, 0, // no unique value
];

/// TPMT_PUBLIC of the device's key, up to its point: fixedTPM and fixedParent (it cannot be duplicated), sensitiveDataOrigin
/// (made by the TPM), userWithAuth, noDA (a lockout for other people's passwords does not concern it), sign.
const KEY: &[u8] = &[
    0, 0x23, // TPM_ALG_ECC
    0, 0x0b, // named by TPM_ALG_SHA256
    0, 0x04, 0x04, 0x72, // attributes
    0, 0, // no policy
    0, 0x10, // no symmetric algorithm: it has no children
    0, 0x18, 0, 0x0b, // TPM_ALG_ECDSA with SHA-256, nothing else
    0, 0x03, // TPM_ECC_NIST_P256
    0, 0x10, // no key derivation
];

/// Where a point is to come: two empty coordinates.
const NO_POINT: &[u8] = &[0, 0, 0, 0];

/// TPMT_SIG_SCHEME: TPM_ALG_NULL, the key's own; and TPMT_TK_HASHCHECK with nothing to check, which a key
/// that is not restricted does not need.
const OWN_SCHEME_NO_TICKET: &[u8] = &[0, 0x10, 0x80, 0x24, 0x40, 0, 0, 0x07, 0, 0];

/// TPM_ALG_ECDSA, TPM_ALG_SHA256: how a signature begins.
const ECDSA_SHA256: &[u8] = &[0, 0x18, 0, 0x0b];

/// Bytes of a coordinate, and of each half of a signature.
pub(super) const COORDINATE_BYTES: usize = 32;

/// A command, by its code (part 2, 6.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// TPM2_CreatePrimary (part 3, 24.1).
    CreatePrimary = 0x131,
    /// TPM2_Create (part 3, 12.1).
    Create = 0x153,
    /// TPM2_Load (part 3, 12.2).
    Load = 0x157,
    /// TPM2_Sign (part 3, 20.2).
    Sign = 0x15d,
    /// TPM2_FlushContext (part 3, 28.4).
    FlushContext = 0x165,
}

/// Derives the storage primary.
pub(super) fn create_primary() -> Vec<u8> {
    let parameters = [NOTHING_SENSITIVE, &sized(PRIMARY), NO_INFORMATION_NO_PCRS].concat();
    authorized(Command::CreatePrimary, OWNER, &parameters)
}

/// Makes a key under the loaded `parent`.
pub(super) fn create(parent: u32) -> Vec<u8> {
    let public = sized(&[KEY, NO_POINT].concat());
    authorized(Command::Create, parent, &[NOTHING_SENSITIVE, &public, NO_INFORMATION_NO_PCRS].concat())
}

/// Loads a key, both parts as [`read_created`] gave them, under the loaded `parent`.
pub(super) fn load(parent: u32, private: &[u8], public: &[u8]) -> Vec<u8> {
    authorized(Command::Load, parent, &[sized(private), sized(public)].concat())
}

/// Signs `digest` with the loaded `key`.
pub(super) fn sign(key: u32, digest: &[u8]) -> Vec<u8> {
    authorized(Command::Sign, key, &[&sized(digest)[..], OWN_SCHEME_NO_TICKET].concat())
}

/// Forgets what is loaded as `handle`.
pub(super) fn flush(handle: u32) -> Vec<u8> {
    framed(NO_SESSIONS, Command::FlushContext, &handle.to_be_bytes())
}

fn authorized(command: Command, handle: u32, parameters: &[u8]) -> Vec<u8> {
    framed(SESSIONS, command, &[&handle.to_be_bytes()[..], EMPTY_PASSWORD, parameters].concat())
}

fn framed(tag: u16, command: Command, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
    [&tag.to_be_bytes()[..], &length.to_be_bytes(), &(command as u32).to_be_bytes(), body].concat()
}

/// A TPM2B: the length in two bytes, then the content. What we say is short.
pub(super) fn sized(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], content].concat()
}

/// The length that the header of an answer tells, and its response code.
pub(super) fn read_header(header: [u8; HEADER_BYTES]) -> (usize, u32) {
    let number = |at: usize| header[at..].first_chunk().map_or(0, |four| u32::from_be_bytes(*four));
    (usize::try_from(number(2)).unwrap_or(usize::MAX), number(6))
}

/// The handle of what was loaded: the first of what follows the header.
pub(super) fn read_handle(body: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*body.first_chunk()?))
}

/// The private and the public part of a key that was made, without their lengths.
pub(super) fn read_created(body: &[u8]) -> Option<(&[u8], &[u8])> {
    // The length of the parameters comes first.
    let (private, rest) = split_sized(body.get(4..)?)?;
    let (public, _) = split_sized(rest)?;
    Some((private, public))
}

/// The coordinates of the point in the public part of a key of ours; none in that of any other kind of key.
pub(super) fn read_point(public: &[u8]) -> Option<[[u8; COORDINATE_BYTES]; 2]> {
    let (x, rest) = split_sized(public.strip_prefix(KEY)?)?;
    let (y, rest) = split_sized(rest)?;
    rest.is_empty().then_some([padded(x)?, padded(y)?])
}

/// The two halves of a signature.
pub(super) fn read_signature(body: &[u8]) -> Option<[[u8; COORDINATE_BYTES]; 2]> {
    let (r, rest) = split_sized(body.get(4..)?.strip_prefix(ECDSA_SHA256)?)?;
    let (s, _) = split_sized(rest)?;
    Some([padded(r)?, padded(s)?])
}

/// A TPM2B's content, and what follows it.
pub(super) fn split_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Some TPMs leave leading zeros out.
fn padded(number: &[u8]) -> Option<[u8; COORDINATE_BYTES]> {
    let mut whole = [0; COORDINATE_BYTES];
    let missing = COORDINATE_BYTES.checked_sub(number.len())?;
    whole.get_mut(missing..)?.copy_from_slice(number);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_tell_their_own_length_and_code() {
        for (command, code) in [
            (create_primary(), 0x131),
            (create(0x8000_0000), 0x153),
            (load(0x8000_0000, &[1; 126], &[2; 88]), 0x157),
            (sign(0x8000_0001, &[3; 32]), 0x15d),
            (flush(0x8000_0001), 0x165),
        ] {
            let header: [u8; HEADER_BYTES] = *command.first_chunk().unwrap();
            assert_eq!(read_header(header), (command.len(), code));
        }
    }

    #[test]
    fn a_point_is_read_from_a_key_of_ours_alone() {
        // As swtpm gave it, and as a TPM that leaves a leading zero out would.
        let public = |x: &[u8]| [KEY, &sized(x), &sized(&[7; 32])].concat();
        assert_eq!(read_point(&public(&[9; 32])).unwrap(), [[9; 32], [7; 32]]);
        assert_eq!(read_point(&public(&[9; 31])).unwrap()[0][..2], [0, 9]);
        assert_eq!(read_point(&public(&[9; 33])), None);
        let mut other = public(&[9; 32]);
        other[7] |= 0x80;
        assert_eq!(read_point(&other), None, "other attributes");
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_fall(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read_handle(&body), read_created(&body), read_point(&body), read_signature(&body));
            if let Some((content, rest)) = split_sized(&body) {
                prop_assert_eq!(content.len() + rest.len() + 2, body.len());
            }
        }
    }
}
