//! What is on disk: files, the interpreter and what is installed beside it.

pub mod bytecode;
pub mod environment;
pub mod expansion;
pub mod files;
pub mod interpreter;
pub mod managers;
pub mod membership;
pub mod path_files;
pub mod python;
pub mod repository;
pub mod runner;
pub mod sources;
pub mod stat;
pub mod strays;
pub mod variables;
pub mod watch;
