//! Firmware, Secure Boot and TPM.

use cartable_common::{
    Text,
    report::{Firmware, Subject, Switch, UnreadReason},
};

use super::Source;

const DMI: &str = "sys/class/dmi/id";

/// The variable of the UEFI specification; its GUID is the specification's own.
const SECURE_BOOT: &str = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

pub(super) fn read(source: &Source) -> Firmware {
    let dmi = |name: &str| source.word(&format!("{DMI}/{name}")).as_deref().and_then(Text::meaningful);
    let firmware = Firmware {
        vendor: dmi("bios_vendor"),
        version: dmi("bios_version"),
        date: dmi("bios_date"),
        secure_boot: secure_boot(source),
        tpm_version: tpm_version(source),
        // The key is not the machine's: whoever holds it says where it is.
        key_protection: None,
    };
    if firmware.version.is_none() {
        source.missing(Subject::Firmware, UnreadReason::NotPresent, "version");
    }
    firmware
}

/// Four bytes of attributes, then one byte: 1 is on.
fn secure_boot(source: &Source) -> Option<Switch> {
    if !source.exists("sys/firmware/efi") {
        source.missing(Subject::SecureBoot, UnreadReason::NotPresent, "not started by UEFI");
        return None;
    }
    let Ok(content) = source.bytes(SECURE_BOOT) else {
        source.missing(Subject::SecureBoot, UnreadReason::NotPresent, "the firmware does not say");
        return None;
    };
    match content.get(4) {
        Some(1) => Some(Switch::On),
        Some(0) => Some(Switch::Off),
        _ => {
            source.missing(Subject::SecureBoot, UnreadReason::Malformed, "");
            None
        }
    }
}

/// The kernel names the major version since 5.6; before, only version 1.2 had a text file of capabilities.
fn tpm_version(source: &Source) -> Option<u8> {
    let version = source.number("sys/class/tpm/tpm0/tpm_version_major");
    let version = version.or_else(|| {
        let caps = source.bytes("sys/class/tpm/tpm0/device/caps").ok()?;
        String::from_utf8_lossy(&caps).contains("TCG version: 1.").then_some(1)
    });
    if version.is_none() {
        source.missing(Subject::Tpm, UnreadReason::NotPresent, "");
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secure_boot_is_on_off_or_not_known() {
        let root = tempfile::tempdir().unwrap();
        let source = Source::new(root.path());
        assert_eq!(secure_boot(&source), None);
        let file = root.path().join(SECURE_BOOT);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        for (last, expected) in [(1, Some(Switch::On)), (0, Some(Switch::Off)), (9, None)] {
            std::fs::write(&file, [6, 0, 0, 0, last]).unwrap();
            assert_eq!(secure_boot(&source), expected);
        }
        let reasons: Vec<_> = source.into_unread().into_iter().filter_map(|entry| entry.reason).collect();
        assert_eq!(reasons, [UnreadReason::NotPresent, UnreadReason::Malformed]);
    }
}
