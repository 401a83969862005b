//! One conversation with a TPM: a command out, its answer in, and everything that it loaded forgotten at the end.
//!
//! The kernel's resource manager (/dev/tpmrm0) gives each opening of it a TPM of its own, so nothing that others loaded is
//! in the way and nothing of ours stays. A socket is a TPM emulator's (swtpm), which has no such manager.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
    time::Duration,
};

use super::{
    Code, TpmError,
    wire::{self, Command, HEADER_BYTES},
};

/// Longest answer: TPM_PT_MAX_RESPONSE_SIZE of the platform profiles.
const LONGEST_ANSWER: usize = 4096;

/// How often a command is said while the TPM is busy with itself, the first wait, and how it grows: 0.6 s together.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// TPM_RC_YIELDED, TPM_RC_TESTING, TPM_RC_RETRY (part 2, 6.6.3): "say it again".
const BUSY: [u32; 3] = [0x908, 0x90a, 0x922];

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// An open TPM.
pub(super) struct Channel {
    stream: Box<dyn Stream>,
    loaded: Vec<u32>,
    /// Before a command is said again to a TPM that is busy; each further one is twice as long.
    first_wait: Duration,
}

impl Channel {
    /// Opens the TPM at `place`.
    pub(super) fn open(place: &Path) -> Result<Self, TpmError> {
        let stream = open(place).map_err(|source| TpmError::Absent { place: place.to_owned(), source })?;
        Ok(Self { stream, loaded: Vec::new(), first_wait: FIRST_WAIT })
    }

    /// Speaks with whatever answers over `stream`, and waits for nothing.
    pub(super) fn over(stream: impl Read + Write + 'static) -> Self {
        Self { stream: Box::new(stream), loaded: Vec::new(), first_wait: Duration::ZERO }
    }

    /// Says `said`, which is `command`; gives what follows the header of the answer.
    pub(super) fn say(&mut self, command: Command, said: &[u8]) -> Result<Vec<u8>, TpmError> {
        let mut wait = self.first_wait;
        let mut attempts = 1;
        loop {
            let answer = self.exchange(said).map_err(|source| TpmError::Broken { command, source })?;
            let header = answer.first_chunk::<HEADER_BYTES>().ok_or(TpmError::Malformed(command))?;
            match wire::read_header(*header).1 {
                0 => return Ok(answer[HEADER_BYTES..].to_vec()),
                code if BUSY.contains(&code) && attempts < ATTEMPTS => {
                    std::thread::sleep(wait);
                    wait *= 2;
                    attempts += 1;
                }
                code => return Err(TpmError::Refused { command, code: Code(code) }),
            }
        }
    }

    /// Says a command whose answer begins with the handle of what it loaded; that is forgotten with this conversation.
    pub(super) fn load(&mut self, command: Command, said: &[u8]) -> Result<u32, TpmError> {
        let body = self.say(command, said)?;
        let handle = wire::read_handle(&body).ok_or(TpmError::Malformed(command))?;
        self.loaded.push(handle);
        Ok(handle)
    }

    fn exchange(&mut self, said: &[u8]) -> io::Result<Vec<u8>> {
        // One write and, from the device, one read: the kernel takes and gives whole messages.
        self.stream.write_all(said)?;
        let mut answer = vec![0; LONGEST_ANSWER];
        let mut read = 0;
        loop {
            let more = self.stream.read(&mut answer[read..])?;
            read += more;
            let told = answer[..read].first_chunk::<HEADER_BYTES>().map(|header| wire::read_header(*header).0);
            if told == Some(read) {
                answer.truncate(read);
                return Ok(answer);
            }
            if more == 0 || told.is_some_and(|told| told < read.max(HEADER_BYTES) || told > LONGEST_ANSWER) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer of another length than it says"));
            }
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        for handle in std::mem::take(&mut self.loaded).into_iter().rev() {
            // The kernel forgets it with the device's closing anyway.
            let _ = self.say(Command::FlushContext, &wire::flush(handle));
        }
    }
}

#[cfg(unix)]
fn open(place: &Path) -> io::Result<Box<dyn Stream>> {
    use std::os::unix::{fs::FileTypeExt as _, net::UnixStream};

    /// A device answers when it is done; an emulator may have died.
    const SOCKET_LIMIT: Duration = Duration::from_secs(30);

    if std::fs::metadata(place)?.file_type().is_socket() {
        let stream = UnixStream::connect(place)?;
        stream.set_read_timeout(Some(SOCKET_LIMIT))?;
        return Ok(Box::new(stream));
    }
    Ok(Box::new(device(place)?))
}

#[cfg(not(unix))]
fn open(place: &Path) -> io::Result<Box<dyn Stream>> {
    Ok(Box::new(device(place)?))
}

fn device(place: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(place)
}
