//! How much a file may hold. Each limit is far above what a programme needs and far below what would hurt the server.

/// Largest file in bytes.
pub const MAX_FILE_BYTES: usize = 32 << 20;
/// Largest content of a workbook once unpacked: small files that unpack to gigabytes are refused before they do.
pub const MAX_UNPACKED_BYTES: u64 = 256 << 20;
/// The same for a short list, such as a class: a sheet of a thousand lines unpacks to a tenth of it.
const MAX_UNPACKED_LIST_BYTES: u64 = 32 << 20;
/// Most memory of a table's cells, each with what a string of its own costs: 200,000 rows of thirty columns with a dozen
/// letters each. One text that a workbook holds once and names in every cell would be gigabytes.
const MAX_TABLE_BYTES: usize = 256 << 20;
/// The same for a short list.
const MAX_LIST_BYTES: usize = 16 << 20;
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
/// Most rows of a file that is written all or nothing, in one unit of work. `import_rows` writes 50,000 rows in 17.8 s on
/// SQLite and 24.8 s on PostgreSQL (docs/BENCHMARKS.md): 5,000 are 1.8 s and 2.5 s, and whoever else writes on SQLite
/// gives up after 3 s.
pub const MAX_WHOLE_ROWS: usize = 5_000;

/// How large a file may become in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a workbook's parts once unpacked.
    pub unpacked: u64,
    /// Bytes of all cells, each with what its string costs.
    pub cells: usize,
}

impl Bounds {
    /// Of a file that is imported.
    pub const OF_TABLE: Self = Self { unpacked: MAX_UNPACKED_BYTES, cells: MAX_TABLE_BYTES };
    /// Of a short list that any clerk may send.
    pub const OF_LIST: Self = Self { unpacked: MAX_UNPACKED_LIST_BYTES, cells: MAX_LIST_BYTES };
}
