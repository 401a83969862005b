//! `show-roots`: the certificates that agents pin. Needs no key.

use super::{DataArguments, print};
use crate::pki::Authority;

pub(super) fn run(arguments: &DataArguments) -> anyhow::Result<()> {
    print(&Authority::roots(&arguments.data.join("pki"))?)
}
