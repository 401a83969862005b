//! Pictures of pages for the documentation: few colours, few bytes.

use std::{collections::HashMap, io::Cursor};

use anyhow::{Context as _, ensure};

/// Colours in a picture with a palette.
const COLOURS: usize = 256;

type Colour = [u8; 3];

/// The picture `png` with its 256 most frequent colours; each other becomes the nearest of them. A page is flat
/// surfaces and smoothed letters: nobody sees the difference, and it has a third of the bytes.
pub fn with_few_colours(png: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
    let frame = reader.next_frame(&mut pixels)?;
    ensure!(frame.bit_depth == png::BitDepth::Eight, "8 bits a channel, not {:?}", frame.bit_depth);
    let channels = frame.color_type.samples();
    ensure!(channels >= 3, "a picture in colour, not {:?}", frame.color_type);
    let pixels = &pixels[..frame.buffer_size()];
    let colours = pixels.chunks_exact(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    let palette = palette(colours.clone());
    let mut known: HashMap<Colour, u8> = HashMap::new();
    let indexes = colours.map(|colour| *known.entry(colour).or_insert_with(|| nearest(&palette, colour)));
    encode(frame.width, frame.height, &palette, &indexes.collect::<Vec<u8>>())
}

/// Sheets of paper beside each other on a grey ground of that size; pictures in colour, PNG.
pub fn beside_each_other(sheets: &[Vec<u8>], (width, height): (u32, u32)) -> anyhow::Result<Vec<u8>> {
    const GROUND: u8 = 0xd8;
    let line = usize::try_from(width)? * 3;
    let mut ground = vec![GROUND; line * usize::try_from(height)?];
    let read = |png: &Vec<u8>| -> anyhow::Result<(usize, Vec<u8>)> {
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
        let frame = reader.next_frame(&mut pixels)?;
        ensure!(frame.color_type == png::ColorType::Rgb, "a picture in colour, not {:?}", frame.color_type);
        ensure!(frame.height == height, "{} rows, not {height}", frame.height);
        pixels.truncate(frame.buffer_size());
        Ok((usize::try_from(frame.width)? * 3, pixels))
    };
    let sheets: Vec<(usize, Vec<u8>)> = sheets.iter().map(read).collect::<Result<_, _>>()?;
    let free = line.checked_sub(sheets.iter().map(|(wide, _)| wide).sum()).context("wider than the ground")? / 3;
    let gap = free / (sheets.len() + 1) * 3;
    let mut from = gap;
    for (wide, pixels) in &sheets {
        for (row, there) in pixels.chunks_exact(*wide).zip(ground.chunks_exact_mut(line)) {
            there[from..from + wide].copy_from_slice(row);
        }
        from += wide + gap;
    }
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&ground)?;
    writer.finish()?;
    Ok(file)
}

/// The most frequent colours, the most frequent first.
fn palette(colours: impl Iterator<Item = Colour>) -> Vec<Colour> {
    let mut counts: HashMap<Colour, usize> = HashMap::new();
    for colour in colours {
        *counts.entry(colour).or_default() += 1;
    }
    let mut counts: Vec<(usize, Colour)> = counts.into_iter().map(|(colour, count)| (count, colour)).collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    counts.into_iter().take(COLOURS).map(|(_, colour)| colour).collect()
}

fn nearest(palette: &[Colour], colour: Colour) -> u8 {
    let distance = |other: &Colour| -> u32 {
        colour.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(*other)).pow(2)).sum()
    };
    let best = palette.iter().enumerate().min_by_key(|(_, other)| distance(other));
    best.and_then(|(index, _)| u8::try_from(index).ok()).unwrap_or_default()
}

fn encode(width: u32, height: u32, palette: &[Colour], indexes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(indexes)?;
    writer.finish()?;
    Ok(file)
}

/// Width and height of the picture `png`.
pub fn size(png: &[u8]) -> anyhow::Result<(u32, u32)> {
    let reader = png::Decoder::new(Cursor::new(png)).read_info()?;
    Ok(reader.info().size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_stand_beside_each_other_on_grey() {
        let sheet = |wide: u32, level: u8| {
            let mut file = vec![];
            let mut encoder = png::Encoder::new(&mut file, wide, 2);
            encoder.set_color(png::ColorType::Rgb);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&vec![level; usize::try_from(wide).unwrap() * 6]).unwrap();
            writer.finish().unwrap();
            file
        };
        let both = beside_each_other(&[sheet(2, 1), sheet(3, 9)], (8, 2)).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(&both[..])).read_info().unwrap();
        let mut seen = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut seen).unwrap();
        let row: Vec<u8> = seen[..24].iter().copied().step_by(3).collect();
        assert_eq!(row, [0xd8, 1, 1, 0xd8, 9, 9, 9, 0xd8]);
        assert!(beside_each_other(&[sheet(9, 1)], (8, 2)).is_err(), "too wide");
    }

    #[test]
    fn a_picture_keeps_its_size_and_its_main_colours() {
        let mut file = vec![];
        let mut encoder = png::Encoder::new(&mut file, 64, 64);
        encoder.set_color(png::ColorType::Rgb);
        // Sixteen rows of white; below, every pixel another red or blue: more colours than fit.
        let pixels: Vec<u8> = (0..64_u8)
            .flat_map(|y| (0..64_u8).flat_map(move |x| if y < 16 { [255; 3] } else { [x * 4, 0, y * 4] }))
            .collect();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&pixels).unwrap();
        writer.finish().unwrap();
        let small = with_few_colours(&file).unwrap();
        assert_eq!(size(&small).unwrap(), (64, 64));
        let mut decoder = png::Decoder::new(Cursor::new(&small[..]));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut seen = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut seen).unwrap();
        assert_eq!(seen[..3], [255; 3]);
        assert!(with_few_colours(b"no picture").is_err());
    }
}
