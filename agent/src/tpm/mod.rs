//! A key that lives in the machine's TPM 2.0: what is kept on disk is of use to that TPM alone.
//!
//! The key is P-256, made by the TPM, and cannot leave it. Its private part, encrypted by the TPM's own storage key, is kept
//! in the state folder, loaded for each signature and forgotten after it: nothing stays in the TPM, no persistent handle is
//! taken, and clearing the state folder is all there is to remove. Why the commands are written here: ARCHITECTURE.md,
//! Decisions.
//!
//! What the TPM says is taken at its word in one case only: that a key is not its own ([`TpmError::is_lost`]). Everything
//! else (no TPM, no right to open it, an owner's password, a lockout) may pass, and the key is kept.

mod channel;
mod wire;

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};

pub use self::wire::Command;
use self::{channel::Channel, wire::COORDINATE_BYTES};
use crate::{
    csr,
    identity::IdentityError,
    signing::{self, Held},
};

/// The kernel's resource manager of the first TPM.
pub const DEVICE: &str = "/dev/tpmrm0";

/// Bytes of an uncompressed point: 4, and two coordinates.
const POINT_BYTES: usize = 1 + 2 * COORDINATE_BYTES;

/// What a new key signs to show that its TPM can be relied on.
const TRIAL: &[u8] = b"cartable-tpm-trial-1\n";

/// TPM_RC_INTEGRITY (part 2, 6.6.3) of a first parameter: what is to be loaded was not encrypted by this TPM, or not with
/// the seed that it has now, or it is damaged. Neither heals.
const NOT_ITS_OWN: u32 = 0x1df;

/// TPM_RC_BAD_AUTH and TPM_RC_AUTH_FAIL of a first session, TPM_RC_LOCKOUT.
const BAD_AUTH: u32 = 0x9a2;
const AUTH_FAIL: u32 = 0x98e;
const LOCKOUT: u32 = 0x921;

/// The TPM to ask: the one that is `named`, else this machine's own, which a recorded machine (`root`) has not.
///
/// An agent that is root asks only a TPM that belongs to root: its service (packaging/systemd) is root without root's power
/// over what is others', and could not use the key that this command made.
pub fn place(named: Option<PathBuf>, root: &Path) -> Option<PathBuf> {
    named.or_else(|| (root == Path::new("/") && is_for_the_service(Path::new(DEVICE))).then(|| DEVICE.into()))
}

#[cfg(target_os = "linux")]
fn is_for_the_service(device: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(found) = std::fs::metadata(device) else { return false };
    !rustix::process::geteuid().is_root() || found.uid() == 0
}

#[cfg(not(target_os = "linux"))]
fn is_for_the_service(_: &Path) -> bool {
    false
}

/// A TPM that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// There is none, or it may not be opened.
    #[error(
        "the TPM at {place} cannot be opened ({source}); is it switched on in the firmware, and may this user open it?"
    )]
    Absent {
        /// Where it should be.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It went away in the middle.
    #[error("the TPM did not answer {command:?} ({source})")]
    Broken {
        /// What it was asked.
        command: Command,
        /// Why.
        source: io::Error,
    },
    /// It refused.
    #[error("the TPM refuses {command:?} ({code})")]
    Refused {
        /// What it was asked.
        command: Command,
        /// Why.
        code: Code,
    },
    /// It answered something else than the specification says.
    #[error("the TPM's answer to {0:?} makes no sense, or its signature does not hold")]
    Malformed(Command),
    /// The text is no key that a TPM keeps.
    #[error("this is no key that a TPM keeps")]
    NoKey,
}

/// A TPM's response code: TPM_RC (part 2, 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hint = match self.0 {
            NOT_ITS_OWN => ": the key is another TPM's, or this one was cleared",
            BAD_AUTH | AUTH_FAIL => ": its owner hierarchy has a password, which the agent does not know",
            LOCKOUT => ": it is locked out after wrong passwords, and lets nobody in for a while",
            _ => "",
        };
        write!(f, "0x{:03x}{hint}", self.0)
    }
}

impl TpmError {
    /// Whether the TPM says definitely that the key is not its own: it was cleared, or it is another one. Nothing that may
    /// pass counts.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Refused { command: Command::Load, code: Code(NOT_ITS_OWN) })
    }
}

/// A key in a TPM.
#[derive(Clone, PartialEq, Eq)]
pub struct TpmKey {
    place: PathBuf,
    private: Vec<u8>,
    public: Vec<u8>,
    point: [u8; POINT_BYTES],
}

impl TpmKey {
    /// Makes a key in the TPM at `place`, and has it sign once: a TPM that signs wrongly is none.
    pub fn create(place: &Path) -> Result<Self, TpmError> {
        let key = Self::made(place, Channel::open(place)?)?;
        let signature = key.sign(TRIAL)?;
        if signing::holds(&key.point, TRIAL, &signature) { Ok(key) } else { Err(TpmError::Malformed(Command::Sign)) }
    }

    /// The key that whatever answers over `stream` makes, read as a TPM's is. It has not shown that it signs.
    pub fn over(stream: impl Read + Write + 'static) -> Result<Self, TpmError> {
        Self::made(Path::new(""), Channel::over(stream))
    }

    fn made(place: &Path, mut channel: Channel) -> Result<Self, TpmError> {
        let parent = channel.load(Command::CreatePrimary, &wire::create_primary())?;
        let body = channel.say(Command::Create, &wire::create(parent))?;
        let (private, public) = wire::read_created(&body).ok_or(TpmError::Malformed(Command::Create))?;
        Self::of(place, private, public).ok_or(TpmError::Malformed(Command::Create))
    }

    fn of(place: &Path, private: &[u8], public: &[u8]) -> Option<Self> {
        let [x, y] = wire::read_point(public)?;
        let mut point = [4; POINT_BYTES];
        point[1..=COORDINATE_BYTES].copy_from_slice(&x);
        point[1 + COORDINATE_BYTES..].copy_from_slice(&y);
        Some(Self { place: place.to_owned(), private: private.to_vec(), public: public.to_vec(), point })
    }

    /// ECDSA with SHA-256 of `message`, in DER.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        self.signed(Channel::open(&self.place)?, message)
    }

    /// The signature of `message` that whatever answers over `stream` makes, read as a TPM's is.
    pub fn sign_over(&self, stream: impl Read + Write + 'static, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        self.signed(Channel::over(stream), message)
    }

    fn signed(&self, mut channel: Channel, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        let parent = channel.load(Command::CreatePrimary, &wire::create_primary())?;
        let key = channel.load(Command::Load, &wire::load(parent, &self.private, &self.public))?;
        let body = channel.say(Command::Sign, &wire::sign(key, digest(&SHA256, message).as_ref()))?;
        let [r, s] = wire::read_signature(&body).ok_or(TpmError::Malformed(Command::Sign))?;
        Ok(csr::signature(&r, &s))
    }

    /// The public key: an uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// Where its TPM answers.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// What is kept of it: where its TPM answers, and both parts as the TPM gave them.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let place = self.place.to_string_lossy();
        [wire::sized(place.as_bytes()), wire::sized(&self.private), wire::sized(&self.public)].concat()
    }

    /// Reads what [`TpmKey::kept`] gave, in base64.
    pub(crate) fn from_kept(base64: &str) -> Result<Self, TpmError> {
        let bytes = BASE64.decode(base64.as_bytes()).map_err(|_| TpmError::NoKey)?;
        let read = || {
            let (place, rest) = wire::split_sized(&bytes)?;
            let (private, rest) = wire::split_sized(rest)?;
            let (public, rest) = wire::split_sized(rest)?;
            let place = Path::new(std::str::from_utf8(place).ok()?);
            rest.is_empty().then(|| Self::of(place, private, public))?
        };
        read().ok_or(TpmError::NoKey)
    }
}

impl Held for TpmKey {
    fn point(&self) -> &[u8] {
        &self.point
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        Ok(Self::sign(self, message)?)
    }
}

impl std::fmt::Debug for TpmKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TpmKey({})", self.place.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tpms_definite_word_gives_a_key_up() {
        let refused = |command, code| TpmError::Refused { command, code: Code(code) };
        assert!(refused(Command::Load, NOT_ITS_OWN).is_lost());
        // A lockout, an owner's password, a hierarchy that is off, no room, a failed self-test; and the same code elsewhere.
        for code in [0x921, 0x9a2, 0x98e, 0x185, 0x902, 0x101] {
            assert!(!refused(Command::CreatePrimary, code).is_lost(), "{code:x}");
            assert!(!refused(Command::Load, code).is_lost(), "{code:x}");
        }
        assert!(!refused(Command::CreatePrimary, NOT_ITS_OWN).is_lost());
        let gone = TpmKey::create(Path::new("/nowhere/tpm")).unwrap_err();
        assert!(matches!(gone, TpmError::Absent { .. }) && !gone.is_lost());
        assert!(refused(Command::CreatePrimary, 0x9a2).to_string().contains("password"));
    }

    #[test]
    fn a_recorded_machine_has_no_tpm_but_a_named_one() {
        assert_eq!(place(None, Path::new("/records/a")), None);
        assert_eq!(place(Some("/run/swtpm".into()), Path::new("/records/a")), Some("/run/swtpm".into()));
    }

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else_is() {
        // As swtpm made it.
        let public = "ACMACwAEBHIAAAAQABgACwADABAAINPE8KwBWp2khg2PFRN0Eht5AY0qrTf2ubUaNDOQ2YWfACCXQd9OJHycalQmMv0AuzhsV5v3S+x7BswJf4GWLdA+ow==";
        let public = BASE64.decode(public.as_bytes()).unwrap();
        assert_eq!(public.len(), 88);
        let key = TpmKey::of(Path::new(DEVICE), &[5; 126], &public).unwrap();
        let kept = BASE64.encode(&key.kept());
        assert_eq!(TpmKey::from_kept(&kept).unwrap(), key);
        assert_eq!(key.point()[0], 4);
        for bad in ["", "AAAA", &kept[..kept.len() - 4], &format!("{kept}AAAA")] {
            assert!(matches!(TpmKey::from_kept(bad), Err(TpmError::NoKey)), "{bad}");
        }
    }
}
