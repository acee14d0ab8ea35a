//! Tells what was mended in the index, and what of it is in the work tree.

use std::io::{self, Write};

use crate::git::restage::{InWorkTree, Restaged};
use crate::report::Color;
use crate::report::escape::one_line;
use crate::report::style::Palette;

/// Lines that are shown of files about which there is nothing special to say.
const SHOWN: usize = 5;

/// A line for each file, those that need a look in any case.
pub(super) fn write(mended: &[Restaged], color: Color, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(color);
    let mut usual = 0;
    for file in mended {
        let path = one_line(&file.path.to_text()).into_owned();
        match &file.in_work_tree {
            InWorkTree::Updated | InWorkTree::Merged | InWorkTree::Absent => {
                usual += 1;
                if usual <= SHOWN {
                    writeln!(out, "formatted and staged {path}")?;
                }
            }
            InWorkTree::Conflict => writeln!(
                out,
                "{}: {path} is formatted in the index only: changes that are not staged touch the \
                 same lines of the file",
                palette.warning.apply_to("warning")
            )?,
            InWorkTree::NotWritten(error) => writeln!(
                out,
                "{}: {path} is formatted in the index only: the file cannot be written: {}",
                palette.warning.apply_to("warning"),
                one_line(error)
            )?,
        }
    }
    if usual > SHOWN {
        writeln!(out, "formatted and staged {} more", usual - SHOWN)?;
    }
    Ok(())
}
