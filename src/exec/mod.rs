//! Doing it: processes and the order in which they run. Tells by values, prints nothing.

pub mod cancel;
pub mod driver;
pub mod job;
mod os;
pub mod process;
pub mod scheduler;
pub mod signals;
pub mod variables;
pub mod worker;
