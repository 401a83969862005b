//! One question over D-Bus: does NetworkManager call the network metered?
//!
//! The whole protocol for one property in a page of code: a library of it would be a fifth of the program. Everything
//! that goes wrong (no bus, no NetworkManager, an odd answer) is "unknown". Never starts a service: the message says so.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use crate::fairness::Network;

const SOCKET: &str = "/run/dbus/system_bus_socket";

/// The bus is on this machine: who does not answer within this will not. The agent waits: it has nothing else to do.
const LIMIT: Duration = Duration::from_secs(2);

/// Largest message read; the answers are below 200 bytes.
const LARGEST_MESSAGE: usize = 16 * 1024;

/// Most messages read before the answer: the bus greets with a signal or two.
const MOST_MESSAGES: usize = 8;

/// Longest line with which the bus lets us in; it has about 40 characters.
const LONGEST_LINE: usize = 200;

/// Most bytes that are read of a bus, whatever it says.
pub const MOST_BYTES: usize = LONGEST_LINE + MOST_MESSAGES * LARGEST_MESSAGE;

const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
const NO_AUTO_START: u8 = 2;

const HELLO_SERIAL: u32 = 1;
const GET_SERIAL: u32 = 2;

/// What NetworkManager says of the present network.
pub(crate) fn network() -> Network {
    ask(Path::new(SOCKET), LIMIT).unwrap_or_default()
}

fn ask(socket: &Path, limit: Duration) -> Option<Network> {
    let mut bus = UnixStream::connect(socket).ok()?;
    bus.set_read_timeout(Some(limit)).ok()?;
    bus.set_write_timeout(Some(limit)).ok()?;
    converse(&mut bus)
}

/// Asks whatever answers over `bus`. None where it does not answer the question; what it answers otherwise is unknown.
pub fn converse(bus: &mut (impl Read + Write)) -> Option<Network> {
    let user = rustix::process::geteuid().as_raw().to_string();
    let user = data_encoding::HEXLOWER.encode(user.as_bytes());
    bus.write_all(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes()).ok()?;
    // Byte by byte: what follows the line belongs to the messages.
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE {
            return None;
        }
        let mut byte = [0];
        bus.read_exact(&mut byte).ok()?;
        line.extend_from_slice(&byte);
    }
    if !line.starts_with(b"OK ") {
        return None;
    }
    let bus_itself = "org.freedesktop.DBus";
    let hello = call(HELLO_SERIAL, "/org/freedesktop/DBus", bus_itself, bus_itself, "Hello", &[]);
    let manager = "org.freedesktop.NetworkManager";
    let properties = "org.freedesktop.DBus.Properties";
    let get = call(GET_SERIAL, "/org/freedesktop/NetworkManager", manager, properties, "Get", &[manager, "Metered"]);
    bus.write_all(&[b"BEGIN\r\n".as_slice(), &hello, &get].concat()).ok()?;
    for _ in 0..MOST_MESSAGES {
        let message = read_message(bus)?;
        if let Some(answer) = answer_in(&message) {
            return Some(answer);
        }
    }
    None
}

/// A method call with texts as arguments.
fn call(serial: u32, path: &str, destination: &str, interface: &str, member: &str, arguments: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for argument in arguments {
        put_text(&mut body, argument);
    }
    let signature = "s".repeat(arguments.len());
    let mut fields = Vec::new();
    for (code, kind, value) in
        [(PATH, b'o', path), (DESTINATION, b's', destination), (INTERFACE, b's', interface), (MEMBER, b's', member)]
    {
        pad(&mut fields, 8);
        fields.extend_from_slice(&[code, 1, kind, 0]);
        put_text(&mut fields, value);
    }
    if !arguments.is_empty() {
        pad(&mut fields, 8);
        fields.extend_from_slice(&[SIGNATURE, 1, b'g', 0]);
        fields.push(u8::try_from(signature.len()).unwrap_or(0));
        fields.extend_from_slice(signature.as_bytes());
        fields.push(0);
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut message = vec![b'l', 1, NO_AUTO_START, 1];
    message.extend_from_slice(&length(&body));
    message.extend_from_slice(&serial.to_le_bytes());
    message.extend_from_slice(&length(&fields));
    message.extend_from_slice(&fields);
    pad(&mut message, 8);
    message.extend_from_slice(&body);
    message
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    pad(to, 4);
    to.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend_from_slice(text.as_bytes());
    to.push(0);
}

fn pad(to: &mut Vec<u8>, to_multiple_of: usize) {
    to.resize(to.len().next_multiple_of(to_multiple_of), 0);
}

fn read_message(bus: &mut impl Read) -> Option<Vec<u8>> {
    let mut message = vec![0; 16];
    bus.read_exact(&mut message).ok()?;
    let length = body_at(&message)?.checked_add(number_at(&message, 4)?)?;
    if length > LARGEST_MESSAGE {
        return None;
    }
    message.resize(length, 0);
    bus.read_exact(message.get_mut(16..)?).ok()?;
    Some(message)
}

fn number_at(message: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = message.get(at..at.checked_add(4)?)?.try_into().ok()?;
    // A bus speaks as its machine does.
    let number = if message.first() == Some(&b'B') { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    usize::try_from(number).ok()
}

fn body_at(message: &[u8]) -> Option<usize> {
    16_usize.checked_add(number_at(message, 12)?)?.checked_next_multiple_of(8)
}

/// The answer, when this message is one; an error is an answer: unknown.
fn answer_in(message: &[u8]) -> Option<Network> {
    let kind = *message.get(1)?;
    if !matches!(kind, METHOD_RETURN | ERROR) || reply_serial(message)? != GET_SERIAL as usize {
        return None;
    }
    // A variant that holds a number: its signature "u", then the number on a multiple of four.
    let body = message.get(body_at(message)?..)?;
    if kind == ERROR || !body.starts_with(&[1, b'u', 0]) {
        return Some(Network::Unknown);
    }
    // NMMetered: 0 unknown, 1 yes, 2 no, 3 yes by a guess, 4 no by a guess.
    Some(match number_at(message, body_at(message)? + 4) {
        Some(1 | 3) => Network::Metered,
        Some(2 | 4) => Network::Free,
        _ => Network::Unknown,
    })
}

/// To which call a message answers.
fn reply_serial(message: &[u8]) -> Option<usize> {
    let end = 16_usize.checked_add(number_at(message, 12)?)?;
    let mut at = 16_usize;
    while at < end {
        let (code, kind) = (*message.get(at)?, *message.get(at + 2)?);
        at += 4;
        match kind {
            b'u' if code == REPLY_SERIAL => return number_at(message, at),
            b'u' => at += 4,
            b's' | b'o' => at = at.checked_add(5)?.checked_add(number_at(message, at)?)?,
            b'g' => at += 2 + usize::from(*message.get(at)?),
            _ => return None,
        }
        at = at.checked_next_multiple_of(8)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer as a bus gives it.
    fn answer(kind: u8, serial: u32, body: &[u8]) -> Vec<u8> {
        let mut fields = vec![REPLY_SERIAL, 1, b'u', 0];
        fields.extend_from_slice(&serial.to_le_bytes());
        fields.extend_from_slice(&[DESTINATION, 1, b's', 0]);
        put_text(&mut fields, ":1.7");
        let mut message = vec![b'l', kind, 1, 1];
        message.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        message.extend_from_slice(&9_u32.to_le_bytes());
        message.extend_from_slice(&u32::try_from(fields.len()).unwrap().to_le_bytes());
        message.extend_from_slice(&fields);
        pad(&mut message, 8);
        message.extend_from_slice(body);
        message
    }

    fn metered(value: u32) -> Vec<u8> {
        [[1, b'u', 0, 0].as_slice(), &value.to_le_bytes()].concat()
    }

    #[test]
    fn the_answer_is_found_among_what_a_bus_says() {
        for (value, expected) in [
            (0, Network::Unknown),
            (1, Network::Metered),
            (2, Network::Free),
            (3, Network::Metered),
            (4, Network::Free),
        ] {
            let (mut ours, mut bus) = UnixStream::pair().unwrap();
            let asked = std::thread::spawn(move || {
                let mut asked = vec![0; 1000];
                let length = bus.read(&mut asked).unwrap();
                bus.write_all(b"OK 0123\r\n").unwrap();
                let calls = bus.read(&mut [0; 1000]).unwrap();
                assert!(calls > 200, "two calls in one piece");
                bus.write_all(&answer(METHOD_RETURN, HELLO_SERIAL, &metered(1))).unwrap();
                bus.write_all(&answer(METHOD_RETURN, GET_SERIAL, &metered(value))).unwrap();
                asked[..length].starts_with(b"\0AUTH EXTERNAL ")
            });
            assert_eq!(converse(&mut ours), Some(expected), "{value}");
            assert!(asked.join().unwrap());
        }
        assert_eq!(answer_in(&answer(ERROR, GET_SERIAL, b"")), Some(Network::Unknown));
    }

    #[test]
    fn a_machine_without_a_bus_is_unknown_and_a_silent_one_costs_little() {
        assert_eq!(ask(Path::new("/nonexistent/bus"), LIMIT), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let start = std::time::Instant::now();
        assert_eq!(ask(&path, Duration::from_millis(50)), None);
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    /// Against the bus of Debian: it accepts what is sent and says that nobody has the name.
    #[test]
    fn a_real_bus_understands_the_question() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let config = folder.path().join("bus.conf");
        std::fs::write(
            &config,
            format!(
                "<busconfig><type>custom</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                socket.display()
            ),
        )
        .unwrap();
        let daemon = std::process::Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"])
            .spawn();
        let mut daemon = daemon.expect("dbus-daemon: install it (tests/run does)");
        let patience = std::time::Instant::now() + Duration::from_secs(10);
        while !socket.exists() && std::time::Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
        }
        let found = ask(&socket, LIMIT);
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert_eq!(found, Some(Network::Unknown));
    }

    proptest! {
        #[test]
        fn no_message_of_a_stranger_ends_the_agent(message in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer_in(&message);
            let _ = body_at(&message);
        }

        #[test]
        fn a_torn_answer_is_no_answer(value in any::<u32>(), cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut message = answer(METHOD_RETURN, GET_SERIAL, &metered(value));
            let length = message.len();
            message[at.index(length)] = byte;
            message.truncate(cut.index(length));
            let _ = answer_in(&message);
        }
    }
}
