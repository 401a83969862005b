//! A recorded laptop for the agent's `--root`: a machine whose battery can be made to age between two check-ins, so that
//! a report follows on a connection that is resumed.

use std::{fs, path::Path};

use serde_json::json;

/// SMART attributes of its drive: about as many as SSDs tell of.
const ATTRIBUTES: u8 = 20;

/// Writes the laptop below `root`, its battery `cycles` old.
pub fn write(root: &Path, cycles: u32) -> anyhow::Result<()> {
    let files = [
        ("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n".to_owned()),
        ("proc/meminfo", "MemTotal:        8041064 kB\n".to_owned()),
        (
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Intel(R) Celeron(R) N4120 CPU @ 1.10GHz\ncpu cores\t: 4\n".to_owned(),
        ),
        ("proc/uptime", "7210.5 20000.0\n".to_owned()),
        ("proc/sys/kernel/osrelease", "6.1.0-41-amd64\n".to_owned()),
        ("sys/class/dmi/id/sys_vendor", "Acer\n".to_owned()),
        ("sys/class/dmi/id/product_name", "TravelMate B118-M\n".to_owned()),
        ("sys/class/dmi/id/product_serial", "NXVHSEF0017420\n".to_owned()),
        ("sys/class/dmi/id/chassis_type", "10\n".to_owned()),
        ("sys/class/power_supply/ADP1/type", "Mains\n".to_owned()),
        ("sys/class/power_supply/ADP1/online", "1\n".to_owned()),
        ("sys/class/power_supply/BAT0/uevent", battery(cycles)),
        ("sys/block/sda/size", "468862128\n".to_owned()),
        ("sys/block/sda/removable", "0\n".to_owned()),
        ("sys/block/sda/queue/rotational", "0\n".to_owned()),
        ("sys/block/sda/device/model", "Example SSD 240GB\n".to_owned()),
        ("cartable-recorded/smartctl/sda.json", drive().to_string()),
    ];
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, content)?;
    }
    Ok(())
}

fn battery(cycles: u32) -> String {
    format!(
        "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_PRESENT=1\nPOWER_SUPPLY_TECHNOLOGY=Li-ion\n\
         POWER_SUPPLY_CYCLE_COUNT={cycles}\nPOWER_SUPPLY_ENERGY_FULL_DESIGN=48944000\nPOWER_SUPPLY_ENERGY_FULL=31250000\n\
         POWER_SUPPLY_CAPACITY=80\nPOWER_SUPPLY_MODEL_NAME=AP16M5J\nPOWER_SUPPLY_MANUFACTURER=PANASONIC\n"
    )
}

fn drive() -> serde_json::Value {
    let attribute = |id: u8| {
        json!({
            "id": id, "name": format!("Vendor_Attribute_{id}"), "value": 100, "worst": 100, "thresh": 10,
            "when_failed": "", "raw": {"value": u32::from(id) * 12_345},
        })
    };
    json!({
        "smartctl": {"exit_status": 0}, "device": {"protocol": "ATA"}, "model_name": "Example SSD 240GB",
        "serial_number": "EX0123456789", "firmware_version": "1.0", "rotation_rate": 0,
        "user_capacity": {"bytes": 240_057_409_536_u64}, "smart_status": {"passed": true},
        "power_on_time": {"hours": 1234}, "power_cycle_count": 567, "temperature": {"current": 31},
        "ata_smart_attributes": {"table": (1..=ATTRIBUTES).map(attribute).collect::<Vec<_>>()},
    })
}
