//! Photographs that staff send: decoded within limits, turned upright, made smaller, and encoded anew. What cameras write
//! beside the picture (place, time, the telephone's name) is not part of what is encoded, so it is gone.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    metadata::Orientation,
};

/// Largest file that is read, in bytes: a telephone's photograph at its best.
pub const MAX_FILE_BYTES: usize = 12 << 20;
/// Longest side of what is decoded, in pixels: the largest telephones' cameras; more is an attack.
const MAX_SIDE: u32 = 12_000;
/// Most memory that decoding may take, in bytes: 50 million pixels of four bytes.
pub const MAX_DECODED_BYTES: u64 = 200 << 20;
/// Longest side of what is kept, in pixels: a crack is seen, a serial number can be read.
const KEPT_SIDE: u32 = 1280;
/// JPEG quality of what is kept: about 150 KB a picture.
const QUALITY: u8 = 75;

/// A picture of our own making.
#[derive(Clone, Debug)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// As JPEG, without any metadata.
    pub jpeg: Vec<u8>,
}

/// Why a file is no photograph to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("the file is larger than {} MB", MAX_FILE_BYTES >> 20)]
    TooLarge,
    /// It is no JPEG, PNG or WebP, or it is broken, or its picture is too large.
    #[error("the file is no JPEG, PNG or WebP picture of at most {MAX_SIDE} pixels a side")]
    Unreadable,
}

/// The picture in `file`, encoded anew. Takes up to a second of a processor and [`MAX_DECODED_BYTES`] of memory: callers run
/// it where that holds up nobody, one at a time.
pub fn encoded_anew(file: &[u8]) -> Result<Picture, NoPicture> {
    if file.len() > MAX_FILE_BYTES {
        return Err(NoPicture::TooLarge);
    }
    let (whole, orientation) = decoded(file).ok_or(NoPicture::Unreadable)?;
    // Never larger than it came. Averaged over areas: no second picture of floating numbers in memory.
    let mut small =
        if whole.width().max(whole.height()) > KEPT_SIDE { whole.thumbnail(KEPT_SIDE, KEPT_SIDE) } else { whole };
    // Turning makes a second picture: of the small one, which fits the same square either way.
    small.apply_orientation(orientation);
    let pixels = small.to_rgb8();
    let (width, height) = pixels.dimensions();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(pixels.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|_| NoPicture::Unreadable)?;
    Ok(Picture { width, height, jpeg })
}

/// The picture as it lies in the file, and how it is to be turned.
fn decoded(file: &[u8]) -> Option<(DynamicImage, Orientation)> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().ok()?;
    if !matches!(reader.format()?, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return None;
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let orientation = decoder.orientation().ok()?;
    // Known before a pixel is decoded.
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return None;
    }
    Some((DynamicImage::from_decoder(decoder).ok()?, orientation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 128])
        }))
    }

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A segment of a JPEG.
    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, content].concat()
    }

    /// An Exif block as telephones write it: turned by a quarter, and where and with what it was taken.
    fn exif() -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
        };
        let degrees = |parts: [u32; 3]| {
            parts.iter().flat_map(|part| [part.to_le_bytes(), 1_u32.to_le_bytes()].concat()).collect::<Vec<u8>>()
        };
        // Two directories of 3 and 4 entries (2 + 12 each + 4 bytes), then what their entries point at.
        let (first, gps) = (8_u32, 8_u32 + 2 + 3 * 12 + 4);
        let values = gps + 2 + 4 * 12 + 4;
        let tiff = [
            b"II*\0".to_vec(),
            first.to_le_bytes().to_vec(),
            3_u16.to_le_bytes().to_vec(),
            entry(0x0110, 2, 9, (values + 48).to_le_bytes()), // Model
            entry(0x0112, 3, 1, [6, 0, 0, 0]),                // Orientation
            entry(0x8825, 4, 1, gps.to_le_bytes()),           // GPS
            vec![0; 4],
            4_u16.to_le_bytes().to_vec(),
            entry(1, 2, 2, *b"N\0\0\0"),
            entry(2, 5, 3, values.to_le_bytes()),
            entry(3, 2, 2, *b"E\0\0\0"),
            entry(4, 5, 3, (values + 24).to_le_bytes()),
            vec![0; 4],
            degrees([48, 53, 31]),
            degrees([2, 13, 17]),
            b"Pixel 99\0".to_vec(),
        ];
        [b"Exif\0\0".to_vec(), tiff.concat()].concat()
    }

    /// The JPEG with everything that cameras and programs write beside a picture.
    fn with_what_cameras_write(jpeg: &[u8]) -> Vec<u8> {
        let beside = [
            segment(0xe1, &exif()),
            segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SECRET-PLACE</x:xmpmeta>"),
            segment(0xed, b"Photoshop 3.0\0SECRET-PLACE"),
            segment(0xfe, b"SECRET-PLACE"),
        ];
        [&jpeg[..2], &beside.concat(), &jpeg[2..]].concat()
    }

    /// The markers of a JPEG's segments up to its picture.
    fn markers(jpeg: &[u8]) -> Vec<u8> {
        let (mut at, mut found) = (2, Vec::new());
        while jpeg[at + 1] != 0xda {
            assert_eq!(jpeg[at], 0xff, "a segment begins");
            found.push(jpeg[at + 1]);
            at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        }
        found
    }

    fn holds(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_photograph_is_made_smaller_upright_and_loses_what_stands_beside_it() {
        let sent = with_what_cameras_write(&file(&picture(2000, 1000), ImageFormat::Jpeg));
        let place = 48_u32.to_le_bytes();
        for part in [&b"SECRET-PLACE"[..], b"Pixel 99", &[place, 1_u32.to_le_bytes()].concat()] {
            assert!(holds(&sent, part), "it was sent");
        }
        let kept = encoded_anew(&sent).unwrap();
        assert_eq!((kept.width, kept.height), (640, 1280), "turned by a quarter as its Exif block says, and smaller");
        for part in [&b"SECRET-PLACE"[..], b"Exif", b"Pixel 99", b"http"] {
            assert!(!holds(&kept.jpeg, part), "{}", String::from_utf8_lossy(part));
        }
        // JFIF's own header, tables, the frame: no other application's data, no comment.
        let beside: Vec<u8> = markers(&kept.jpeg).into_iter().filter(|marker| (0xe1..=0xfe).contains(marker)).collect();
        assert_eq!(beside, Vec::<u8>::new());
        assert!(kept.jpeg.starts_with(&[0xff, 0xd8]) && kept.jpeg.len() < 400_000);
        assert!(encoded_anew(&kept.jpeg).is_ok(), "what is kept is a picture");
    }

    #[test]
    fn small_pictures_stay_and_other_formats_become_jpeg() {
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Jpeg] {
            let kept = encoded_anew(&file(&picture(40, 30), format)).unwrap();
            assert_eq!((kept.width, kept.height), (40, 30), "{format:?}");
            assert!(kept.jpeg.starts_with(&[0xff, 0xd8]));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let png = file(&picture(40, 30), ImageFormat::Png);
        let gif = file(&picture(4, 3), ImageFormat::Gif);
        // A header that promises four hundred million pixels, which no byte backs; a real bomb stands in tests/workshop.
        let mut bomb = png.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        for bad in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", &png[..40], &gif, &bomb] {
            assert_eq!(encoded_anew(bad).unwrap_err(), NoPicture::Unreadable);
        }
        assert_eq!(encoded_anew(&vec![0; MAX_FILE_BYTES + 1]).unwrap_err(), NoPicture::TooLarge);
    }
}
