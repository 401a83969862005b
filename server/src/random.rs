//! The one place of the server that asks the operating system for randomness. What decides takes it as an argument.

/// The operating system gave no randomness: nothing secret can be made, so nothing is.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// `N` unpredictable bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// A number to spread load with; zero where there is no randomness, because nobody's security rests on it.
pub fn spread() -> u64 {
    bytes().map(u64::from_le_bytes).unwrap_or_default()
}
