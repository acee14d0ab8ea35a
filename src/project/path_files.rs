//! `.pth` files: what they add to an interpreter's path, and the lines of them that it runs at each
//! start ([`site`](https://docs.python.org/3/library/site.html)).

use std::fs;
use std::path::{Path, PathBuf};

use crate::hash::Digest;

/// What a `.pth` or `.egg-link` file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PathFile {
    /// What it adds to the path, whether or not it is there.
    pub added: Vec<PathBuf>,
    /// Lines that the interpreter runs at each start.
    pub code: Vec<String>,
}

impl PathFile {
    /// What the file in `folder` says; nothing where it cannot be read.
    pub fn read(folder: &Path, file: &Path) -> Self {
        let text = fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut said = Self::default();
        for line in text.lines().map(str::trim_end) {
            if line.starts_with("import ") || line.starts_with("import\t") {
                said.code.push(line.to_owned());
            } else if !line.trim().is_empty() && !line.starts_with('#') && line != "." {
                said.added.push(folder.join(line.trim()));
            }
        }
        said
    }

    /// The lines of code, without those by which an editable install is found: its source counts
    /// instead, and they differ from one checkout to another.
    pub fn code_of_others(&self) -> impl Iterator<Item = &str> {
        let is_own = |line: &&str| {
            let module = line.trim_start_matches("import").trim_start();
            let end = module.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            !module[..end.unwrap_or(module.len())].contains("editable")
        };
        self.code.iter().map(String::as_str).filter(is_own)
    }
}

pub fn is_path_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pth")
}

/// Adds to `digest` what the `.pth` files of `folder` say, and which of the places that they name are
/// there: an interpreter leaves out those that are not.
pub fn digest_path_files(folder: &Path, digest: &mut Digest) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_path_file(path)).collect();
    files.sort();
    for file in files {
        let said = PathFile::read(folder, &file);
        digest.field("file", file.file_name().unwrap_or_default().as_encoded_bytes());
        for added in &said.added {
            digest.field("added", added.as_os_str().as_encoded_bytes());
            digest.field("is there", [u8::from(added.exists())]);
        }
        for code in &said.code {
            digest.field("code", code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_places_or_code() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.pth");
        let text = "# comment\nimport something\n/elsewhere \n\nbeside\r\n.\n\
                    import __editable___a_1_0_finder; __editable___a_1_0_finder.install()\n";
        fs::write(&file, text).unwrap();
        let said = PathFile::read(folder.path(), &file);
        assert_eq!(said.added, [PathBuf::from("/elsewhere"), folder.path().join("beside")]);
        assert_eq!(said.code.len(), 2);
        assert_eq!(said.code_of_others().collect::<Vec<_>>(), ["import something"]);
    }
}
