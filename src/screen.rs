//! Standard error, for lines that scroll and for a block that stays below them on a terminal. Whatever is written there goes through
//! here, so that neither spoils the other.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use console::{Term, measure_text_width, truncate_str};

/// Moves to the first column.
const FIRST_COLUMN: &str = "\r";
/// Empties the line that the cursor is on. A line that fills the screen's width must be emptied before and not after it is
/// written: its last column would go as well.
const CLEAR_LINE: &str = "\x1b[2K";
/// Empties the screen from the cursor on.
const CLEAR_BELOW: &str = "\x1b[J";

/// Empties the screen.
const CLEAR: &str = "\x1b[2J";
/// Moves to the upper left corner, so that the next picture covers the last one without a flicker.
const HOME: &str = "\x1b[H";
/// Moves to the next line and empties the screen from there on, and comes back.
const CLEAR_REST: &str = "\x1b7\n\x1b[J\x1b8";

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The lines of the block as they stand on the screen.
static BLOCK: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn block() -> MutexGuard<'static, Vec<String>> {
    BLOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The size of the terminal that standard error is; absent if it is none, or one that cannot move its cursor.
pub fn size() -> Option<Size> {
    size_of(&Term::stderr()).filter(|_| std::io::stderr().is_terminal())
}

/// As [`size`], of standard output.
pub fn size_of_stdout() -> Option<Size> {
    size_of(&Term::stdout()).filter(|_| std::io::stdout().is_terminal())
}

fn size_of(term: &Term) -> Option<Size> {
    let (height, width) = term.size_checked().filter(|_| !console::is_dumb())?;
    Some(Size { width: width.into(), height: height.into() })
}

/// Writes text, which ends with a line break, above the block.
pub fn print(text: &str) {
    write(|block| Frame { old: &block.clone(), text, new: &block.clone() }.bytes(width()));
}

/// Shows another block in the place of the last one. Its lines are no wider than the terminal.
#[cfg(feature = "local")]
pub fn show(lines: Vec<String>) {
    write(|block| {
        let bytes = Frame { old: block, text: "", new: &lines }.bytes(width());
        *block = lines;
        bytes
    });
}

/// Takes the block away.
#[cfg(feature = "local")]
pub fn clear() {
    show(Vec::new());
}

fn write(change: impl FnOnce(&mut Vec<String>) -> String) {
    let mut block = block();
    let bytes = change(&mut block);
    // Nobody reads it if standard error is closed; the work goes on.
    let _ = std::io::stderr().lock().write_all(bytes.as_bytes());
}

fn width() -> usize {
    size().map_or(usize::MAX, |size| size.width)
}

/// One change of the screen.
struct Frame<'a> {
    old: &'a [String],
    text: &'a str,
    new: &'a [String],
}

impl Frame<'_> {
    /// What the terminal is sent, in one piece so that nothing flickers. Without a block it is the text alone.
    fn bytes(&self, width: usize) -> String {
        let Self { old, text, new } = self;
        if old.is_empty() && new.is_empty() {
            return (*text).to_owned();
        }
        // A terminal that became narrower has broken the old lines.
        let rows: usize = old.iter().map(|line| measure_text_width(line).div_ceil(width.max(1)).max(1)).sum();
        let up = if rows == 0 { String::new() } else { format!("\x1b[{rows}A") };
        let above = if text.is_empty() { String::new() } else { format!("{CLEAR_BELOW}{text}") };
        let lines: String = new.iter().map(|line| format!("{CLEAR_LINE}{line}\n")).collect();
        format!("{FIRST_COLUMN}{up}{above}{lines}{CLEAR_BELOW}")
    }
}

/// A screen that is redrawn in place from its upper left corner.
#[derive(Debug)]
pub struct Picture {
    is_begun: bool,
}

impl Picture {
    /// Begins; the first picture clears the screen.
    pub fn begin() -> Self {
        Self { is_begun: false }
    }

    /// What the terminal is sent so that these lines cover the last ones, without a line break at the end. Lines that are too wide
    /// are cut, and those below the last row are counted.
    pub fn of(&mut self, lines: &[String], size: Size) -> String {
        let clear = if std::mem::replace(&mut self.is_begun, true) { "" } else { CLEAR };
        let room = size.height.saturating_sub(1).max(1);
        let mut shown: Vec<String> = lines.iter().take(room).cloned().collect();
        if lines.len() > room {
            let more = lines.len() - room + 1;
            shown.truncate(room - 1);
            let what = if more == 1 { "line" } else { "lines" };
            shown.push(format!("… {more} more {what}; a taller terminal shows them"));
        }
        let shown: Vec<_> =
            shown.iter().map(|line| format!("{CLEAR_LINE}{}", truncate_str(line, size.width, "…"))).collect();
        format!("{clear}{HOME}{}{CLEAR_REST}", shown.join("\n"))
    }
}

/// Lets the log write above the block. Each write is a whole line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Above;

impl Write for Above {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        print(&String::from_utf8_lossy(buffer));
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(old: &[&str], text: &str, new: &[&str], width: usize) -> String {
        let owned = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        Frame { old: &owned(old), text, new: &owned(new) }.bytes(width)
    }

    #[test]
    fn a_picture_is_cut_to_the_screen() {
        let lines: Vec<String> = ["one", "two", "three", "four"].map(Into::into).into();
        let mut picture = Picture::begin();
        let shown = picture.of(&lines, Size { width: 80, height: 5 });
        assert!(shown.starts_with(CLEAR) && !shown.contains("more") && shown.matches('\n').count() == 4, "{shown:?}");
        let shown = picture.of(&lines, Size { width: 80, height: 4 });
        assert!(!shown.contains(CLEAR) && shown.contains("two\n\x1b[2K… 2 more lines;"), "{shown:?}");
        let shown = picture.of(&lines, Size { width: 4, height: 5 });
        assert!(shown.contains("\x1b[2Kthr…\n"), "{shown:?}");
    }

    #[test]
    fn a_block_is_covered_by_the_next_and_stays_below_what_is_printed() {
        assert_eq!(bytes(&[], "a line\n", &[], 80), "a line\n");
        assert_eq!(bytes(&[], "", &["one", "two"], 80), "\r\x1b[2Kone\n\x1b[2Ktwo\n\x1b[J");
        assert_eq!(bytes(&["one", "two"], "", &["three"], 80), "\r\x1b[2A\x1b[2Kthree\n\x1b[J");
        assert_eq!(bytes(&["one"], "a line\n", &["one"], 80), "\r\x1b[1A\x1b[Ja line\n\x1b[2Kone\n\x1b[J");
        // A terminal of two columns has made two rows of "one"; what colours it takes no room.
        assert_eq!(bytes(&["\x1b[32mone\x1b[0m", ""], "", &[], 2), "\r\x1b[3A\x1b[J");
    }
}
