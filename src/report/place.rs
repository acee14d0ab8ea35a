//! How a place is written in texts for people: [`Place`].

use std::fmt;

use super::escape;
use crate::finding::Location;

/// `path:line:column`, without the numbers that are not known.
pub struct Place<'a>(pub &'a Location);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { path, line, column, .. } = self.0;
        f.write_str(&escape::one_line(&path.to_text()))?;
        [*line, line.and(*column)].into_iter().flatten().try_for_each(|n| write!(f, ":{n}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_without_a_line_is_not_told() {
        let file = Location::file("a\nb.py".into());
        assert_eq!(Place(&file).to_string(), "a\\nb.py");
        assert_eq!(Place(&Location { column: Some(3), ..file.clone() }).to_string(), "a\\nb.py");
        let place = Location { line: Some(2), column: Some(3), ..file };
        assert_eq!(Place(&place).to_string(), "a\\nb.py:2:3");
    }
}
