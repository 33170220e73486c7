//! Strings of a heap against plain strings: however they are put together, cut and collected, and
//! whoever of them shares a buffer, each reads as its model does.

use super::Heap;
use crate::vm::heap::memory::{Account, Charge};
use crate::vm::heap::text::Str;
use crate::vm::heap::tuning::Tuning;
use crate::vm::heap::value::{Ref, Value};

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % bound as u64) as usize
    }
}

fn string(value: Value) -> Ref<Str> {
    match value {
        Value::Str(string) => string,
        other => panic!("{other:?} is no string"),
    }
}

/// Some characters, short ones and long ones, up to so many.
fn characters(random: &mut Random, most: usize) -> String {
    let wide = random.below(3) == 0;
    (0..random.below(most + 1))
        .map(|_| match random.below(8) {
            0 if wide => 'ä',
            1 if wide => '界',
            2 if wide => '🔒',
            other => char::from(b'a' + other as u8),
        })
        .collect()
}

fn check(heap: &Heap, strings: &[(Ref<Str>, String)]) {
    for (string, model) in strings {
        assert_eq!(heap.text(*string), model);
        let object = &heap.strs[*string];
        assert_eq!(object.len(), model.chars().count());
        assert_eq!(object.is_ascii(), model.is_ascii());
        assert_eq!(object.is_empty(), model.is_empty());
    }
}

#[test]
fn strings_are_strings_however_they_share_their_buffers() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut heap = Heap::new(if seed % 2 == 0 {
            Tuning::STRESS
        } else {
            Tuning::USUAL
        });
        let mut forks = Vec::new();
        let mut paid = Charge::none(&Account::new(usize::MAX));
        let mut strings: Vec<(Ref<Str>, String)> = Vec::new();
        for _ in 0..400 {
            let made = match random.below(if strings.is_empty() { 1 } else { 10 }) {
                0 => {
                    let text = characters(&mut random, 300);
                    (heap.new_str(text.clone()), text)
                }
                // The last one grows, as in a loop with `+=`; or any two are put together.
                1..=4 => {
                    let left = match random.below(3) {
                        0 => random.below(strings.len()),
                        _ => strings.len() - 1,
                    };
                    let right = random.below(strings.len());
                    let text = strings[left].1.clone() + &strings[right].1;
                    if text.len() > 20_000 {
                        continue;
                    }
                    let (left, right) = (strings[left].0, strings[right].0);
                    (heap.concatenate(left, right, usize::MAX), text)
                }
                5 => {
                    let (whole, model) = &strings[random.below(strings.len())];
                    let ends: Vec<usize> = model.char_indices().map(|it| it.0).collect();
                    if ends.is_empty() {
                        continue;
                    }
                    let from = ends[random.below(ends.len())];
                    let to = ends[random.below(ends.len())].max(from);
                    (heap.new_part(*whole, from..to), model[from..to].to_owned())
                }
                6 => {
                    let some: Vec<usize> = (0..random.below(5))
                        .map(|_| random.below(strings.len()))
                        .collect();
                    let parts: Vec<Value> =
                        some.iter().map(|&it| Value::Str(strings[it].0)).collect();
                    let text: String = some.iter().map(|&it| &*strings[it].1).collect();
                    if text.len() > 20_000 {
                        continue;
                    }
                    let length = heap.length_together(&parts).expect("all are strings");
                    assert_eq!(length, (text.len(), text.chars().count()));
                    (heap.join(&parts, length), text)
                }
                7 => {
                    let text = characters(&mut random, 600);
                    let chars = text.chars().count();
                    (heap.new_text(text.clone(), chars), text)
                }
                8 => {
                    let kept = random.below(strings.len() + 1);
                    while strings.len() > kept {
                        strings.swap_remove(random.below(strings.len()));
                    }
                    heap.collect(
                        |visit| strings.iter().for_each(|it| visit(Value::Str(it.0))),
                        |_, _| {},
                    );
                    check(&heap, &strings);
                    continue;
                }
                _ => {
                    heap.freeze(&mut paid);
                    if forks.len() < 3 {
                        forks.push((heap.clone(), strings.clone()));
                    } else {
                        let fork = (heap.clone(), strings.clone());
                        (heap, strings) = std::mem::replace(&mut forks[random.below(3)], fork);
                    }
                    continue;
                }
            };
            strings.push((string(made.0), made.1));
        }
        check(&heap, &strings);
        for (heap, strings) in &forks {
            check(heap, strings);
        }
    }
}
