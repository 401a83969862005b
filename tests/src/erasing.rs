//! Evidence of erasures, for tests: a transcript of nvme as its manual has it, and nwipe itself on a loop device.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use cartable_common::UtcMillis;
use cartable_server::{
    domain::{
        erasure::{
            BenchClock,
            evidence::{self, File},
            gap::{Demand, Why},
        },
        policy::Policy,
        scope::Scope,
    },
    store::{
        device,
        erasure_entry::{self, By, Strangers},
        erasure_gap,
    },
};

use crate::{fleet::Enrolled, stores::TestStore};

/// Size of the loop device in bytes.
pub const LOOP_BYTES: u64 = 64 << 20;

/// `2026-11-24T12:00:00+00:00`, as `date --iso-8601=seconds` prints it.
fn iso(at: UtcMillis) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.get()).unwrap_or_default();
    jiff::tz::TimeZone::UTC.to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// What `sh -x` keeps of a block erase of the NVMe drive `serial` by nvme-cli, which took a minute until `ended`.
pub fn nvme_sanitized(serial: &str, ended: UtcMillis) -> String {
    let (started, ended) = (iso(ended.plus_millis(-60_000)), iso(ended));
    format!(
        "+ date --iso-8601=seconds\n{started}\n+ nvme version\nnvme version 2.3 (git 2.3)\n\
         + nvme id-ctrl /dev/nvme0\nNVME Identify Controller:\nvid       : 0x144d\nsn        : {serial}\n\
         mn        : Samsung SSD 980 500GB\nnn        : 1\n\
         + nvme sanitize /dev/nvme0 --sanact=2\n\
         + nvme sanitize-log /dev/nvme0\n\
         Sanitize Progress                      (SPROG) :  65535\n\
         Sanitize Status                        (SSTAT) :  0x101\n\
         Sanitize Command Dword 10 Information (SCDW10) :  0x2\n\
         + date --iso-8601=seconds\n{ended}\n"
    )
}

/// Rosa brings, a day later, a transcript of the erasure of `serial` that ended then.
pub async fn erased(test: &TestStore, one: Enrolled, serial: &str, ended: UtcMillis) -> anyhow::Result<()> {
    let (policy, now, text) = (Policy::default(), ended.plus_days(1), nvme_sanitized(serial, ended));
    let files = [File { name: "x.txt", bytes: text.as_bytes() }];
    let readings = evidence::read(&files, BenchClock::Utc, now)?;
    let mut tx = test.store.write().await?;
    let found = device::find(&mut tx, &Scope::Everything, one.device).await?.context("a device")?;
    let by = By { login: "rosa", now, policy: &policy };
    erasure_entry::enter_files(&mut tx, &found, &readings, &files, Strangers::LeftOut, by).await?;
    Ok(tx.commit().await?)
}

/// What the device's drives lack before it may leave, each by its key.
pub async fn missing(test: &TestStore, one: Enrolled) -> anyhow::Result<Vec<(String, Why)>> {
    let mut tx = test.store.read().await?;
    let found = device::find(&mut tx, &Scope::Everything, one.device).await?.context("a device")?;
    let gaps = erasure_gap::of_device(&mut tx, &found, Demand::Leave, &Policy::default().erasure).await?;
    Ok(gaps.into_iter().map(|gap| (gap.key.map(|key| key.to_string()).unwrap_or_default(), gap.why)).collect())
}

/// Files as `multipart/form-data`: the content type, and the body.
pub fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    const EDGE: &str = "----cartable-evidence";
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (name, bytes) in files {
        let head = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"");
        body.extend(format!("--{EDGE}\r\n{head}\r\nContent-Type: application/octet-stream\r\n\r\n").bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{EDGE}--\r\n").bytes());
    (format!("multipart/form-data; boundary={EDGE}"), body)
}

/// A block device of [`LOOP_BYTES`] over a file, attached until it is dropped.
#[derive(Debug)]
pub struct LoopDevice {
    path: String,
    directory: tempfile::TempDir,
}

/// What nwipe left behind.
#[derive(Debug)]
pub struct Wiped {
    /// Its log.
    pub log: Vec<u8>,
    /// Its certificate, from version 0.35 on.
    pub certificate: Option<Vec<u8>>,
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{command:?}: {}: {}", output.status, said());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

impl LoopDevice {
    /// Attaches one. Needs root and a kernel with loop devices.
    pub fn attach() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let image = directory.path().join("drive.img");
        std::fs::write(&image, vec![0xA5; usize::try_from(LOOP_BYTES)?])?;
        let path = run(Command::new("losetup").args(["--find", "--show"]).arg(&image))?;
        Ok(Self { path, directory })
    }

    /// What it holds now.
    pub fn content(&self) -> anyhow::Result<Vec<u8>> {
        Ok(std::fs::read(self.directory.path().join("drive.img"))?)
    }

    /// Runs nwipe on it. A loop device has no serial number: a smartctl in the run's PATH gives `serial`, where nwipe asks.
    pub fn wipe(&self, serial: &str, method: &str, verify: &str) -> anyhow::Result<Wiped> {
        let bin = self.directory.path().join("bin");
        std::fs::create_dir_all(&bin)?;
        let script = format!(
            "#!/bin/sh\necho 'smartctl 7.3 2022-02-28 r5338 [x86_64-linux] (local build)'\n\
             echo 'Device Model:     Cartable Test Disk'\necho 'Serial Number:    {serial}'\n"
        );
        write_program(&bin.join("smartctl"), &script)?;
        let out = tempfile::tempdir_in(self.directory.path())?;
        let log = out.path().join("nwipe.log");
        let old = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("nwipe");
        // It writes local times, without a zone.
        command.env("TZ", "UTC");
        command.env("PATH", format!("{}:{old}:/usr/sbin:/sbin", bin.display())).current_dir(out.path());
        command.args(["--autonuke", "--nogui", "--nowait"]);
        command.args([format!("--method={method}"), format!("--verify={verify}")]);
        command.arg(format!("--logfile={}", log.display()));
        if has_certificates()? {
            command.arg(format!("--PDFreportpath={}", out.path().display()));
        }
        command.arg(&self.path);
        // A run that fails ends with another code: its log is evidence all the same.
        command.output().context("nwipe: ./tests/run installs it")?;
        let certificate =
            files_in(out.path())?.into_iter().find(|path| path.extension().is_some_and(|end| end == "pdf"));
        Ok(Wiped { log: std::fs::read(&log)?, certificate: certificate.map(std::fs::read).transpose()? })
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // What cannot be detached now is when the machine stops; the test has its answer already.
        let _ = run(Command::new("losetup").args(["--detach", &self.path]));
    }
}

/// Whether this nwipe writes PDF certificates.
pub fn has_certificates() -> anyhow::Result<bool> {
    let output = Command::new("nwipe").arg("--help").output().context("nwipe: ./tests/run installs it")?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).contains("PDFreportpath"))
}

fn write_program(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn files_in(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
