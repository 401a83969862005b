//! One agent at a time: the lock of the state folder.

use std::{
    fs::{self, File},
    time::Duration,
};

use super::{LOCK, StateDir, StateError};
use crate::atomic;

/// Held by the one process that uses a state folder; released when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl StateDir {
    /// Takes the lock and clears what a crash left.
    pub fn lock(&self) -> Result<Lock, StateError> {
        let path = self.0.join(LOCK);
        let failed = |source| StateError::Io { path: path.clone(), source };
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        let mut taken = file.try_lock();
        if matches!(taken, Err(fs::TryLockError::WouldBlock)) {
            // `status` looks at the lock for an instant; an agent keeps it.
            std::thread::sleep(Duration::from_millis(50));
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StateError::InUse(self.0.clone())),
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        atomic::remove_leftovers(&self.0).map_err(failed)?;
        Ok(Lock { _file: file })
    }

    /// Whether an agent is at work here now.
    pub fn is_in_use(&self) -> bool {
        let Ok(file) = File::open(self.0.join(LOCK)) else { return false };
        matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_at_a_time() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        assert!(!state.is_in_use(), "before the first start");
        let lock = state.lock().unwrap();
        assert!(state.is_in_use());
        assert!(matches!(state.lock(), Err(StateError::InUse(_))));
        drop(lock);
        assert!(!state.is_in_use());
        state.lock().unwrap();
    }
}
