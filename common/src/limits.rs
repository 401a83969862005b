//! Every size limit of the protocol, in one place, each with its reason.
//!
//! The gateway enforces them on what arrives; the agent keeps to them in what it sends.

/// Largest request body in bytes, before decompression. A full report is 2 to 6 KB; a whole spool of
/// [`SPOOLED_REPORTS_PER_CHECK_IN`] reports stays well below.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Largest request body in bytes, after decompression: the same, so that compressing buys no room to a sender.
pub const MAX_DECOMPRESSED_BYTES: usize = MAX_BODY_BYTES;

/// Largest answer in bytes that an agent reads: ten times what a server sends, far below what would hurt a laptop.
/// A captive portal's page is cut there.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Longest text in characters that a report carries. SMBIOS strings reach 64 by convention, drive models 40;
/// operating-system names about 80.
pub const MAX_TEXT_CHARS: usize = 128;

/// Longest serial number in characters, after trimming. Real ones reach about 40 (Apple boards, NVMe drives: 20).
pub const MAX_SERIAL_CHARS: usize = 64;

/// Most drives in a report: a laptop has one to three.
pub const MAX_DRIVES: usize = 16;

/// Most SMART attributes for one drive: the ATA table has 30 places.
pub const MAX_ATA_ATTRIBUTES: usize = 30;

/// Most volumes in a report: a laptop with recovery, boot, system, data and a few removable ones has fewer than ten.
pub const MAX_VOLUMES: usize = 32;

/// Most batteries in a report: some ThinkPads have two.
pub const MAX_BATTERIES: usize = 4;

/// Most temperature sensors in a report; the rest are dropped by the agent, hottest kept.
pub const MAX_TEMPERATURES: usize = 32;

/// Most entries in the list of what could not be read.
pub const MAX_UNREAD: usize = 64;

/// Reports that one check-in may carry. A laptop that was offline sends its spool over several check-ins.
pub const SPOOLED_REPORTS_PER_CHECK_IN: usize = 32;

/// Longest CSR in bytes (PEM). One with a P-256 key and no extensions is about 400.
pub const MAX_CSR_BYTES: usize = 8 * 1024;

/// Most steps of the chain of trust bundles that a server gives: one of two roots is about 1.5 KB, and a root lives for 20
/// years.
pub const MAX_TRUST_BUNDLES: usize = 32;

/// Most roots in one trust bundle: a rotation overlaps two.
pub const MAX_ROOTS: usize = 4;

/// Longest enrolment token in characters, as typed. Ours are 34: 28 in groups of four.
pub const MAX_TOKEN_CHARS: usize = 128;

/// Shortest interval in seconds to the next check-in that an agent accepts: guards the fleet against a wrong setting.
pub const MIN_CHECK_IN_SECONDS: u32 = 30;

/// Longest interval in seconds to the next check-in that an agent accepts: a laptop is never told to stay away
/// longer than a day.
pub const MAX_CHECK_IN_SECONDS: u32 = 24 * 60 * 60;

/// Longest exam in seconds that one answer can announce: a laptop is never told to stay away longer than a day.
pub const MAX_EXAMS_SECONDS: u32 = MAX_CHECK_IN_SECONDS;

/// Contacts after an exam spread over so many seconds: it ends for a whole school at once.
pub const AFTER_EXAMS_SECONDS: u32 = 10 * 60;

/// Interval in seconds to the next check-in when the server says nothing else (DESIGN §3).
pub const DEFAULT_CHECK_IN_SECONDS: u32 = 60 * 60;

/// Longest time in days that unchanged content may go without being sent whole: a full report a week bounds how long
/// a lost row on the server can stay unnoticed.
pub const FULL_REPORT_EVERY_DAYS: u32 = 7;
