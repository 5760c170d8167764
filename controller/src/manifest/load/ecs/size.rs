//! Sizes as text: `"256"`, `".25 vCPU"`, `"0.5 GB"` (AWS: ECS RegisterTaskDefinition, `cpu` and `memory`).

use serde_json::Value;

use super::moves::Moves;
use super::{Problems, places, problem};
use crate::manifest::load::structure::{On, shorten};

/// A kind of size that ECS takes as text.
struct Kind {
    key: &'static str,
    /// What a number without a unit counts.
    plain: &'static str,
    /// The unit that is 1024 of them, in lower case.
    unit: &'static str,
    examples: &'static str,
}

const CPU: Kind = Kind {
    key: "cpu",
    plain: "CPU units",
    unit: "vcpu",
    examples: "CPU units such as 256, or text such as \"0.25 vCPU\"",
};
const MEMORY: Kind =
    Kind { key: "memory", plain: "MiB", unit: "gb", examples: "MiB such as 512, or text such as \"0.5 GB\"" };

/// Makes numbers of the sizes of a task. A container's own have to be numbers, in ECS's API too; the number is named.
pub(super) fn take(value: &mut Value, moves: &Moves, problems: &mut Problems) {
    for kind in [CPU, MEMORY] {
        for place in places(value, &format!("/spec/taskDefinition/{}", kind.key)) {
            let as_text = |slot: &&mut Value| slot.is_string() || slot.is_f64();
            let Some(slot) = value.pointer_mut(place.as_str()).filter(as_text) else { continue };
            let number = slot.as_str().and_then(|text| kind.read(text));
            if number.is_none() {
                let given = slot.as_str().map_or_else(|| slot.to_string(), shorten);
                let what = format!("`{given}` is not a size");
                let remedy = format!("write {}", kind.examples);
                problems.push((On::Value, problem(moves.written(&place), what, remedy)));
            }
            *slot = Value::from(number.unwrap_or(1));
        }
    }
    for (key, kind) in [("cpu", CPU), ("memory", MEMORY), ("memoryReservation", MEMORY)] {
        for place in places(value, &format!("/spec/taskDefinition/containers/*/{key}")) {
            let Some(slot) = value.pointer_mut(place.as_str()) else { continue };
            let Some(number) = slot.as_str().and_then(|text| kind.read(text)) else { continue };
            let what = format!("expected a whole number of {}, found text", kind.plain);
            let remedy = format!("write {number}, without quotes; only the size of the whole task may be text");
            problems.push((On::Value, problem(moves.written(&place), what, remedy)));
            *slot = Value::from(number);
        }
    }
}

impl Kind {
    /// The size as a whole number; `None` if the text is none, or not a whole number of the smaller unit.
    fn read(&self, text: &str) -> Option<u32> {
        let text = text.trim().to_ascii_lowercase();
        match text.strip_suffix(self.unit) {
            Some(number) => decimal(number.trim_end(), 1024),
            None => decimal(&text, 1).filter(|_| !text.contains('.')),
        }
    }
}

/// `text` × `times`, if that is whole.
fn decimal(text: &str, times: u64) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, fraction].concat();
    if !(1..=12).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let scaled = digits.parse::<u64>().ok()?.checked_mul(times)?;
    let unit = 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    (scaled % unit == 0).then_some(scaled / unit).and_then(|size| u32::try_from(size).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_sizes() {
        for (kind, text, size) in [
            (CPU, "256", Some(256)),
            (CPU, "1 vCPU", Some(1024)),
            (CPU, "1 vcpu", Some(1024)),
            (CPU, ".25 vCPU", Some(256)),
            (CPU, "0.5vCPU", Some(512)),
            (CPU, "32 vCPU", Some(32768)),
            (MEMORY, "512", Some(512)),
            (MEMORY, "0.5 GB", Some(512)),
            (MEMORY, "1GB", Some(1024)),
            (MEMORY, "244 gb", Some(249_856)),
            (MEMORY, "2.0 GB", Some(2048)),
            (CPU, "", None),
            (CPU, "vCPU", None),
            (CPU, ". vCPU", None),
            (CPU, "0.3 vCPU", None),
            (CPU, "256.0", None),
            (CPU, "1 GB", None),
            (CPU, "-1 vCPU", None),
            (CPU, "1e3", None),
            (CPU, "99999999999 vCPU", None),
            (MEMORY, "1 GiB", None),
            (MEMORY, "512 MB", None),
            (MEMORY, "1.2.3 GB", None),
        ] {
            assert_eq!(kind.read(text), size, "{text:?}");
        }
    }
}
