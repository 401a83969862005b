//! How much a file may hold. Each limit is far above what a programme needs and far below what would hurt the server.

/// Largest file in bytes.
pub const MAX_FILE_BYTES: usize = 32 << 20;
/// Largest content of a workbook once unpacked: small files that unpack to gigabytes are refused before they do.
pub const MAX_UNPACKED_BYTES: u64 = 256 << 20;
/// Most parts in a workbook.
pub const MAX_PARTS: usize = 1_000;
/// Most rows below the header.
pub const MAX_ROWS: usize = 200_000;
/// Most columns.
pub const MAX_COLUMNS: usize = 200;
/// Longest cell in characters; longer ones are cut there, and then refused by their field.
pub const MAX_CELL_CHARS: usize = 4_000;
/// Rows in one unit of work: small enough that check-ins never wait long for it.
pub const CHUNK_ROWS: usize = 1_000;
