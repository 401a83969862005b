//! A TPM 2.0 that a program plays (swtpm): the whole specification, and as many of them as a test wants.
//!
//! What lies in its folder is the chip: started on the same folder it is the same TPM, on another it is another one, as after
//! a main board was exchanged.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::process::Process;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running TPM. Dropped, it is off.
#[derive(Debug)]
pub struct EmulatedTpm {
    socket: PathBuf,
    _process: Process,
}

impl EmulatedTpm {
    /// The TPM in `folder`, made where there is none yet; it takes commands at `socket`.
    pub fn start(folder: &Path, socket: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut command = Command::new("swtpm");
        command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"]);
        command.arg("--tpmstate").arg(format!("dir={}", folder.display()));
        command.arg("--server").arg(format!("type=unixio,path={}", socket.display()));
        let process = Process::start("swtpm", &mut command).context("tests/run installs swtpm")?;
        let until = Instant::now() + PATIENCE;
        while let Err(error) = UnixStream::connect(socket) {
            anyhow::ensure!(Instant::now() < until, "swtpm does not answer ({error}):\n{}", process.log().text());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { socket: socket.to_owned(), _process: process })
    }

    /// Where it takes commands.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Gives its owner hierarchy a password, as some administrators do (TPM2_HierarchyChangeAuth; part 3, 24.8 of the TPM 2.0
    /// Library).
    pub fn set_owner_password(&self, password: &str) -> anyhow::Result<()> {
        // Authorized by the empty password that there was.
        const OWNER_AND_SESSION: [u8; 17] = [0x40, 0, 0, 1, 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
        let length = u16::try_from(password.len())?;
        let body = [&OWNER_AND_SESSION[..], &length.to_be_bytes(), password.as_bytes()].concat();
        let total = u32::try_from(body.len() + 10)?;
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[&[0x80, 2][..], &total.to_be_bytes(), &[0, 0, 1, 0x29], &body].concat())?;
        let mut header = [0; 10];
        stream.read_exact(&mut header)?;
        anyhow::ensure!(header[6..] == [0; 4], "swtpm refuses the password: {header:?}");
        Ok(())
    }
}
