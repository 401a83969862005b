//! What one client may take of the device port, each figure with its reason.

use std::time::Duration;

/// Connections held at once. An idle one costs about 28 KB, so the worst case stays near 115 MB; 21,000 laptops that
/// arrive within ten minutes need about 35 a second, for a few milliseconds each.
pub const MAX_CONNECTIONS: usize = 4_096;
/// Connections from one address: a quarter is always left to others. A whole school may share one address.
pub const MAX_CONNECTIONS_PER_SOURCE: usize = MAX_CONNECTIONS / 4 * 3;
/// Time for the TLS handshake, as a whole. A slow mobile link needs two or three seconds.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time from an accepted connection or the last answer to the end of the next request's headers.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for a request's body. The largest, 1 MiB, takes 9 s at 1 Mbit/s.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for a request as a whole, its wait for the database included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);
/// How much of a body that is too long is still read, so that the sender gets the answer instead of a reset.
pub const DRAIN_BYTES: usize = 1024 * 1024;
/// How long that may take.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// HTTP/2 streams at once on a connection: an agent uses one.
pub const MAX_STREAMS: u32 = 8;
/// HTTP/2 streams that a client may open and reset before it is cut off (CVE-2023-44487).
pub const MAX_RESET_STREAMS: usize = 16;
/// Bytes of headers. An agent sends about 200.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Deepest nesting of a JSON body. A report is 6 deep.
pub const MAX_JSON_DEPTH: usize = 32;
/// Enrolments that are decided at once: they write one after the other anyway, and must not take all connections to
/// the database from the check-ins.
pub const ENROLMENTS_AT_ONCE: usize = 4;
/// Unknown tokens, or recoveries that prove nothing, from one address within a minute, after which it is told to wait; so is
/// a key that proves itself for recoveries so often. Nobody guesses 130 bits or a signature: this bounds the noise.
pub const BAD_TOKENS_PER_MINUTE: u32 = 20;
/// Machines that wait at a time and name a lost key of one device: it asks once for each time that its TPM was cleared or
/// exchanged, and copies of its disk may ask too. They fill no more of their token's share of the queue.
pub const LOST_KEYS_WAITING_PER_DEVICE: i64 = 5;
/// Certificates that one device may be given within a day: an agent needs one in two months.
pub const CERTIFICATES_PER_DAY: i64 = 10;
/// Keys looked up in one statement.
pub const LOOKUPS_AT_ONCE: usize = 256;
/// How long open requests may take to end when the server stops.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
