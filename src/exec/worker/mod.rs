//! Warm Python processes: [`Workers`] runs a job in a child of a process that has the tool imported
//! already, and wherever that cannot be done, in a process of its own. The answer is the same: the
//! child calls the same function with the same arguments, variables, streams and working folder.
//!
//! One worker serves one environment, and another one those of its tools that note what they read.
//! It is `worker.py`, started by the environment's interpreter, and lives as long as one run, or
//! between runs on a socket in a folder of the user's ([`RuntimeFolder`]); what its children do is in
//! `child.py`, `spare.py` and `startup.py`. Whatever is wrong with a worker — dead, hanging, of another user,
//! started for something else — costs time and is never an error.

#[cfg(target_os = "linux")]
mod administration;
#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod channel;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod folder;
mod mode;
#[cfg(target_os = "linux")]
mod place;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
pub use administration::{Status, status, stop};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Status, Workers, status, stop};
#[cfg(target_os = "linux")]
pub use folder::RuntimeFolder;
pub use mode::Mode;
#[cfg(target_os = "linux")]
pub use pool::Workers;
