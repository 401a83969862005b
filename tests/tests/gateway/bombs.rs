//! Compressed bombs: whatever a body says it becomes, the server answers exactly and its memory stays bounded.
//!
//! What the format can do: a zstd block holds at most 128 KiB and takes at least 4 bytes, a run of one byte. So one
//! layer of 10 KB becomes at most 335 MB, and 10 GB need 320 KB. Only two layers bring 10 GB into 10 KB (into 99
//! bytes, in fact); the device port opens one.

use cartable_common::limits::MAX_BODY_BYTES;
use cartable_common::protocol::CHECK_IN_PATH;
use cartable_tests::gateway_client::{Port, UNCHANGED};

const KB: usize = 10 * 1024;
const GB: usize = 10 << 30;
const BLOCK: usize = 128 * 1024;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Memory that the server may take beyond what it had, at its highest: a few bodies of the largest size.
const ROOM_KIB: usize = 24 * 1024;

/// What it is, the body, its further headers, the answer.
type Case<'a> = (&'static str, &'a [u8], &'static str, (u16, &'static str));

/// Blocks of runs that become `bytes` spaces.
fn runs(bytes: usize) -> Vec<u8> {
    let blocks = bytes / BLOCK;
    let block = |number| {
        let header = u32::from(number == blocks) | (1 << 1) | (u32::try_from(BLOCK).unwrap() << 3);
        let [a, b, c, _] = header.to_le_bytes();
        [a, b, c, b' ']
    };
    (1..=blocks).flat_map(block).collect()
}

/// One frame that says neither its size nor a checksum, with a window of 128 KiB.
fn frame(bytes: usize) -> Vec<u8> {
    [&MAGIC[..], &[0x00, 0x38], &runs(bytes)].concat()
}

/// The same with another window, by the format's descriptor: exponent and eighths.
fn window(descriptor: u8, bytes: usize) -> Vec<u8> {
    [&MAGIC[..], &[0x00, descriptor], &runs(bytes)].concat()
}

/// One frame that says it becomes `said` bytes, and does become `bytes`.
fn sized(said: usize, bytes: usize) -> Vec<u8> {
    let said = u64::try_from(said).unwrap().to_le_bytes();
    [&MAGIC[..], &[0xc0, 0x38], &said, &runs(bytes)].concat()
}

/// A frame of zstd's own about `bytes`, as small as it gets, and filler up to exactly 10 KB.
fn two_layers(bytes: usize) -> Vec<u8> {
    let mut nested = zstd::encode_all(&frame(bytes)[..], 19).unwrap();
    assert!(nested.len() < 200, "{}", nested.len());
    let filler = KB - nested.len() - 8;
    nested.extend_from_slice(&[0x50, 0x2a, 0x4d, 0x18]);
    nested.extend_from_slice(&u32::try_from(filler).unwrap().to_le_bytes());
    nested.resize(KB, 0);
    nested
}

fn status_kib(pid: u32, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bomb_takes_more_than_a_few_bodies_of_memory() {
    let port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let (one, ten_gb) = (frame((KB - 6) / 4 * BLOCK), frame(GB));
    assert!((KB - 4..=KB).contains(&one.len()), "10 KB: {}", one.len());
    assert!((300..=320).contains(&((one.len() * 32_768) >> 20)), "MiB that one layer of 10 KB becomes");
    assert_eq!(ten_gb.len(), 6 + 4 * 81_920, "320 KB");
    let many: Vec<u8> = (0..300).flat_map(|_| frame(8 * BLOCK)).collect();
    let body_limit: Vec<u8> = frame((MAX_BODY_BYTES - 6) / 4 * BLOCK);
    let zstd = "content-encoding: zstd\r\n";
    let cases: [Case<'_>; 12] = [
        ("10 KB to 335 MB", &one, zstd, (413, "too-large")),
        ("320 KB to 10 GB", &ten_gb, zstd, (413, "too-large")),
        ("the largest body to 32 GB", &body_limit, zstd, (413, "too-large")),
        ("11 KB in 300 frames to 300 MB", &many, zstd, (413, "too-large")),
        ("10 GB said and held", &sized(GB, GB), zstd, (413, "too-large")),
        ("16 EB said, 128 KiB held", &sized(usize::MAX - 2, BLOCK), zstd, (400, "body")),
        ("a window of 2 GiB, the largest that zstd opens", &window(21 << 3, GB), zstd, (413, "too-large")),
        ("a window of 3.75 TiB, the largest that can be written", &window(0xff, GB), zstd, (400, "body")),
        ("10 KB to 10 GB in two layers, one named", &two_layers(GB), zstd, (400, "message")),
        ("the same, both named", &two_layers(GB), "content-encoding: zstd, zstd\r\n", (415, "content-encoding")),
        (
            "the same, each in a header of its own",
            &two_layers(GB),
            "content-encoding: zstd\r\ncontent-encoding: zstd\r\n",
            (415, "content-encoding"),
        ),
        ("gzip", &one, "content-encoding: gzip\r\n", (415, "content-encoding")),
    ];
    let pid = port.server.pid();
    for (name, body, headers, (status, problem)) in cases {
        // From here on, the highest is measured anew.
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        let before = status_kib(pid, "VmRSS:");
        for _ in 0..5 {
            let mut connection = port.connect_as(&own).await.unwrap();
            let answer = connection.post_with(CHECK_IN_PATH, headers, body).await.unwrap();
            assert_eq!(answer.outcome(), (status, problem.to_owned()), "{name}");
        }
        let grown = status_kib(pid, "VmHWM:").saturating_sub(before);
        assert!(grown < ROOM_KIB, "{name}: {grown} KiB more");
    }
    let honest = port.connect_as(&own).await.unwrap().check_in(UNCHANGED).await.unwrap();
    assert_eq!(honest.status, 200);
}
