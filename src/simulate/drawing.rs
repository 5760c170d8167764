//! What all plots share: their size, colours and lettering, and the way to a file of SVG or PNG.

use std::path::Path;
use std::sync::Arc;

use plotters::coord::Shift;
use plotters::prelude::*;
use resvg::usvg::fontdb::Database;
use resvg::{tiny_skia, usvg};

use crate::failure::Failure;

/// Pixels across and down.
pub const SIZE: (u32, u32) = (1_600, 1_200);
/// Text on a plot is nearly black, on white.
pub const INK: RGBColor = RGBColor(30, 30, 30);
/// Lines that help the eye.
pub const FAINT: RGBColor = RGBColor(215, 215, 215);
/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
/// As [`BLUE`].
pub const ORANGE: RGBColor = RGBColor(213, 94, 0);
/// As [`BLUE`].
pub const GREEN: RGBColor = RGBColor(0, 158, 115);
/// As [`BLUE`].
pub const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// The one font of pictures, linked in because a machine may have none. It is in the public domain: see its LICENSE.
const FONT: &[u8] = include_bytes!("font/Tuffy.ttf");
const FAMILY: &str = "Tuffy";

/// Where things are drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Drawing into a text fails only by a mistake of ours.
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// How a word is set: from the left, its top at the given point.
pub fn lettering(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Draws one entry of a legend that ends at `right`, and gives the place where the next one ends.
pub fn legend(
    area: &Area<'_>,
    (right, top): (i32, i32),
    name: &str,
    color: RGBColor,
) -> Result<i32, Box<dyn std::error::Error>> {
    /// Pixels of a letter on average; no font is measured here.
    const LETTER: f64 = 9.2;
    let left = right - (name.chars().count() as f64 * LETTER) as i32 - 28;
    area.draw(&Rectangle::new([(left, top + 4), (left + 18, top + 16)], color.filled()))?;
    area.draw_text(name, &lettering(22), (left + 26, top))?;
    Ok(left - 28)
}

/// Draws with `draw`, as SVG.
///
/// # Errors
/// If `draw` fails.
pub fn svg(draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, Failure> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let drawn = area.fill(&WHITE).map_err(Into::into).and_then(|()| draw(&area));
        drawn
            .and_then(|()| area.present().map_err(Into::into))
            .map_err(|error| Failure::because("cannot draw", error.as_ref()))?;
    }
    Ok(text)
}

/// Writes a drawing to a file, in the form that its name ends with.
///
/// # Errors
/// If the name ends with neither `.svg` nor `.png`, or the file cannot be written.
pub fn write(path: &Path, svg: &str) -> Result<(), Failure> {
    let bytes = match extension(path) {
        Some("png") => png(svg)?,
        _ => svg.as_bytes().to_vec(),
    };
    std::fs::write(path, bytes).map_err(|error| Failure::because(format!("cannot write {}", path.display()), &error))
}

/// The form of picture that the name says; `None`: none that can be drawn.
pub fn extension(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    ["svg", "png"].into_iter().find(|known| extension.eq_ignore_ascii_case(known))
}

fn png(svg: &str) -> Result<Vec<u8>, Failure> {
    let mut fonts = Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let options = usvg::Options { font_family: FAMILY.to_owned(), fontdb: Arc::new(fonts), ..usvg::Options::default() };
    let tree = usvg::Tree::from_str(svg, &options)
        .map_err(|error| Failure::because("the drawing cannot be made a picture", &error))?;
    let mut picture =
        tiny_skia::Pixmap::new(SIZE.0, SIZE.1).ok_or_else(|| Failure::new("there is no memory for a picture"))?;
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut picture.as_mut());
    picture.encode_png().map_err(|error| Failure::because("the picture cannot be written", &error))
}
