//! Findings that are known and accepted: the file that lists them ([`file`]), how they are told
//! from new ones ([`recognise`]), and what is taken out of an outcome ([`omit`]).

pub mod changed;
pub mod file;
pub mod fingerprint;
pub mod omit;
pub mod recognise;
pub mod source;
