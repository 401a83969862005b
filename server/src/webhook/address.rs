//! Which addresses a webhook may reach: public ones. What lies inside a network is not told of anything by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` may be told. `loopback` lets this host itself be told as well, for tests.
pub(super) fn is_allowed(address: IpAddr, loopback: bool) -> bool {
    match address.to_canonical() {
        own if own.is_loopback() => loopback,
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Outside of the special-purpose blocks of IANA's registry (RFC 6890 and later).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let relays = a == 192 && b == 88 && c == 99;
    let benchmarks = a == 198 && (18..20).contains(&b);
    !(a == 0
        || a >= 224
        || shared
        || protocols
        || relays
        || benchmarks
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast alone (2000::/3), without documentation and without the blocks that stand for IPv4 addresses.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global = segments[0] & 0xe000 == 0x2000;
    let documentation = (segments[0] == 0x2001 && segments[1] == 0xdb8) || segments[0] == 0x3fff;
    // 2001::/23: Teredo and other protocol assignments; 2002::/16: 6to4.
    let protocols = segments[0] == 0x2001 && segments[1] < 0x200;
    let six_to_four = segments[0] == 0x2002;
    global && !documentation && !protocols && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_a_network_is_reached() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.1.1.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2001::1",
        ] {
            assert!(!is_allowed(inside.parse().unwrap(), false), "{inside}");
        }
        for public in ["9.9.9.9", "203.0.114.1", "172.32.0.1", "2620:fe::fe", "2a01:e0a::1"] {
            assert!(is_allowed(public.parse().unwrap(), false), "{public}");
        }
        assert!(is_allowed("127.0.0.1".parse().unwrap(), true) && is_allowed("::1".parse().unwrap(), true));
        assert!(!is_allowed("10.0.0.1".parse().unwrap(), true), "loopback is all that the option lets in");
    }
}
