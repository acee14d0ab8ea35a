//! The form of every file in the cache: magic, schema, length and checksum before the payload,
//! so that a truncated, damaged or foreign file is told from a good one and taken as absent.

use std::fs;
use std::io;
use std::path::Path;

use crate::paths::write_atomic;

const MAGIC: &[u8; 4] = b"pyqa";
const HEADER: usize = 4 + 4 + 8 + 32;

/// What a cache file holds. The number is part of its header: files of one kind are never read as
/// another, and a change of layout takes a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    States = 1,
    Pack = 2,
    Whole = 3,
    Inputs = 4,
    ToolState = 5,
    Listing = 6,
}

/// Version of the layouts of all kinds together.
const SCHEMA: u16 = 4;

/// Whether the file at `path` is whole, whatever it holds.
pub(super) fn is_good(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| is_whole(&bytes) && bytes[4..6] == SCHEMA.to_le_bytes())
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.get(..HEADER).is_some_and(|header| {
        header[..4] == MAGIC[..]
            && header[8..16] == (bytes.len() as u64).to_le_bytes()
            && header[16..] == *blake3::hash(&bytes[HEADER..]).as_bytes()
    })
}

/// The payload of the file at `path`. `None` where there is no file or no good one.
pub(super) fn read(path: &Path, kind: Kind) -> Option<Payload> {
    let bytes = fs::read(path).ok()?;
    if !is_whole(&bytes) || bytes[4..8] != tag(kind) {
        log::warn!("{}: damaged or of another version, taken as absent", path.display());
        return None;
    }
    Some(Payload(bytes))
}

/// Writes `payload` in one step.
pub(super) fn write(path: &Path, kind: Kind, payload: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&tag(kind));
    bytes.extend_from_slice(&((HEADER + payload.len()) as u64).to_le_bytes());
    bytes.extend_from_slice(blake3::hash(payload).as_bytes());
    bytes.extend_from_slice(payload);
    write_atomic(path, &bytes)
}

fn tag(kind: Kind) -> [u8; 4] {
    let [a, b] = SCHEMA.to_le_bytes();
    let [c, d] = (kind as u16).to_le_bytes();
    [a, b, c, d]
}

/// A file's payload, without a copy of it.
pub(super) struct Payload(Vec<u8>);

impl Payload {
    pub(super) fn empty() -> Self {
        Self(vec![0; HEADER])
    }
}

impl std::ops::Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[HEADER..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write(&path, Kind::Pack, b"payload").unwrap();
        assert_eq!(&*read(&path, Kind::Pack).unwrap(), b"payload");
        assert!(read(&path, Kind::Whole).is_none());
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs::write(&path, &bad).unwrap();
            assert!(read(&path, Kind::Pack).is_none(), "byte {at}");
            fs::write(&path, &good[..at]).unwrap();
            assert!(read(&path, Kind::Pack).is_none(), "cut at {at}");
        }
    }
}
