//! The file about one borrower, opened for whoever asks for it.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    store::dossier::Dossier,
    vault::{Vault, VaultError},
};

/// The whole of `borrower`'s dossier as JSON. The caller writes down the reading in the same unit of work.
pub fn open(vault: &Vault, borrower: Uuid, dossier: Dossier) -> Result<Value, VaultError> {
    let identity = dossier.sealed.as_ref().map(|sealed| vault.open_identity(borrower, sealed)).transpose()?;
    let drawn = |(loan, sealed): &(Uuid, String)| {
        let strokes = vault.open("signature", *loan, sealed)?;
        Ok((*loan, String::from_utf8_lossy(&strokes).into_owned()))
    };
    let signatures: Vec<(Uuid, String)> = dossier.signatures.iter().map(drawn).collect::<Result<_, VaultError>>()?;
    Ok(dossier.with(identity.as_ref(), &signatures))
}
