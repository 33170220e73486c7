//! Rules as users type them: `every=1000`, `ticks=100`, `interval=5ms`, `off`. What is printed can
//! be read again.

use super::{DEFAULT_INSTRUCTIONS, DEFAULT_INTERVAL_NS, DEFAULT_TICKS, Rules};
use std::fmt;
use std::str::FromStr;

/// A text that names no rules, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRules(pub(super) String);

impl fmt::Display for UnknownRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownRules {}

/// The names of Mini's own rules.
pub(super) const RULES: [&str; 4] = ["every", "ticks", "interval", "off"];

impl FromStr for Rules {
    type Err = UnknownRules;

    fn from_str(text: &str) -> Result<Rules, UnknownRules> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        match name {
            "every" => Ok(Rules::Every {
                instructions: count(name, value, DEFAULT_INSTRUCTIONS)?,
            }),
            "ticks" => Ok(Rules::Ticks {
                instructions: count(name, value, DEFAULT_TICKS)?,
            }),
            "interval" => {
                let ns = match value {
                    None => DEFAULT_INTERVAL_NS,
                    Some(value) => value.parse::<Duration>().map_err(UnknownRules)?.0,
                };
                if ns == 0 {
                    return Err(UnknownRules(
                        "`interval` must be longer than nothing".into(),
                    ));
                }
                Ok(Rules::Interval { ns })
            }
            "off" if value.is_none() => Ok(Rules::Off),
            _ => Err(UnknownRules(format!(
                "`{text}` names no rules; there are every=N, ticks=N, interval=TIME (as in 5ms), off, and presets such as cpython-3.12"
            ))),
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rules::Every { instructions } => write!(f, "every={instructions}"),
            Rules::Ticks { instructions } => write!(f, "ticks={instructions}"),
            Rules::Interval { ns } => write!(f, "interval={}", Duration(*ns)),
            Rules::Off => f.write_str("off"),
        }
    }
}

fn count(name: &str, value: Option<&str>, otherwise: u64) -> Result<u64, UnknownRules> {
    let Some(value) = value else {
        return Ok(otherwise);
    };
    match value.replace('_', "").parse() {
        Ok(0) => Err(UnknownRules(format!(
            "`{name}` needs at least one instruction"
        ))),
        Ok(instructions) => Ok(instructions),
        Err(_) => Err(UnknownRules(format!(
            "`{name}` needs a number of instructions, as in {name}={otherwise}"
        ))),
    }
}

/// A span of time in nanoseconds as users type it: `5ms`, `0.5s`, `20us`, `100ns`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

/// Units, the largest first, with their nanoseconds.
const UNITS: [(&str, u64); 5] = [
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Duration, String> {
        let refuse = || format!("`{text}` is no time; write it as in 5ms, 0.5s or 20us");
        let split = text
            .find(|it: char| it.is_alphabetic())
            .ok_or_else(refuse)?;
        let (number, unit) = text.split_at(split);
        let number: f64 = number.trim().parse().map_err(|_| refuse())?;
        let unit = if unit == "µs" { "us" } else { unit };
        let &(_, scale) = UNITS
            .iter()
            .find(|&&(name, _)| name == unit)
            .ok_or_else(refuse)?;
        let ns = number * scale as f64;
        if !(0.0..=1e18).contains(&ns) {
            return Err(refuse());
        }
        Ok(Duration(ns.round() as u64))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, scale) = UNITS
            .into_iter()
            .find(|&(_, scale)| self.0 != 0 && self.0.is_multiple_of(scale))
            .unwrap_or(("ns", 1));
        write!(f, "{}{name}", self.0 / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read_again() {
        for text in [
            "every=1",
            "every=100000",
            "ticks=100",
            "interval=5ms",
            "interval=1s",
            "interval=20us",
            "interval=1500ns",
            "off",
        ] {
            assert_eq!(text.parse::<Rules>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn defaults_stand_in_for_numbers() {
        assert_eq!("every".parse::<Rules>(), Ok(Rules::default()));
        assert_eq!(
            "ticks".parse::<Rules>(),
            Ok(Rules::Ticks { instructions: 100 })
        );
        assert_eq!(
            "interval".parse::<Rules>(),
            Ok(Rules::Interval { ns: 5_000_000 })
        );
        assert_eq!(
            "interval=0.5ms".parse::<Rules>(),
            Ok(Rules::Interval { ns: 500_000 })
        );
        assert_eq!(
            "every=100_000".parse::<Rules>(),
            Ok(Rules::Every {
                instructions: 100_000
            })
        );
    }

    #[test]
    fn err_what_names_no_rules() {
        for text in [
            "",
            "sometimes",
            "every=0",
            "every=x",
            "every=-1",
            "ticks=0",
            "interval=5",
            "interval=0ms",
            "interval=ms",
            "interval=-1ms",
            "interval=5days",
            "off=1",
        ] {
            assert!(text.parse::<Rules>().is_err(), "{text}");
        }
    }
}
