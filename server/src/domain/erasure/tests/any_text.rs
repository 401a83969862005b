//! Nothing that a person may bring stops the program: transcripts, logs and certificates put together from what tools print,
//! with devices and numbers that none of them would.

use proptest::{prelude::*, sample::select};

use super::read;

const ZERO: &str = include_str!("../samples/nwipe-0.38-zero.log");
const FAILED: &str = include_str!("../samples/nwipe-0.38-failed.log");

/// Commands on the device DEV.
const COMMANDS: &[&str] = &[
    "+ date",
    "+ hostname",
    "+ nvme format DEV --ses=1",
    "+ nvme sanitize DEV --sanact=2",
    "+ nvme sanitize-log DEV",
    "+ nvme id-ctrl DEV",
    "+ hdparm -I DEV",
    "+ hdparm --security-erase p DEV",
    "+ hdparm --sanitize-block-erase DEV",
    "+ hdparm --sanitize-status DEV",
    "root@bench:~# sudo",
];

const OUTPUT: &[&str] = &[
    "2026-11-29T14:00:00+01:00",
    "sn : S1",
    "nn : 1",
    "fna : 0xffffffffffffffff",
    "tnvmcap : 18446744073709551616",
    "Success formatting namespace:ffffffff",
    "Sanitize Progress (SPROG) : 65535",
    "Sanitize Status (SSTAT) : 0xffffffffffffffff",
    "Sanitize Command Dword 10 Information (SCDW10) : 0x2",
    "Serial Number: S1",
    "Nominal Media Rotation Rate: 99999999999999999999",
    "not enabled",
    "Last Sanitize Operation Completed Without Error",
];

const DEVICES: &[&str] =
    &["/dev/sda", "/dev/nvme0n1", "/dev/nvme0", "/dev/nvme", "/dev/", "/dev/é", "/dev/nvmeé", "/dev/nvme0é"];

/// What stands on a certificate, and what nwipe writes there.
const CERTIFICATE: [(&str, &str); 13] = [
    ("Make/Model:", "Loopback device"),
    ("Serial:", "CTBL-LOOP-0001"),
    ("Size(Apparent):", "67 MB, 67108864 bytes"),
    ("Size(Real):", "67 MB, 67108864 bytes"),
    ("Start time:", "2026/11/29 20:26:24"),
    ("End time:", "2026/11/29 20:26:25"),
    ("Duration:", "00:00:01"),
    ("Status:", "ERASED"),
    ("Method:", "Fill With Zeros"),
    ("Verify Pass(Last/All/None):", "Verify Last"),
    ("*Bytes Erased:", "67108864, (100.00%)"),
    ("Rounds(completed/requested):", "1/1"),
    ("Errors(pass/sync/verify):", "0/0/0"),
];

const MOST: &str = "18446744073709551615";

fn line() -> impl Strategy<Value = String> {
    let device = prop_oneof![select(DEVICES).prop_map(str::to_owned), "/dev/\\PC{0,8}"];
    prop_oneof![
        (select(COMMANDS), device).prop_map(|(command, device)| command.replace("DEV", &device)),
        select(OUTPUT).prop_map(str::to_owned),
        "\\PC{0,40}",
    ]
}

/// The text with one of its numbers exchanged.
fn with_number(text: &str, place: usize, number: &str) -> String {
    let digit = |at: usize| text.as_bytes()[at].is_ascii_digit();
    let starts: Vec<usize> = (0..text.len()).filter(|at| digit(*at) && (*at == 0 || !digit(at - 1))).collect();
    let start = starts[place % starts.len()];
    let end = (start..text.len()).find(|at| !digit(*at)).unwrap_or(text.len());
    [&text[..start], number, &text[end..]].concat()
}

/// A certificate with the value at `place` exchanged, in the form in which nwipe writes them.
fn certificate(place: usize, value: &str) -> Vec<u8> {
    let mut lines = vec!["%PDF-1.3".to_owned(), "martijnvanbrummelen/nwipe".to_owned()];
    let mut write =
        |x: usize, y: usize, text: &str| lines.push(format!("BT /GS0 gs {x}.00 {y}.00 TD /F2 12 Tf ({text}) Tj ET"));
    write(1, 800, "Page 1 - Erasure Status");
    write(1, 10, "Disc Erasure by NWIPE version 0.38");
    for (index, (label, good)) in CERTIFICATE.into_iter().enumerate() {
        write(1, 100 + index, label);
        write(200, 100 + index, if index == place { value } else { good });
    }
    lines.push("%%EOF".to_owned());
    lines.join("\n").into_bytes()
}

#[test]
fn numbers_beyond_all_bounds_are_refused_or_kept_as_the_largest() {
    let huge = FAILED.replace("|           1 |               131072 |", &format!("| {MOST} | {MOST} |"));
    assert_ne!(huge, FAILED);
    assert_eq!(read(&[("x", huge.as_bytes())]).unwrap()[0].errors, u64::MAX);
    for duration in [format!("{}:00:00", i64::MAX), format!("{MOST}:{MOST}:{MOST}")] {
        let pdf = certificate(6, &duration);
        assert_eq!(read(&[("x", ZERO.as_bytes()), ("y", &pdf)]).unwrap_err().code(), "inconsistent", "{duration}");
    }
    assert!(read(&[("x", ZERO.as_bytes()), ("y", &certificate(6, "00:00:01"))]).is_ok(), "the form is nwipe's");
}

proptest! {
    #[test]
    fn any_transcript_is_read_or_refused(lines in prop::collection::vec(line(), 0..12)) {
        let _ = read(&[("x", lines.join("\n").as_bytes())]);
    }

    #[test]
    fn any_number_in_a_log_is_read_or_refused(
        failed in any::<bool>(), places in (0_usize..500, 0_usize..500),
        number in prop_oneof![Just(MOST.to_owned()), "[0-9]{1,24}"],
    ) {
        let once = with_number(if failed { FAILED } else { ZERO }, places.0, &number);
        let _ = read(&[("x", with_number(&once, places.1, &number).as_bytes())]);
    }

    #[test]
    fn any_certificate_is_read_or_refused(
        place in 0..CERTIFICATE.len(), value in prop_oneof!["[0-9]{1,20}:[0-9]{1,20}:[0-9]{1,20}", "[0-9]{1,24}", "\\PC{0,20}"],
    ) {
        let _ = read(&[("x", ZERO.as_bytes()), ("y", &certificate(place, &value))]);
    }
}
