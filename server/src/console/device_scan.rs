//! The device that a scan means, also where the scanner and the computer believe in different keyboards.

use super::scanned;
use crate::{
    domain::scope::Scope,
    store::{
        StoreError, Tx,
        device_code::{self, Found},
    },
};

/// Whether scanner and computer agree about the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyboard {
    /// As far as the code tells.
    Right,
    /// The code was typed on an English keyboard and read on a French one.
    Wrong,
}

/// What a code means that [`scanned::clean`] has cleaned. One that means nothing is tried once more as the scanner will
/// have meant it.
pub(super) async fn find(tx: &mut Tx, scope: &Scope, code: &str) -> Result<(Found, Keyboard), StoreError> {
    let found = device_code::find(tx, scope, code).await?;
    if found != Found::Nothing {
        return Ok((found, Keyboard::Right));
    }
    match scanned::retyped(code) {
        Some(meant) => Ok((device_code::find(tx, scope, &meant).await?, Keyboard::Wrong)),
        None => Ok((found, Keyboard::Right)),
    }
}
