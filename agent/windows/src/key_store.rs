//! Keys in Windows' own key store, of the provider that keeps them in the TPM ("Microsoft Platform Crypto Provider").

#![expect(unsafe_code, reason = "the key store has no safe interface in Rust")]

use std::{io, mem, ptr};

use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_ECCPUBLIC_BLOB, BCRYPT_ECDSA_P256_ALGORITHM, MS_PLATFORM_CRYPTO_PROVIDER, NCRYPT_HANDLE,
    NCRYPT_MACHINE_KEY_FLAG, NCRYPT_SILENT_FLAG, NCryptCreatePersistedKey, NCryptDeleteKey, NCryptExportKey,
    NCryptFinalizeKey, NCryptFreeObject, NCryptOpenKey, NCryptOpenStorageProvider, NCryptSignHash,
};

use crate::wide::to_wide;

/// Bytes of a public key as Windows gives it: its head of two numbers (`BCRYPT_ECCKEY_BLOB`) and two coordinates.
const PUBLIC_BYTES: usize = 8 + 2 * 32;
/// Bytes of a signature: its two halves.
const SIGNATURE_BYTES: usize = 2 * 32;

/// The key store, open. An error is Windows' own number (`NTE_…`).
pub struct KeyStore(Handle);

impl KeyStore {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        let mut handle: NCRYPT_HANDLE = 0;
        // SAFETY: a place for one handle, which `Handle` gives back; the provider's name ends with a zero.
        done(unsafe { NCryptOpenStorageProvider(&raw mut handle, MS_PLATFORM_CRYPTO_PROVIDER, 0) })?;
        Ok(Self(Handle(handle)))
    }

    /// Begins a P-256 key for signatures that belongs to this computer, not to a user. It stays once it is finished.
    pub fn begin(&self, name: &str) -> io::Result<StoredKey> {
        let name = to_wide(name)?;
        let mut handle: NCRYPT_HANDLE = 0;
        // SAFETY: the key store is open; a place for one handle, which `Handle` gives back; both names end with a zero.
        done(unsafe {
            NCryptCreatePersistedKey(
                self.0.0,
                &raw mut handle,
                BCRYPT_ECDSA_P256_ALGORITHM,
                name.as_ptr(),
                0,
                NCRYPT_MACHINE_KEY_FLAG,
            )
        })?;
        Ok(StoredKey(Handle(handle)))
    }

    /// Finds the computer's key of that name.
    pub fn find(&self, name: &str) -> io::Result<StoredKey> {
        const FLAGS: u32 = NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG;
        let name = to_wide(name)?;
        let mut handle: NCRYPT_HANDLE = 0;
        // SAFETY: the key store is open; a place for one handle, which `Handle` gives back; the name ends with a zero.
        done(unsafe { NCryptOpenKey(self.0.0, &raw mut handle, name.as_ptr(), 0, FLAGS) })?;
        Ok(StoredKey(Handle(handle)))
    }
}

/// A key in the key store. Dropped, it is closed; it stays there.
pub struct StoredKey(Handle);

impl StoredKey {
    /// Makes the key that was begun, for good.
    pub fn finish(&self) -> io::Result<()> {
        // SAFETY: the key is open.
        done(unsafe { NCryptFinalizeKey(self.0.0, NCRYPT_SILENT_FLAG) })
    }

    /// Its public half, as an `ECCPUBLICBLOB`.
    pub fn public(&self) -> io::Result<Vec<u8>> {
        let mut blob = vec![0_u8; PUBLIC_BYTES];
        let mut length = 0;
        // SAFETY: the key is open; the place for the answer has the length that is said, and the one for its length takes a
        // number. No key that encrypts it, no parameters.
        done(unsafe {
            NCryptExportKey(
                self.0.0,
                0,
                BCRYPT_ECCPUBLIC_BLOB,
                ptr::null(),
                blob.as_mut_ptr(),
                bytes(PUBLIC_BYTES),
                &raw mut length,
                NCRYPT_SILENT_FLAG,
            )
        })?;
        blob.truncate(usize::try_from(length).unwrap_or_default());
        Ok(blob)
    }

    /// Its signature of a hash: two numbers, one after the other.
    pub fn sign(&self, hash: &[u8]) -> io::Result<Vec<u8>> {
        let mut signature = vec![0_u8; SIGNATURE_BYTES];
        let mut length = 0;
        // SAFETY: the key is open; hash and signature have the lengths that are said. ECDSA knows no padding.
        done(unsafe {
            NCryptSignHash(
                self.0.0,
                ptr::null(),
                hash.as_ptr(),
                bytes(hash.len()),
                signature.as_mut_ptr(),
                bytes(SIGNATURE_BYTES),
                &raw mut length,
                NCRYPT_SILENT_FLAG,
            )
        })?;
        signature.truncate(usize::try_from(length).unwrap_or_default());
        Ok(signature)
    }

    /// Removes it from the key store.
    pub fn remove(self) -> io::Result<()> {
        // SAFETY: the key is open, and its handle is used no more where this succeeds.
        done(unsafe { NCryptDeleteKey(self.0.0, NCRYPT_SILENT_FLAG) })?;
        // Windows took the handle back with the key.
        mem::forget(self);
        Ok(())
    }
}

/// What Windows gave, of either kind; given back when dropped.
struct Handle(NCRYPT_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: opened by one of the functions above and closed once.
        unsafe { NCryptFreeObject(self.0) };
    }
}

fn bytes(length: usize) -> u32 {
    u32::try_from(length).unwrap_or_default()
}

fn done(code: i32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}
