//! The device that a scan means, also where the scanner and the computer believe in different keyboards.

use super::scanned;
use crate::{
    domain::scope::Scope,
    store::{
        StoreError, Tx,
        device::DeviceRow,
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

/// The one device that a cleaned code means, and how it was read; or the key of what is wrong with the code: `unknown`
/// where it means nothing.
pub(super) async fn one(
    tx: &mut Tx,
    scope: &Scope,
    code: &str,
    unknown: &'static str,
) -> Result<Result<(DeviceRow, Keyboard), &'static str>, StoreError> {
    Ok(match find(tx, scope, code).await? {
        (Found::One(device), keyboard) => Ok((*device, keyboard)),
        (Found::Several, _) => Err("desk-several"),
        (Found::Nothing, Keyboard::Wrong) => Err("scan-wrong-keyboard"),
        (Found::Nothing, Keyboard::Right) => Err(unknown),
    })
}

/// The key of what a desk says of a code that means nothing: to whoever sees some sites only, it may be of another.
pub(super) const fn unknown(scope: &Scope) -> &'static str {
    match scope {
        Scope::Everything => "desk-unknown",
        Scope::Sites(_) => "desk-unknown-or-foreign",
    }
}
