//! The module `random`: the Mersenne Twister MT19937 as CPython has it (`Modules/_randommodule.c`),
//! seed for seed and bit for bit. A generator's state is a list of 625 integers that the module
//! keeps: 624 words and the place of the next.

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::list::List;
use crate::vm::heap::value::Value;
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx, Native, library_method, module_native};
use num_bigint::BigUint;
use sha2::{Digest, Sha512};

pub(super) const NATIVES: &[Native] = &[
    module_native("_random_seed", "seed", "number, /", seed),
    module_native("_random_seed_text", "seed", "text, /", seed_text),
    library_method("_Random_random", "random", "self, /", random),
    library_method(
        "_Random_getrandbits",
        "getrandbits",
        "self, k, /",
        getrandbits,
    ),
];

const WORDS: usize = 624;
const MIDDLE: usize = 397;

type Words = [u32; WORDS];

/// The state from one word.
fn from_word(seed: u32) -> Words {
    let mut words = [seed; WORDS];
    for at in 1..WORDS {
        let before = words[at - 1];
        words[at] = 1_812_433_253u32
            .wrapping_mul(before ^ before >> 30)
            .wrapping_add(at as u32);
    }
    words
}

/// The state from the words of a magnitude, least significant first (`init_by_array`).
fn from_number(seed: &BigUint) -> Words {
    let mut key = seed.to_u32_digits();
    if key.is_empty() {
        key.push(0);
    }
    let mut words = from_word(19_650_218);
    let mixed = |before: u32| before ^ before >> 30;
    let (mut at, mut digit) = (1, 0);
    for _ in 0..WORDS.max(key.len()) {
        words[at] = (words[at] ^ mixed(words[at - 1]).wrapping_mul(1_664_525))
            .wrapping_add(key[digit])
            .wrapping_add(digit as u32);
        at += 1;
        digit += 1;
        if at == WORDS {
            words[0] = words[WORDS - 1];
            at = 1;
        }
        if digit == key.len() {
            digit = 0;
        }
    }
    for _ in 1..WORDS {
        words[at] =
            (words[at] ^ mixed(words[at - 1]).wrapping_mul(1_566_083_941)).wrapping_sub(at as u32);
        at += 1;
        if at == WORDS {
            words[0] = words[WORDS - 1];
            at = 1;
        }
    }
    words[0] = 0x8000_0000;
    words
}

/// Makes the next 624 words.
fn twist(words: &mut Words) {
    for at in 0..WORDS {
        let word = words[at] & 0x8000_0000 | words[(at + 1) % WORDS] & 0x7fff_ffff;
        let odd = if word & 1 == 1 { 0x9908_b0df } else { 0 };
        words[at] = words[(at + MIDDLE) % WORDS] ^ word >> 1 ^ odd;
    }
}

/// A list with a fresh state: all words are used up, so that the first draw twists.
fn new_state(ctx: &mut Ctx<'_>, words: &Words) -> Value {
    let mut values: Vec<Value> = words.iter().map(|&it| Value::Int(it.into())).collect();
    values.push(Value::Int(WORDS as i64));
    ctx.vm.heap.new_list(values)
}

/// One of the numbers in a state.
fn word(state: &List, at: usize) -> Option<u32> {
    match state.get(at) {
        Some(Value::Int(word)) => u32::try_from(word).ok(),
        _ => None,
    }
}

/// The next 32 bits; none if the list is no state.
fn next(state: &mut List) -> Option<u32> {
    let mut at = word(state, WORDS)? as usize;
    if at >= WORDS {
        let mut words = [0; WORDS];
        for (at, to) in words.iter_mut().enumerate() {
            *to = word(state, at)?;
        }
        twist(&mut words);
        for (at, word) in words.into_iter().enumerate() {
            state.set(at, Value::Int(word.into()));
        }
        at = 0;
    }
    let mut word = word(state, at)?;
    state.set(WORDS, Value::Int(at as i64 + 1));
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c_5680;
    word ^= word << 15 & 0xefc6_0000;
    Some(word ^ word >> 18)
}

/// A float from 0 up to 1, of 53 bits.
fn float(state: &mut List) -> Option<f64> {
    let high = f64::from(next(state)? >> 5);
    let low = f64::from(next(state)? >> 6);
    Some((high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0))
}

/// An integer of so many bits.
fn bits(state: &mut List, count: u64) -> Option<BigUint> {
    let mut words = Vec::with_capacity(count.div_ceil(32) as usize);
    let mut left = count;
    while left > 0 {
        let word = next(state)?;
        words.push(if left < 32 { word >> (32 - left) } else { word });
        left = left.saturating_sub(32);
    }
    Some(BigUint::new(words))
}

fn seed(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let number = ctx.arg(0);
    let number = ctx.integer(number)?;
    let number = Number::of(number).expect("an integer");
    let words = from_number(number.big(&ctx.vm.heap).magnitude());
    Ok(new_state(ctx, &words))
}

/// Seeding by a text or bytes: by the number that they spell with their SHA-512 behind.
fn seed_text(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let mut bytes = match ctx.arg(0) {
        Value::Str(text) => ctx.vm.heap.text(text).as_bytes().to_vec(),
        Value::Bytes(bytes) => ctx.vm.heap.bytes[bytes].0.to_vec(),
        _ => return Err(ctx.error(Type::TypeError, "the seed is neither a string nor bytes")),
    };
    let hash = Sha512::digest(&bytes);
    bytes.extend_from_slice(&hash);
    let words = from_number(&BigUint::from_bytes_be(&bytes));
    Ok(new_state(ctx, &words))
}

/// Draws from the state of the generator in the first argument.
fn draw<T>(ctx: &mut Ctx<'_>, draw: impl FnOnce(&mut List) -> Option<T>) -> Result<T, Abrupt> {
    let held = match ctx.arg(0) {
        Value::Instance(this) => ctx.vm.instance_attribute(this, name::STATE),
        _ => None,
    };
    let Some(Value::List(state)) = held else {
        return Err(ctx.wrong_receiver("_random.Random"));
    };
    draw(&mut ctx.vm.heap.lists[state]).ok_or_else(|| ctx.value_error("invalid state"))
}

fn random(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(Value::Float(draw(ctx, float)?))
}

fn getrandbits(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let count = ctx.arg(1);
    let Ok(count) = u64::try_from(ctx.index(count)?) else {
        return Err(ctx.value_error("number of bits must be non-negative"));
    };
    ctx.reserve(usize::try_from(count / 8).unwrap_or(usize::MAX))?;
    let bits = draw(ctx, |state| bits(state, count))?;
    Ok(ctx.vm.heap.new_int(bits.into()))
}

#[cfg(test)]
mod tests {
    use super::{WORDS, bits, float, from_number};
    use crate::vm::heap::list::List;
    use crate::vm::heap::value::Value;
    use num_bigint::BigUint;

    fn state(seed: u64) -> List {
        let words = from_number(&BigUint::from(seed));
        let mut values: Vec<Value> = words.iter().map(|&it| Value::Int(it.into())).collect();
        values.push(Value::Int(WORDS as i64));
        values.into()
    }

    /// The numbers are CPython's after `random.seed`.
    #[test]
    fn a_seed_means_what_it_means_to_cpython() {
        assert_eq!(float(&mut state(42)), Some(0.639_426_798_457_883_8));
        assert_eq!(float(&mut state(0)), Some(0.844_421_851_525_048_1));
        let seed = 1 << 40;
        assert_eq!(
            bits(&mut state(seed), 70),
            Some(BigUint::from(781_279_065_922_817_498_497u128))
        );
        let mut long = state(42);
        let last = (0..1000).map(|_| float(&mut long)).last().flatten();
        assert_eq!(last, Some(0.855_450_193_305_954_6));
    }
}
