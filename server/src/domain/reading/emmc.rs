//! `mmc extcsd read /dev/mmcblk0` (mmc-utils): the life-time registers of an eMMC drive.

use cartable_common::report::{Drive, DriveKind, EmmcHealth};

use super::Reading;

pub(super) fn extcsd(text: &str) -> Option<Reading> {
    let register = |name: &str| {
        let line = text.lines().find(|line| line.contains(name))?;
        let word = line.rsplit(':').next()?.trim().trim_start_matches("0x");
        // Zero means that the drive does not tell.
        u8::from_str_radix(word, 16).ok().filter(|value| *value > 0)
    };
    text.contains("EXT_CSD").then(|| {
        let health = EmmcHealth {
            life_time_a: register("DEVICE_LIFE_TIME_EST_TYP_A"),
            life_time_b: register("DEVICE_LIFE_TIME_EST_TYP_B"),
            pre_end_of_life: register("PRE_EOL_INFO"),
        };
        let drive = Drive {
            kind: Some(DriveKind::Emmc),
            emmc: (health != EmmcHealth::default()).then_some(health),
            ..Drive::default()
        };
        Reading::Drive { drive: Box::new(drive), at: None, words: None }
    })
}
