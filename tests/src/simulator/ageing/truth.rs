//! What the simulator knows and nobody else: which device needed which repair, on which day, and why.

/// A part that had to be repaired or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The drive: it is dead.
    Drive,
    /// The battery: it no longer lasts from one socket to the next as its holder needs it.
    Battery,
    /// The screen.
    Screen,
    /// The keyboard.
    Keyboard,
    /// The hinges.
    Hinge,
    /// The charger.
    Charger,
    /// The board, a fan, a radio, a socket.
    Board,
}

impl Part {
    /// Whether an agent reads anything of it.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Drive | Self::Battery)
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A battery faded, little by little.
    Faded,
    /// A battery with a weak cell.
    WeakCell,
    /// Something that worked and then did not, without any sign.
    Sudden,
    /// A drive that had shown signs since that day.
    Declined {
        /// When the first sign could be read.
        since: i64,
    },
    /// Somebody broke it.
    Accident,
}

/// A repair that a device needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The day, since 1970.
    pub day: i64,
    /// Of what.
    pub part: Part,
    /// Why.
    pub cause: Cause,
}
