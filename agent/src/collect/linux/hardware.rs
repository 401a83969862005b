//! Which machine: SMBIOS as the kernel shows it, the device tree on machines without it.

use cartable_common::{
    SerialNumber, SystemUuid, Text,
    report::{Chassis, Hardware, Subject, UnreadReason},
};

use super::{super::smbios, Source};

const DMI: &str = "sys/class/dmi/id";

pub(super) fn read(source: &Source) -> Hardware {
    if !source.exists(DMI) {
        return from_device_tree(source);
    }
    let dmi = |name: &str| source.word(&format!("{DMI}/{name}"));
    let manufacturer = dmi("sys_vendor").as_deref().and_then(Text::meaningful);
    let product = dmi("product_name").as_deref().and_then(Text::meaningful);
    let model = smbios::model(manufacturer.as_ref(), product, dmi("product_version").as_deref());
    // These two may only be read by root.
    let secret = |name: &str| source.optional(&format!("{DMI}/{name}"), Subject::Hardware);
    let serial = secret("product_serial").as_deref().and_then(SerialNumber::parse);
    let serial = serial.or_else(|| dmi("chassis_serial").as_deref().and_then(SerialNumber::parse));
    let uuid = secret("product_uuid").as_deref().and_then(SystemUuid::parse);
    if serial.is_none() {
        source.missing(Subject::Hardware, UnreadReason::NotPresent, "serial number");
    }
    let chassis = if is_virtual(source) {
        Some(Chassis::Virtual)
    } else {
        source.number(&format!("{DMI}/chassis_type")).and_then(smbios::chassis)
    };
    Hardware { manufacturer, model, chassis, serial_number: serial.into(), system_uuid: uuid.into() }
}

fn from_device_tree(source: &Source) -> Hardware {
    let word = |name: &str| source.word(&format!("proc/device-tree/{name}"));
    let model = word("model").as_deref().and_then(Text::meaningful);
    let serial = word("serial-number").as_deref().and_then(SerialNumber::parse);
    let chassis = if is_virtual(source) { Some(Chassis::Virtual) } else { None };
    if model.is_none() {
        source.missing(Subject::Hardware, UnreadReason::NotPresent, "no SMBIOS and no device tree");
    }
    Hardware { model, chassis, serial_number: serial.into(), ..Hardware::default() }
}

/// Whether a hypervisor runs us: it sets a processor flag, or leaves its name in SMBIOS or /sys.
fn is_virtual(source: &Source) -> bool {
    let names = ["sys_vendor", "product_name", "bios_vendor"].map(|name| source.word(&format!("{DMI}/{name}")));
    names.iter().flatten().any(|name| smbios::is_virtual(name))
        || source.exists("sys/hypervisor/type")
        || source.exists("proc/device-tree/hypervisor")
        || super::processor::has_flag(source, "hypervisor")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(dmi: &[(&str, &str)]) -> Hardware {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(DMI);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in dmi {
            std::fs::write(folder.join(name), content).unwrap();
        }
        read(&Source::new(root.path()))
    }

    #[test]
    fn a_laptop_is_recognised() {
        let dell = machine(&[
            ("sys_vendor", "Dell Inc.\n"),
            ("product_name", "Latitude 3120\n"),
            ("chassis_type", "31\n"),
            ("product_serial", "ABC1234\n"),
            ("product_uuid", "4c4c4544-0035-3810-8051-b4c04f473332\n"),
        ]);
        assert_eq!(dell.model.unwrap().as_str(), "Latitude 3120");
        assert_eq!(dell.chassis, Some(Chassis::Laptop));
        assert_eq!(dell.serial_number.get().unwrap().as_str(), "ABC1234");
        assert!(dell.system_uuid.get().is_some());
    }

    #[test]
    fn placeholders_are_absent_and_the_chassis_serial_stands_in() {
        let white_box = machine(&[
            ("sys_vendor", "To be filled by O.E.M."),
            ("product_serial", "System Serial Number"),
            ("chassis_serial", "CH-77"),
            ("product_uuid", "03000200-0400-0500-0006-000700080009"),
            ("chassis_type", "2"),
        ]);
        assert_eq!((white_box.manufacturer, white_box.chassis), (None, None));
        assert_eq!(white_box.serial_number.get().unwrap().as_str(), "CH-77");
        assert!(white_box.system_uuid.get().is_none());
    }

    #[test]
    fn lenovo_names_and_virtual_machines() {
        let think =
            machine(&[("sys_vendor", "LENOVO"), ("product_name", "20LSCTO1WW"), ("product_version", "ThinkPad L480")]);
        assert_eq!(think.model.unwrap().as_str(), "ThinkPad L480 20LSCTO1WW");
        let guest = machine(&[("sys_vendor", "QEMU"), ("product_name", "Standard PC"), ("chassis_type", "1")]);
        assert_eq!(guest.chassis, Some(Chassis::Virtual));
    }
}
