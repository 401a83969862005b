//! What nvme and hdparm print.

use super::{super::*, at, one};
use crate::domain::erasure::evidence::{Parts, Unreadable};

/// `nvme id-ctrl` as nvme-cli 2.3 prints its first lines.
const IDENTITY: &str = "\
+ nvme id-ctrl /dev/nvme0
NVME Identify Controller:
vid       : 0x144d
ssvid     : 0x144d
sn        : S5GXNX0R123456      
mn        : Samsung SSD 980 500GB                   
fr        : 1B4QFXO7
tnvmcap   : 500107862016
nn        : 1
fna       : 0x4
sanicap   : 0x3
";
const BEFORE: &str = "+ date --iso-8601=seconds\n2026-11-29T14:00:00+01:00\n+ hostname\nbench-3\n+ nvme version\nnvme version 2.3 (git 2.3)\n";
const AFTER: &str = "+ date --iso-8601=seconds\n2026-11-29T14:02:10+01:00\n";

/// `nvme sanitize-log`, after `nvme-print-stdout.c`.
fn log(sprog: &str, sstat: &str, scdw10: &str) -> String {
    format!(
        "+ nvme sanitize-log /dev/nvme0\n\
         Sanitize Progress                      (SPROG) :  {sprog}\n\
         Sanitize Status                        (SSTAT) :  {sstat}\n\
         Sanitize Command Dword 10 Information (SCDW10) :  {scdw10}\n\
         Estimated Time For Overwrite                   :  4294967295 (No time period reported)\n\
         Estimated Time For Block Erase                 :  90\n"
    )
}

fn sanitized(log: &str) -> String {
    format!("{BEFORE}{IDENTITY}+ nvme sanitize /dev/nvme0 --sanact=2\n{log}{AFTER}")
}

#[test]
fn a_sanitize_is_proven_by_its_log() {
    let reading = one(&sanitized(&log("65535", "0x101", "0x2"))).unwrap();
    assert_eq!((reading.drive.as_str(), reading.model.as_deref()), ("S5GXNX0R123456", Some("Samsung SSD 980 500GB")));
    assert_eq!((reading.method, reading.medium), (Method::NvmeSanitizeBlock, Medium::Flash));
    assert_eq!((reading.outcome, reading.verification), (Outcome::Erased, Verification::DeviceStatus));
    assert_eq!((reading.started_at, reading.ended_at), (at("2026-11-29T13:00:00Z"), at("2026-11-29T13:02:10Z")));
    assert_eq!((reading.host.as_deref(), reading.tool_version.as_str()), (Some("bench-3"), "2.3"));
    assert_eq!(reading.capacity_bytes, Some(500_107_862_016));
    for (sstat, sprog, outcome) in
        [("0x2", "3761", Outcome::Incomplete), ("0x3", "65535", Outcome::Failed), ("0", "65535", Outcome::Failed)]
    {
        let reading = one(&sanitized(&log(sprog, sstat, "0x2"))).unwrap();
        assert_eq!((reading.outcome, reading.verification), (outcome, Verification::None), "{sstat}");
    }
    // Polled: the last one counts.
    let polled = format!("{}{}", log("3761", "0x2", "0x2"), log("65535", "0x101", "0x2"));
    assert_eq!(one(&sanitized(&polled)).unwrap().outcome, Outcome::Erased);
    assert_eq!(one(&sanitized("")).unwrap().outcome, Outcome::Incomplete, "nobody asked for its status");
    // Typed at a prompt, with words for numbers.
    let typed = sanitized(&log("65535", "0x1", "0x4")).replace(
        "+ nvme sanitize /dev/nvme0 --sanact=2",
        "root@bench:~# sudo nvme sanitize /dev/nvme0 -a start-crypto-erase",
    );
    assert_eq!(one(&typed).unwrap().method, Method::NvmeSanitizeCrypto);
    let passes = sanitized(&log("65535", "0x119", "0x3")).replace("--sanact=2", "--sanact=0x03");
    let overwritten = one(&passes).unwrap();
    assert_eq!((overwritten.method, overwritten.passes), (Method::NvmeSanitizeOverwrite, 3));
}

#[test]
fn a_sanitize_that_does_not_hang_together_is_refused() {
    let good = sanitized(&log("65535", "0x101", "0x2"));
    for (altered, code) in [
        (good.replace("SCDW10) :  0x2", "SCDW10) :  0x4"), "inconsistent"),
        (good.replace("65535", "3761"), "inconsistent"),
        (good.replace("+ nvme id-ctrl /dev/nvme0", "+ nvme id-ctrl /dev/nvme1"), "no_serial"),
        (good.replace("sn        : S5GXNX0R123456", "sn        : "), "no_serial"),
        (format!("{good}{}", IDENTITY.replace("S5GX", "S6GX")), "inconsistent"),
        (good.replace("+ date --iso-8601=seconds\n2026-11-29T14:02:10+01:00\n", ""), "no_time"),
        (good.replace("+ nvme sanitize /dev/nvme0 --sanact=2\n", ""), "no_command"),
        (log("65535", "0x101", "0x2").replace("+ nvme sanitize-log /dev/nvme0\n", ""), "no_command"),
        (format!("{good}{}", "+ nvme sanitize /dev/nvme0 --sanact=2\n"), "several_runs"),
        (good.replace("2026-11-29T14:02:10", "2026-11-29T13:02:10"), "clock"),
        (good.replace("--sanact=2", "--sanact=1"), "nothing_erased"),
    ] {
        assert_eq!(one(&altered).unwrap_err().code(), code, "{altered}");
    }
}

fn formatted(command: &str, output: &str, identity: &str) -> Result<Reading, Unreadable> {
    one(&format!("{BEFORE}{identity}+ nvme format /dev/nvme0n1 {command}\n{output}\n{AFTER}"))
}

#[test]
fn a_format_counts_only_with_a_secure_erase_of_all_namespaces() {
    let success = "Success formatting namespace:1";
    let user_data = formatted("--ses=1 --force", success, IDENTITY).unwrap();
    assert_eq!((user_data.method, user_data.outcome), (Method::NvmeFormatUserData, Outcome::Erased));
    assert_eq!(formatted("-s 2", success, IDENTITY).unwrap().method, Method::NvmeFormatCrypto);
    assert_eq!(formatted("-s2", success, IDENTITY).unwrap().method, Method::NvmeFormatCrypto);
    for without in ["", "--ses=0", "--lbaf=1"] {
        assert_eq!(formatted(without, success, IDENTITY), Err(Unreadable::NothingErased), "{without}");
    }
    let several = IDENTITY.replace("nn        : 1", "nn        : 32");
    assert_eq!(formatted("--ses=1", success, &several).unwrap().outcome, Outcome::Incomplete);
    let all = "Success formatting namespace:ffffffff";
    assert_eq!(formatted("--ses=1 -n 0xffffffff", all, &several).unwrap().outcome, Outcome::Erased);
    let fna = several.replace("fna       : 0x4", "fna       : 0x6");
    assert_eq!(formatted("--ses=1", success, &fna).unwrap().outcome, Outcome::Erased);
    let refused = "NVMe status: INVALID_FORMAT: The LBA Format specified is not supported(0x10a)";
    assert_eq!(formatted("--ses=1", refused, IDENTITY).unwrap().outcome, Outcome::Failed);
    // Newer versions print nothing without --verbose: nothing said is nothing proven.
    assert_eq!(formatted("--ses=1", "", IDENTITY).unwrap().outcome, Outcome::Incomplete);
}

#[test]
fn a_device_that_is_no_nvme_drive_has_no_identity() {
    for device in ["/dev/sda", "/dev/é", "/dev/nvme", "/dev/nvmeé0"] {
        let text = format!("{BEFORE}{IDENTITY}+ nvme format {device} --ses=1\nSuccess formatting namespace:1\n{AFTER}");
        assert_eq!(one(&text), Err(Unreadable::NoSerial), "{device}");
    }
}

/// `hdparm -I`, cut to what tells: after identify.c of hdparm 9.65 and published output.
fn identity(enabled: &str, rate: &str) -> String {
    format!(
        "+ hdparm -I /dev/sda\n\n/dev/sda:\n\nATA device, with non-removable media\n\
         \tModel Number:       WDC WD5000LPLX-60ZNTT1                  \n\
         \tSerial Number:      WD-WX11A1234567\n\
         \tFirmware Revision:  01.01A01\n\
         \tNominal Media Rotation Rate: {rate}\n\
         Commands/features:\n\tEnabled\tSupported:\n\t   *\tSMART feature set\n\
         Security: \n\tMaster password revision code = 65534\n\t\tsupported\n\t{enabled}\tenabled\n\tnot\tlocked\n\
         \tnot\tfrozen\n\tnot\texpired: security count\n\t\tsupported: enhanced erase\n\
         \t96min for SECURITY ERASE UNIT. 96min for ENHANCED SECURITY ERASE UNIT.\nChecksum: correct\n"
    )
}

const DATE_BEFORE: &str = "+ date -Is\n2026-11-29T14:00:00+01:00\n";
const DATE_AFTER: &str = "+ date -Is\n2026-11-29T15:40:00+01:00\n";

fn secure_erase(option: &str, output: &str, after: &str) -> Result<Reading, Unreadable> {
    let before = identity("", "7200");
    one(&format!(
        "{DATE_BEFORE}{before}+ hdparm --user-master u {option} p /dev/sda\nsecurity_password: \"p\"\n\n/dev/sda:\n{output}\n\
         {after}{DATE_AFTER}"
    ))
}

#[test]
fn a_secure_erase_is_proven_by_the_password_that_is_gone() {
    let issued = " Issuing SECURITY_ERASE command, password=\"p\", user=user";
    let gone = identity("not", "7200");
    let reading = secure_erase("--security-erase-enhanced", issued, &gone).unwrap();
    assert_eq!((reading.drive.as_str(), reading.medium), ("WD-WX11A1234567", Medium::Rotating));
    assert_eq!((reading.method, reading.outcome), (Method::AtaSecureEraseEnhanced, Outcome::Erased));
    assert_eq!(reading.verification, Verification::DeviceStatus);
    assert_eq!(secure_erase("--security-erase", issued, &gone).unwrap().method, Method::AtaSecureErase);
    let still = secure_erase("--security-erase", issued, &identity("", "7200")).unwrap();
    assert_eq!((still.outcome, still.verification), (Outcome::Failed, Verification::None));
    assert_eq!(secure_erase("--security-erase", issued, "").unwrap().outcome, Outcome::Incomplete);
    let refused = format!("{issued}\nSECURITY_ERASE: Input/output error");
    assert_eq!(secure_erase("--security-erase", &refused, &gone).unwrap().outcome, Outcome::Failed);
    let sense = format!("{issued}\nSG_IO: bad/missing sense data, sb[]:  70 00 05");
    assert_eq!(secure_erase("--security-erase", &sense, &gone).unwrap().outcome, Outcome::Failed);
    // Stopped by Ctrl-C, and the drive freed by hand: the password is gone and nothing was erased.
    for option in ["--security-erase", "--security-erase-enhanced"] {
        for freed in [
            "+ hdparm --security-disable p",
            "root@bench:~# sudo /usr/sbin/hdparm --user-master u --security-disable p",
        ] {
            let after = format!("{freed} /dev/sda\n\n/dev/sda:\n Issuing SECURITY_DISABLE command\n{gone}");
            let stopped = secure_erase(option, &format!("{issued}\n^C"), &after).unwrap();
            assert_eq!((stopped.outcome, stopped.verification), (Outcome::Incomplete, Verification::None), "{freed}");
        }
    }
    let other = gone.replace("WD-WX11A1234567", "WD-WX11A7654321");
    assert_eq!(secure_erase("--security-erase", issued, &other).unwrap_err().code(), "inconsistent");
}

#[test]
fn an_ata_sanitize_is_proven_by_its_status() {
    let status = |said: &str| {
        format!("+ hdparm --sanitize-status /dev/sda\n\n/dev/sda:\nIssuing SANITIZE_STATUS command\n{said}")
    };
    let run = |started: &str, said: &str| {
        one(&format!(
            "{DATE_BEFORE}{}+ hdparm --yes-i-know-what-i-am-doing --sanitize-block-erase /dev/sda\n\n/dev/sda:\n\
             Issuing SANITIZE_BLOCK_ERASE command\n{started}\n{}{DATE_AFTER}",
            identity("not", "Solid State Device"),
            status(said),
        ))
        .unwrap()
    };
    let started = "Operation started in background\nYou may use `--sanitize-status` to check progress";
    let idle = "Sanitize status:\n    State:    SD0 Sanitize Idle\n";
    let done = format!("{idle}    Last Sanitize Operation Completed Without Error\n");
    let reading = run(started, &done);
    assert_eq!((reading.method, reading.outcome), (Method::AtaSanitizeBlock, Outcome::Erased));
    assert_eq!(reading.medium, Medium::Flash);
    let running = "Sanitize status:\n    State:    SD2 Sanitize operation In Process\n    Progress: 0x41c2 (25%)\n";
    assert_eq!(run(started, running).outcome, Outcome::Incomplete);
    let failed = "Sanitize status:\n    State:    SD3 Sanitize Operation Failed\n";
    assert_eq!(run(started, failed).outcome, Outcome::Failed);
    // A Crucial MX500 behind an adapter: it is idle because it never began (published by its owner).
    let sense = "SG_IO: bad/missing sense data, sb[]:  f0 00 0b 04 51 40 00 0a a0 72 45 6b";
    assert_eq!(run(&format!("{sense}\n{started}"), idle).outcome, Outcome::Failed);
    assert_eq!(run(&format!("{sense}\n{started}"), &done).outcome, Outcome::Failed, "of an earlier one");
    assert_eq!(run(started, idle).outcome, Outcome::Failed);
}

#[test]
fn a_transcript_of_more_lines_than_a_run_has_is_told_so() {
    let long = format!("{BEFORE}{}", "noise\n".repeat(20_000));
    let refused = one(&long).unwrap_err();
    assert_eq!(refused, Unreadable::TooMuch(20_000, Parts::Lines));
    assert!(refused.to_string().starts_with("a file has more than 20000 lines: "), "{refused}");
}
