//! Which machine, its processor and its memory.

use cartable_common::{
    Bytes, SerialNumber, SystemUuid,
    report::{Chassis, Hardware, Memory, Processor, Subject, UnreadReason},
};

use super::{super::smbios, Reading};

pub(super) fn hardware(reading: &Reading<'_>) -> Hardware {
    let product = reading.first("Win32_ComputerSystemProduct", Subject::Hardware);
    let system = reading.first("Win32_ComputerSystem", Subject::Hardware);
    let bios = reading.first("Win32_BIOS", Subject::Firmware);
    let enclosure = reading.first("Win32_SystemEnclosure", Subject::Hardware);
    let manufacturer = product.text("Vendor").or_else(|| system.text("Manufacturer"));
    let name = product.text("Name").or_else(|| system.text("Model"));
    let numbers = [product.word("IdentifyingNumber"), bios.word("SerialNumber"), enclosure.word("SerialNumber")];
    let serial = numbers.into_iter().flatten().find_map(SerialNumber::parse);
    if serial.is_none() {
        reading.missing(Subject::Hardware, UnreadReason::NotPresent, "serial number");
    }
    let names = [product.word("Vendor"), product.word("Name"), bios.word("Manufacturer")];
    let chassis = if names.into_iter().flatten().any(smbios::is_virtual) {
        Some(Chassis::Virtual)
    } else {
        enclosure.first_of("ChassisTypes").and_then(smbios::chassis)
    };
    Hardware {
        model: smbios::model(manufacturer.as_ref(), name, product.word("Version")),
        manufacturer,
        chassis,
        serial_number: serial.into(),
        system_uuid: product.word("UUID").and_then(SystemUuid::parse).into(),
    }
}

/// One row per socket.
pub(super) fn processor(reading: &Reading<'_>) -> Processor {
    let sockets = reading.rows("Win32_Processor", Subject::Processor);
    let sum = |name: &str| -> Option<u16> {
        let counts = sockets.iter().map(|socket| socket.number::<u16>(name));
        counts.sum::<Option<u16>>().filter(|count| *count > 0)
    };
    let model = sockets.first().and_then(|socket| socket.text("Name"));
    if model.is_none() {
        reading.missing(Subject::Processor, UnreadReason::NotPresent, "model");
    }
    Processor { model, cores: sum("NumberOfCores"), threads: sum("NumberOfLogicalProcessors") }
}

pub(super) fn memory(reading: &Reading<'_>) -> Memory {
    let system = reading.first("Win32_ComputerSystem", Subject::Memory);
    let total_bytes = system.number("TotalPhysicalMemory").and_then(Bytes::new).filter(|total| total.get() > 0);
    if total_bytes.is_none() {
        reading.missing(Subject::Memory, UnreadReason::NotPresent, "");
    }
    Memory { total_bytes }
}
