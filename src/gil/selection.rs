//! What `--gil` names: rules of Mini's own with a number, or a preset.

use super::lock::Lock;
use super::preset::{PRESETS, Preset, preset};
use super::{RULES, Rules, UnknownRules};
use crate::spelling::{did_you_mean, nearest};
use std::fmt;
use std::str::FromStr;

/// A choice of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    Rules(Rules),
    Preset {
        preset: &'static Preset,
        /// As the user typed it.
        name: &'static str,
    },
}

impl Default for Selection {
    fn default() -> Selection {
        Selection::Rules(Rules::default())
    }
}

impl Selection {
    /// The lock with all its knobs.
    #[must_use]
    pub fn lock(&self) -> Lock {
        match self {
            Selection::Rules(rules) => Lock::of(*rules),
            Selection::Preset { preset, .. } => preset.lock,
        }
    }

    /// What real threads can make of it, or why they cannot.
    pub fn real(&self) -> Result<Rules, String> {
        self.lock().rules().ok_or_else(|| {
            let reason = if self.lock().exists() {
                "real threads have no lock with a timer of its own"
            } else {
                "real threads need the lock, which guards their memory"
            };
            format!("--gil {self}: {reason}; `mini sim --gil {self}` simulates it")
        })
    }
}

impl FromStr for Selection {
    type Err = UnknownRules;

    fn from_str(text: &str) -> Result<Selection, UnknownRules> {
        let name = text.trim().to_ascii_lowercase();
        if let Some(preset) = preset(&name) {
            let name = preset.names().find(|it| *it == name);
            return Ok(Selection::Preset {
                preset,
                name: name.unwrap_or(preset.name),
            });
        }
        let names = || PRESETS.iter().flat_map(Preset::names);
        if name.starts_with("cpython") || name.starts_with("cruby") {
            return Err(UnknownRules(format!(
                "`{name}` is no preset; there are {}{}",
                names().collect::<Vec<&str>>().join(", "),
                did_you_mean(nearest(&name, names()))
            )));
        }
        name.parse().map(Selection::Rules).map_err(|unknown| {
            // What has no number may be any name; what has one is a rule.
            let meant = match name.split_once('=') {
                None => nearest(&name, names().chain(RULES)).map(str::to_owned),
                Some((rule, _)) if RULES.contains(&rule.trim()) => None,
                Some((rule, number)) => {
                    nearest(rule, RULES).map(|rule| format!("{rule}={}", number.trim()))
                }
            };
            UnknownRules(unknown.0 + &did_you_mean(meant))
        })
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::Rules(rules) => rules.fmt(f),
            Selection::Preset { name, .. } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_typed_and_is_printed_as_typed() {
        for preset in PRESETS {
            for name in preset.names() {
                let selection: Selection = name.parse().unwrap();
                assert_eq!(selection.to_string(), name);
                assert_eq!(selection.lock(), preset.lock);
                assert_eq!(name.to_uppercase().parse(), Ok(selection));
            }
        }
    }

    #[test]
    fn err_no_such_preset() {
        let told = "cpython-4".parse::<Selection>().unwrap_err().to_string();
        assert!(told.contains("cpython-3.9, cpython-3.10"), "{told}");
        assert!("sometimes".parse::<Selection>().is_err());
    }

    #[test]
    fn real_threads_refuse_by_name() {
        for (name, honoured) in [
            ("cpython-2.7", true),
            ("cpython-3.9", true),
            ("every=7", true),
            ("cpython-3.13t", false),
            ("cruby-3.3", false),
            ("off", false),
        ] {
            let real = name.parse::<Selection>().unwrap().real();
            assert_eq!(real.is_ok(), honoured);
            if let Err(reason) = real {
                assert!(reason.contains(name), "{reason}");
            }
        }
    }
}
