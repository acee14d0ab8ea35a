//! How messages travel: JSON, preceded by its length in four bytes, big end first. Bytes that need
//! not be text are written as Latin-1, so that each is one character.

use std::ffi::OsStr;
use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::Value;

/// A message larger than this comes from something else than a worker.
const LARGEST: usize = 64 << 20;
/// How long a worker may take to read a request.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn latin(text: &OsStr) -> String {
    text.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

/// Sends a message, together with `descriptors`, of which there are at most three.
///
/// # Errors
/// Those of writing; a worker that does not read.
pub(super) fn send(
    stream: &UnixStream,
    message: &Value,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let text = message.to_string();
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let bytes = [&length.to_be_bytes(), text.as_bytes()].concat();
    let mut sent = 0;
    if !descriptors.is_empty() {
        sent = send_with(stream, &bytes, descriptors)?;
    }
    let mut stream = stream;
    stream.write_all(&bytes[sent..])
}

/// Sends descriptors with the first of `bytes`; tells how many bytes went.
///
/// # Errors
/// As for [`send`].
pub(super) fn send_with(
    stream: &UnixStream,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("more descriptors than fit"));
    }
    Ok(sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}

/// Messages that come from a worker.
pub(super) struct Messages {
    stream: UnixStream,
    bytes: Vec<u8>,
}

impl Messages {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// The next message; `None`: it did not come within `patience`.
    ///
    /// # Errors
    /// Those of reading, the end, and what is no message.
    pub(super) fn next(&mut self, patience: Duration) -> io::Result<Option<Value>> {
        let begun = Instant::now();
        loop {
            if let Some(message) = self.complete()? {
                return Ok(Some(message));
            }
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Ok(None),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    fn complete(&mut self) -> io::Result<Option<Value>> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LARGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no message"));
        }
        let Some(text) = rest.get(..length) else { return Ok(None) };
        let message = serde_json::from_slice(text).map_err(io::Error::other)?;
        self.bytes.drain(..4 + length);
        Ok(Some(message))
    }
}
