//! Which machine, its processor and its memory.

use cartable_common::{
    Bytes, SerialNumber, SystemUuid, Text,
    report::{Chassis, Hardware, Memory, Processor, Subject, UnreadReason},
};

use super::{super::smbios, Asked, Reading, Row};

/// As Apple's own SMBIOS says it, so that a Mac with another system has the same maker.
const MAKER: &str = "Apple Inc.";

pub(super) fn hardware(reading: &Reading<'_>) -> Hardware {
    let machine = reading.machine(Subject::Hardware);
    let serial = machine.word("serial_number").and_then(SerialNumber::parse);
    if serial.is_none() {
        reading.missing(Subject::Hardware, UnreadReason::NotPresent, "serial number");
    }
    Hardware {
        manufacturer: maker(machine),
        model: model(machine),
        chassis: chassis(machine),
        serial_number: serial.into(),
        system_uuid: machine.word("platform_UUID").and_then(SystemUuid::parse).into(),
    }
}

/// Apple, unless another's hypervisor runs us.
pub(super) fn maker(machine: Row<'_>) -> Option<Text> {
    let model = machine.word("machine_model")?;
    (!smbios::is_virtual(model)).then(|| Text::clean(MAKER))
}

/// The name that people know and Apple's own: "MacBook Air MacBookAir10,1".
fn model(machine: Row<'_>) -> Option<Text> {
    let words = [machine.word("machine_name"), machine.word("machine_model")];
    Text::meaningful(&words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn chassis(machine: Row<'_>) -> Option<Chassis> {
    let model = machine.word("machine_model")?;
    let name = machine.word("machine_name").unwrap_or_default();
    if smbios::is_virtual(model) || model.starts_with("VirtualMac") {
        Some(Chassis::Virtual)
    } else if name.starts_with("MacBook") || model.starts_with("MacBook") {
        Some(Chassis::Laptop)
    } else if name.starts_with("iMac") || name.starts_with("Mac ") {
        // Mac mini, Mac Studio, Mac Pro.
        Some(Chassis::Desktop)
    } else {
        None
    }
}

pub(super) fn processor(reading: &Reading<'_>) -> Processor {
    let machine = reading.machine(Subject::Processor);
    let told = |name: &str| reading.named(Asked::Kernel, name, Subject::Processor);
    let model = told("machdep.cpu.brand_string").or_else(|| machine.word("chip_type"));
    let model = model.or_else(|| machine.word("cpu_type")).and_then(Text::meaningful);
    if model.is_none() {
        reading.missing(Subject::Processor, UnreadReason::NotPresent, "model");
    }
    let count = |name: &str| told(name)?.parse::<u16>().ok().filter(|count| *count > 0);
    Processor { model, cores: count("hw.physicalcpu"), threads: count("hw.logicalcpu") }
}

pub(super) fn memory(reading: &Reading<'_>) -> Memory {
    let told = reading.named(Asked::Kernel, "hw.memsize", Subject::Memory);
    let total_bytes = told.and_then(|size| size.parse().ok()).and_then(Bytes::new).filter(|total| total.get() > 0);
    if total_bytes.is_none() {
        reading.missing(Subject::Memory, UnreadReason::NotPresent, "");
    }
    Memory { total_bytes }
}
