//! The control of a Debian package: an `ar` archive whose second member is a packed `tar` archive with a file `control`.
//!
//! Only that file is read, and no more of it than a control may have; what the package installs is apt's to unpack.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use lzma_rust2::XzReader;

use crate::domain::update::control::{Control, InvalidControl, MAX_CONTROL_BYTES};

const AR: &[u8] = b"!<arch>\n";
const AR_HEADER_BYTES: usize = 60;
const TAR_BLOCK: usize = 512;
/// Most bytes of an unpacked control archive: it holds the control, the scripts and sums, 10 KB in ours.
const MAX_UNPACKED_BYTES: u64 = 4 << 20;

/// Why a file is no package that can be published.
#[derive(Debug, thiserror::Error)]
pub enum NoPackage {
    /// It is no Debian package of version 2.
    #[error("it is no Debian package (.deb)")]
    Form,
    /// Its control is packed in another way.
    #[error("its control is packed as {0:?}; control.tar, .gz, .xz and .zst are known")]
    Packing(String),
    /// Its control could not be unpacked.
    #[error("its control could not be unpacked: {0}")]
    Damaged(#[from] io::Error),
    /// There is none in it.
    #[error("there is no control in it, or it is longer than {MAX_CONTROL_BYTES} bytes")]
    NoControl,
    /// It says something else.
    #[error(transparent)]
    Control(#[from] InvalidControl),
}

/// The control of the package whose bytes these are.
pub fn control(package: &[u8]) -> Result<Control, NoPackage> {
    let rest = package.strip_prefix(AR).ok_or(NoPackage::Form)?;
    let (first, version, rest) = member(rest).ok_or(NoPackage::Form)?;
    if first != "debian-binary" || !version.starts_with(b"2.") {
        return Err(NoPackage::Form);
    }
    let (name, packed, _) = member(rest).ok_or(NoPackage::Form)?;
    let archive = unpacked(name, packed)?;
    let control = file(&archive, "control").ok_or(NoPackage::NoControl)?;
    let text = std::str::from_utf8(control).map_err(|_| InvalidControl::Form { line: 1 })?;
    Ok(Control::read(text)?)
}

/// Name and content of an archive's first member, and what follows it.
fn member(archive: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (header, rest) = archive.split_at_checked(AR_HEADER_BYTES)?;
    let text = |from: usize, to: usize| std::str::from_utf8(&header[from..to]).ok().map(str::trim_end);
    let size: usize = text(48, 58)?.parse().ok()?;
    let (content, rest) = rest.split_at_checked(size)?;
    // Members begin at even places.
    let rest = rest.get(size % 2..).unwrap_or_default();
    Some((text(0, 16)?.trim_end_matches('/'), content, rest))
}

fn unpacked(name: &str, packed: &[u8]) -> Result<Vec<u8>, NoPackage> {
    match name {
        "control.tar" => Ok(packed.to_vec()),
        "control.tar.gz" => bounded(GzDecoder::new(packed)),
        "control.tar.xz" => bounded(XzReader::new(packed, false)),
        "control.tar.zst" => bounded(zstd::stream::read::Decoder::new(packed)?),
        other => Err(NoPackage::Packing(other.to_owned())),
    }
}

fn bounded(unpacking: impl Read) -> Result<Vec<u8>, NoPackage> {
    let mut bytes = Vec::new();
    unpacking.take(MAX_UNPACKED_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The content of the file `name` at the top of a `tar` archive.
fn file<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = archive;
    loop {
        let (header, after) = rest.split_at_checked(TAR_BLOCK)?;
        let text = |from: usize, to: usize| {
            let field = header[from..to].split(|byte| *byte == 0).next().unwrap_or_default();
            std::str::from_utf8(field).ok().map(str::trim)
        };
        let found = text(0, 100)?;
        if found.is_empty() {
            return None;
        }
        let size = usize::from_str_radix(text(124, 136)?, 8).ok()?;
        let content = after.get(..size)?;
        let is_file = matches!(header[156], b'0' | 0);
        if is_file && found.trim_start_matches("./") == name {
            return (size <= MAX_CONTROL_BYTES).then_some(content);
        }
        rest = after.get(size.next_multiple_of(TAR_BLOCK)..)?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use cartable_common::AgentVersion;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    const CONTROL: &str = "Package: cartable-agent\nVersion: 0.2.0-1\nArchitecture: amd64\n";

    fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = AR.to_vec();
        for (name, content) in members {
            writeln!(archive, "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`", 0, 0, 0, 100_644, content.len()).unwrap();
            archive.extend_from_slice(content);
            archive.extend(std::iter::repeat_n(b'\n', content.len() % 2));
        }
        archive
    }

    fn tar(name: &str, content: &[u8]) -> Vec<u8> {
        let mut archive = vec![0; TAR_BLOCK];
        archive[..name.len()].copy_from_slice(name.as_bytes());
        archive[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        archive[156] = b'0';
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(TAR_BLOCK) + 2 * TAR_BLOCK, 0);
        archive
    }

    fn package(name: &str, packed: &[u8]) -> Vec<u8> {
        ar(&[("debian-binary", b"2.0\n"), (name, packed), ("data.tar.xz", b"odd")])
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(content).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn the_control_is_found_however_it_is_packed() {
        let mut archive = tar("./postinst", b"#!/bin/sh\n");
        archive.truncate(2 * TAR_BLOCK);
        archive.extend(tar("./control", CONTROL.as_bytes()));
        let zst = zstd::encode_all(&archive[..], 1).unwrap();
        let packed = [("control.tar", archive.clone()), ("control.tar.gz", gzip(&archive)), ("control.tar.zst", zst)];
        for (name, bytes) in packed {
            let control = control(&package(name, &bytes)).unwrap();
            assert_eq!((control.version(), control.release()), ("0.2.0-1", AgentVersion::new(0, 2, 0)), "{name}");
        }
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let tarred = tar("control", CONTROL.as_bytes());
        assert!(matches!(control(b"MZ"), Err(NoPackage::Form)));
        assert!(matches!(control(&ar(&[("debian-binary", b"3.0\n"), ("control.tar", &tarred)])), Err(NoPackage::Form)));
        assert!(matches!(control(&package("control.tar.bz2", &tarred)), Err(NoPackage::Packing(_))));
        assert!(matches!(control(&package("control.tar.gz", b"not gzip")), Err(NoPackage::Damaged(_))));
        assert!(matches!(control(&package("control.tar", &tar("md5sums", b"x"))), Err(NoPackage::NoControl)));
        let long = tar("control", &vec![b'x'; MAX_CONTROL_BYTES + 1]);
        assert!(matches!(control(&package("control.tar", &long)), Err(NoPackage::NoControl)));
        let bomb = gzip(&vec![0; 5 << 20]);
        assert!(matches!(control(&package("control.tar.gz", &bomb)), Err(NoPackage::NoControl)));
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_reader(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = package("control.tar", &tar("control", CONTROL.as_bytes()));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(cut.index(bytes.len()));
            drop(control(&bytes));
        }
    }
}
