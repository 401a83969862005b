//! Photographs that staff send: decoded within limits, turned upright, made smaller, and encoded anew. What cameras write
//! beside the picture (place, time, the telephone's name) is not part of what is encoded, so it is gone.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};

/// Largest file that is read, in bytes: a telephone's photograph at its best.
pub const MAX_FILE_BYTES: usize = 12 << 20;
/// Longest side of what is decoded, in pixels: the largest telephones' cameras; more is an attack.
const MAX_SIDE: u32 = 12_000;
/// Most memory that decoding may take, in bytes: 50 million pixels of four bytes.
const MAX_DECODED_BYTES: u64 = 200 << 20;
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

/// The picture in `file`, encoded anew. Takes up to a second of a processor: callers run it where that holds up nobody.
pub fn encoded_anew(file: &[u8]) -> Result<Picture, NoPicture> {
    if file.len() > MAX_FILE_BYTES {
        return Err(NoPicture::TooLarge);
    }
    let upright = decoded(file).ok_or(NoPicture::Unreadable)?;
    // Never larger than it came.
    let small = if upright.width().max(upright.height()) > KEPT_SIDE {
        upright.resize(KEPT_SIDE, KEPT_SIDE, FilterType::Triangle)
    } else {
        upright
    };
    let pixels = small.to_rgb8();
    let (width, height) = pixels.dimensions();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(pixels.as_raw(), width, height, ExtendedColorType::Rgb8)
        .map_err(|_| NoPicture::Unreadable)?;
    Ok(Picture { width, height, jpeg })
}

fn decoded(file: &[u8]) -> Option<DynamicImage> {
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
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(orientation);
    Some(picture)
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

    /// The JPEG with an Exif block that says "turned by a quarter" and names a place.
    fn with_exif(jpeg: &[u8]) -> Vec<u8> {
        // TIFF, little endian, one entry: orientation (0x0112), a short, once: 6.
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        exif.extend(b"SECRET-PLACE 48.8566 N 2.3522 E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut bytes = jpeg[..2].to_vec();
        bytes.extend([0xff, 0xe1]);
        bytes.extend(length);
        bytes.extend(exif);
        bytes.extend(&jpeg[2..]);
        bytes
    }

    #[test]
    fn a_photograph_is_made_smaller_upright_and_loses_what_stands_beside_it() {
        let sent = with_exif(&file(&picture(2000, 1000), ImageFormat::Jpeg));
        assert!(sent.windows(12).any(|part| part == b"SECRET-PLACE"));
        let kept = encoded_anew(&sent).unwrap();
        assert_eq!((kept.width, kept.height), (640, 1280), "turned by a quarter, and smaller");
        assert!(!kept.jpeg.windows(12).any(|part| part == b"SECRET-PLACE"));
        assert!(!kept.jpeg.windows(4).any(|part| part == b"Exif"));
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
        // A header that promises four hundred million pixels, which no byte backs.
        let mut bomb = png.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        for bad in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", &png[..40], &gif, &bomb] {
            assert_eq!(encoded_anew(bad).unwrap_err(), NoPicture::Unreadable);
        }
        assert_eq!(encoded_anew(&vec![0; MAX_FILE_BYTES + 1]).unwrap_err(), NoPicture::TooLarge);
    }
}
