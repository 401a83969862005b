//! A signature drawn on a screen: strokes on a field of 600 × 200, as numbers. Never an image from outside: what is
//! shown later is drawn anew from these numbers.

use std::fmt::Write as _;

/// Width of the field.
pub const WIDTH: u16 = 600;
/// Height of the field.
pub const HEIGHT: u16 = 200;
/// Most points of a drawing: half a minute of drawing, about 16 KiB of text.
pub const MAX_POINTS: usize = 2_000;
/// Fewest points: a click is no signature.
pub const MIN_POINTS: usize = 5;

/// The strokes, each a list of points.
#[derive(Clone, PartialEq, Eq)]
pub struct Drawing(Vec<Vec<(u16, u16)>>);

/// A text that is no drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a drawn signature is strokes `x,y x,y;x,y` within {WIDTH} × {HEIGHT}, {MIN_POINTS} to {MAX_POINTS} points")]
pub struct InvalidDrawing;

impl Drawing {
    /// As the path of an SVG.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for stroke in &self.0 {
            for (index, (x, y)) in stroke.iter().enumerate() {
                // Writing to a String cannot fail.
                let _ = write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
            }
        }
        path
    }
}

impl std::fmt::Display for Drawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, stroke) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ";" })?;
            for (index, (x, y)) in stroke.iter().enumerate() {
                write!(f, "{}{x},{y}", if index == 0 { "" } else { " " })?;
            }
        }
        Ok(())
    }
}

/// How somebody signs is personal: `Debug` shows nothing.
impl std::fmt::Debug for Drawing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Drawing([redacted])")
    }
}

impl std::str::FromStr for Drawing {
    type Err = InvalidDrawing;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let point = |text: &str| {
            let (x, y) = text.split_once(',').ok_or(InvalidDrawing)?;
            let (x, y): (u16, u16) = (x.parse().map_err(|_| InvalidDrawing)?, y.parse().map_err(|_| InvalidDrawing)?);
            if x <= WIDTH && y <= HEIGHT { Ok((x, y)) } else { Err(InvalidDrawing) }
        };
        let stroke = |text: &str| text.split(' ').map(point).collect::<Result<Vec<_>, _>>();
        let strokes: Vec<_> = text.split(';').map(stroke).collect::<Result<_, _>>()?;
        let points: usize = strokes.iter().map(Vec::len).sum();
        if (MIN_POINTS..=MAX_POINTS).contains(&points) { Ok(Self(strokes)) } else { Err(InvalidDrawing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_numbers_within_its_field_and_nothing_else() {
        let text = "1,2 3,4 5,6;7,8 600,200";
        let drawing: Drawing = text.parse().unwrap();
        assert_eq!(drawing.to_string(), text);
        assert_eq!(drawing.path(), "M1 2L3 4L5 6M7 8L600 200");
        assert_eq!(format!("{drawing:?}"), "Drawing([redacted])");
        let long = vec!["1,1"; MAX_POINTS + 1].join(" ");
        for bad in ["", "1,1", "1,1 2,2 3,3 4,4 601,1", "1,1 2,2 3,3 4,4 -1,1", "1,1 2,2 3,3 4,4 <svg>,1", &long] {
            assert_eq!(bad.parse::<Drawing>(), Err(InvalidDrawing), "{bad}");
        }
    }
}
