//! Whether warm processes are wanted, and for how long: [`Mode`].

use crate::error::UserError;
use crate::project::variables::Variables;

/// How long warm processes live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Each job is a process of its own.
    Off,
    /// As long as the run that they serve.
    #[default]
    Run,
    /// Until they have been idle for a while.
    Kept,
}

impl Mode {
    /// What `PYQA_WORKERS` says, else `setting`, the project's `workers`, else: kept between runs
    /// but in CI, where nobody comes back to them.
    ///
    /// # Errors
    /// A value of the variable that means nothing.
    pub fn of(variables: &Variables, setting: Option<bool>) -> Result<Self, UserError> {
        let text =
            variables.get("PYQA_WORKERS").map(|value| value.to_string_lossy().to_lowercase());
        match text.as_deref() {
            None | Some("") => {}
            Some("0" | "false" | "no" | "off") => return Ok(Self::Off),
            Some("1" | "true" | "yes" | "on") => return Ok(Self::Kept),
            Some("run") => return Ok(Self::Run),
            Some(other) => {
                return Err(UserError::new(format!("PYQA_WORKERS is `{other}`"))
                    .hint("set it to `1`, `0` or `run`, or not at all"));
            }
        }
        let in_ci = variables.get("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        Ok(match setting {
            Some(false) => Self::Off,
            None if in_ci => Self::Run,
            Some(true) | None => Self::Kept,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_comes_before_the_setting_and_the_setting_before_ci() {
        let of = |variables: &[(&str, &str)], setting| {
            let variables = variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
            Mode::of(&variables, setting).unwrap()
        };
        assert_eq!(of(&[], None), Mode::Kept);
        assert_eq!(of(&[("CI", "true")], None), Mode::Run);
        assert_eq!(of(&[("CI", "true")], Some(true)), Mode::Kept);
        assert_eq!(of(&[], Some(false)), Mode::Off);
        assert_eq!(of(&[("PYQA_WORKERS", "0")], Some(true)), Mode::Off);
        assert_eq!(of(&[("CI", "true"), ("PYQA_WORKERS", "1")], None), Mode::Kept);
        assert!(Mode::of(&[("PYQA_WORKERS", "maybe")].into(), None).is_err());
    }
}
