//! The key store of this operating system. Windows has one that the agent can use.

/// This computer's key store.
pub(super) struct System;

#[cfg(windows)]
mod windows {
    use std::io;

    use cartable_windows::KeyStore;
    use ring::digest::{SHA256, digest};

    use super::System;
    use crate::key_store::{Code, Step, Store, StoreError};

    impl Store for System {
        fn make(&self, name: &str) -> Result<Vec<u8>, StoreError> {
            let store = open()?;
            let key = store.begin(name).map_err(at(Step::Begin))?;
            key.finish().map_err(at(Step::Finish))?;
            key.public().map_err(at(Step::Public))
        }

        fn sign(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
            let store = open()?;
            let key = store.find(name).map_err(at(Step::Find))?;
            key.sign(digest(&SHA256, message).as_ref()).map_err(at(Step::Sign))
        }

        fn remove(&self, name: &str) -> Result<(), StoreError> {
            let store = open()?;
            let key = store.find(name).map_err(at(Step::Find))?;
            key.remove().map_err(at(Step::Remove))
        }
    }

    fn open() -> Result<KeyStore, StoreError> {
        KeyStore::open().map_err(at(Step::Open))
    }

    /// What Windows' error says, met at `step`.
    fn at(step: Step) -> impl Fn(io::Error) -> StoreError {
        move |error| {
            let code = error.raw_os_error().unwrap_or_default().cast_unsigned();
            StoreError::Refused { step, code: Code(code) }
        }
    }
}

#[cfg(not(windows))]
mod elsewhere {
    use super::System;
    use crate::key_store::{Store, StoreError};

    impl Store for System {
        fn make(&self, _: &str) -> Result<Vec<u8>, StoreError> {
            Err(StoreError::Absent)
        }

        fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, StoreError> {
            Err(StoreError::Absent)
        }

        fn remove(&self, _: &str) -> Result<(), StoreError> {
            Err(StoreError::Absent)
        }
    }
}
