//! What SMBIOS says, however it was read: the model as people know it, the chassis, whether the machine is virtual.

use cartable_common::{Text, report::Chassis};

/// The model. Lenovo writes the machine type as the product ("20LSCTO1WW") and the name people know as its version
/// ("ThinkPad L480"): both are given.
pub(super) fn model(maker: Option<&Text>, product: Option<Text>, version: Option<&str>) -> Option<Text> {
    let is_lenovo = maker.is_some_and(|maker| maker.as_str().eq_ignore_ascii_case("lenovo"));
    let Some(version) = version.filter(|_| is_lenovo).and_then(Text::meaningful) else { return product };
    match product {
        Some(product) if product != version => Some(Text::clean(&format!("{version} {product}"))),
        _ => Some(version),
    }
}

/// Whether a maker, a product or a firmware of this name is a hypervisor's.
pub(super) fn is_virtual(name: &str) -> bool {
    const NAMES: [&str; 10] =
        ["qemu", "kvm", "vmware", "virtualbox", "innotek", "xen", "bochs", "parallels", "amazon ec2", "google compute"];
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|known| name.contains(known)) || name == "virtual machine"
}

/// SMBIOS chassis types, DSP0134 table 17.
pub(super) fn chassis(number: u8) -> Option<Chassis> {
    match number {
        8..=10 | 14 | 31 => Some(Chassis::Laptop),
        11 | 30 | 32 => Some(Chassis::Tablet),
        3..=7 | 13 | 15 | 16 | 24 | 34..=36 => Some(Chassis::Desktop),
        17 | 23 | 25 | 28 | 29 => Some(Chassis::Server),
        _ => None,
    }
}
