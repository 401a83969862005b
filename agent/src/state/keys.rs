//! What the system's key store holds for this folder: a key goes there with the last file here that names it.
//!
//! The files come first: whatever a kill leaves, no file here names a key that was removed. What it can leave is a key that no
//! file names, which opens nothing.

use std::sync::Arc;

use super::{HEALING, Healing, Pending, StateDir, StateError};
use crate::{
    identity::{IdentityError, Key},
    key_store::StoreKey,
};

impl StateDir {
    /// Does `change`, then removes from the key store what no file here names any more.
    pub(super) fn letting_go(&self, change: &dyn Fn() -> Result<(), StateError>) -> Result<(), StateError> {
        let (changed, unnamed) = self.unnamed_after(change);
        for key in unnamed {
            if let Err(error) = key.remove() {
                tracing::warn!(%error, "a key that is used no more stays in the system's key store");
            }
        }
        changed
    }

    /// Does `change`; gives the keys in the key store that files here named before it, and name no more.
    fn unnamed_after(
        &self,
        change: &dyn Fn() -> Result<(), StateError>,
    ) -> (Result<(), StateError>, Vec<Arc<StoreKey>>) {
        let before = self.stored_keys();
        let changed = change();
        let unnamed: Option<Vec<_>> = before
            .zip(self.stored_keys())
            .map(|(before, after)| before.into_iter().filter(|key| !after.contains(key)).collect());
        (changed, unnamed.unwrap_or_default())
    }

    /// The keys in the key store that files here name. None where a file cannot be read: it may name any.
    fn stored_keys(&self) -> Option<Vec<Arc<StoreKey>>> {
        let pending = self.pending().ok()?;
        let keys = [
            self.enrolment().ok()?.map(|enrolment| enrolment.key()),
            self.read::<Healing>(HEALING).ok()?.map(|healing| healing.key()),
        ];
        let waiting = pending.iter().flat_map(Pending::keys);
        Some(keys.into_iter().flatten().chain(waiting).filter_map(stored).collect())
    }
}

fn stored(key: Result<Key, IdentityError>) -> Option<Arc<StoreKey>> {
    match key {
        Ok(Key::Platform(key)) => Some(key),
        Ok(Key::Software(_) | Key::Tpm(_)) | Err(_) => None,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CertificateGrant};
    use data_encoding::BASE64;
    use uuid::Uuid;

    use super::*;
    use crate::state::{ENROLMENT, Enrolment};

    /// A key in the key store, told from others by its number.
    fn key(number: u8) -> Key {
        let name = format!("cartable-agent-{number:032x}");
        let kept = BASE64.encode(&[[4_u8; 65].as_slice(), name.as_bytes()].concat());
        Key::Platform(Arc::new(StoreKey::from_kept(&kept).unwrap()))
    }

    fn pending(key: &Key) -> Pending {
        Pending::new("https://a.example".parse().unwrap(), "roots".into(), Uuid::nil(), key, "token".into())
    }

    fn enrolment(key: &Key) -> Enrolment {
        pending(key).granted(CertificateGrant {
            device_id: DeviceId(Uuid::nil()),
            enrolment_id: EnrolmentId(Uuid::nil()),
            certificate_chain_pem: String::new(),
            not_after: UtcMillis::default(),
            renew_from: UtcMillis::default(),
            next_check_in_seconds: 60,
        })
    }

    /// The numbers of the keys that `change` leaves without a file that names them.
    fn gone(state: &StateDir, change: &dyn Fn() -> Result<(), StateError>) -> Vec<Vec<u8>> {
        state.unnamed_after(change).1.iter().map(|key| key.kept()).collect()
    }

    fn kept(key: &Key) -> Vec<u8> {
        stored(Key::from_pem(&key.to_pem())).unwrap().kept()
    }

    #[test]
    fn a_key_goes_with_the_last_file_that_names_it() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        let (first, second, third, file) = (key(1), key(2), key(3), Key::generate().unwrap());
        let healing = Healing::new(EnrolmentId(Uuid::nil()), &third);
        assert!(gone(&state, &|| state.keep_pending(&pending(&first))).is_empty(), "nothing was there");
        assert!(gone(&state, &|| state.keep_enrolment(&enrolment(&first))).is_empty(), "granted: it moved");
        assert!(gone(&state, &|| state.keep_pending(&pending(&second))).is_empty(), "asked for beside it");
        assert!(gone(&state, &|| state.keep_healing(&healing)).is_empty());
        assert!(gone(&state, &|| state.keep_certificate(&enrolment(&first))).is_empty(), "renewed: the same key");
        assert_eq!(gone(&state, &|| state.keep_pending(&pending(&file))), [kept(&second)], "another one asks");
        assert_eq!(gone(&state, &|| state.forget_healing()), [kept(&third)]);
        assert_eq!(gone(&state, &|| state.keep_enrolment(&enrolment(&second))), [kept(&first)], "replaced");
        assert_eq!(gone(&state, &|| state.remove_everything()), [kept(&second)]);
        assert!(gone(&state, &|| state.remove_everything()).is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written_costs_no_key() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        state.keep_enrolment(&enrolment(&key(1))).unwrap();
        let full = || -> Result<(), StateError> { Err(StateError::InUse(base.path().into())) };
        assert!(gone(&state, &full).is_empty(), "what is on disk counts");
        let damaged = || -> Result<(), StateError> {
            std::fs::write(base.path().join("state").join(ENROLMENT), "{").unwrap();
            Ok(())
        };
        assert!(gone(&state, &damaged).is_empty(), "it may name any");
        assert!(gone(&state, &|| state.remove_everything()).is_empty());
    }
}
