//! The module `itertools`: the items of `product`, `permutations` and `combinations`, in CPython's
//! order (`Modules/itertoolsmodule.c`). Each native makes the next few from what is at certain
//! places of a pool, and moves the places on; the iterators themselves are Mini code.

use crate::vm::heap::class::Type;
use crate::vm::heap::value::Value;
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx, Native, module_native};

pub(super) const NATIVES: &[Native] = &[
    module_native("_itertools_product", "product", "pools, places, /", product),
    module_native(
        "_itertools_permutations",
        "permutations",
        "pool, places, /",
        permutations,
    ),
    module_native(
        "_itertools_combinations",
        "combinations",
        "pool, places, /",
        combinations,
    ),
    module_native(
        "_itertools_combinations_with_replacement",
        "combinations_with_replacement",
        "pool, places, /",
        combinations_with_replacement,
    ),
];

/// How many items are made at once: enough that a call costs little for each, few enough that those
/// who want one do not wait.
const BATCH: usize = 64;

/// The items of a tuple or list.
fn items(ctx: &mut Ctx<'_>, index: usize) -> Result<Vec<Value>, Abrupt> {
    let items = ctx.arg(index);
    ctx.collect(items)
}

/// Places in a pool, of which none is left once there has been a last item. They must be as the
/// native itself leaves them: it is the caller who keeps them.
fn places(
    ctx: &mut Ctx<'_>,
    fit: impl FnOnce(&[usize]) -> bool,
) -> Result<Option<Vec<usize>>, Abrupt> {
    let places = items(ctx, 1)?;
    let places: Option<Vec<usize>> = places
        .into_iter()
        .map(|place| match place {
            Value::Int(place) => usize::try_from(place).ok(),
            _ => None,
        })
        .collect();
    if places.as_deref().is_some_and(|places| !fit(places)) {
        return Err(ctx.error(Type::ValueError, "there are no such places in the pool"));
    }
    Ok(places)
}

fn all_in(pool: &[Value], places: &[usize]) -> bool {
    places.iter().all(|&place| place < pool.len())
}

/// Makes items, where places are left: `item` from the places, then `advance` to the next ones;
/// false if these were the last.
fn batch(
    ctx: &mut Ctx<'_>,
    places: Option<Vec<usize>>,
    item: impl Fn(&[usize]) -> Box<[Value]>,
    advance: impl Fn(&mut [usize]) -> bool,
) -> Value {
    let Some(mut places) = places else {
        return ctx.vm.heap.new_list(Vec::new());
    };
    let mut made = Vec::with_capacity(BATCH);
    let mut more = true;
    while more && made.len() < BATCH {
        let item = item(&places);
        ctx.vm.heap.worked(Work::Make, item.len());
        made.push(ctx.vm.heap.new_tuple(item));
        more = advance(&mut places);
    }
    if let Value::List(list) = ctx.arg(1) {
        let left: Vec<Value> = if more {
            places
                .into_iter()
                .map(|place| Value::Int(place as i64))
                .collect()
        } else {
            vec![Value::None]
        };
        ctx.vm.heap.lists[list] = left.into();
    }
    ctx.vm.heap.new_list(made)
}

fn chosen(pool: &[Value], places: &[usize]) -> Box<[Value]> {
    places.iter().map(|&place| pool[place]).collect()
}

fn product(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let mut pools = Vec::new();
    for pool in items(ctx, 0)? {
        pools.push(ctx.collect(pool)?);
    }
    let empty = pools.iter().any(Vec::is_empty);
    let inside = |(pool, &place): (&Vec<Value>, &usize)| place < pool.len();
    let places = places(ctx, |places| {
        empty || (places.len() == pools.len() && pools.iter().zip(places).all(inside))
    })?
    .filter(|_| !empty);
    let item = |places: &[usize]| {
        let pairs = pools.iter().zip(places);
        pairs.map(|(pool, &place)| pool[place]).collect()
    };
    // As the digits of a number go.
    let advance = |places: &mut [usize]| {
        for (place, pool) in places.iter_mut().zip(&pools).rev() {
            *place += 1;
            if *place < pool.len() {
                return true;
            }
            *place = 0;
        }
        false
    };
    Ok(batch(ctx, places, item, advance))
}

/// The places are those of the whole pool in some order, of which the first are chosen; and for
/// each of these, how many others will yet come there.
fn permutations(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let pool = items(ctx, 0)?;
    let all = pool.len();
    let places = places(ctx, |places| {
        places.split_at_checked(all).is_some_and(|(order, left)| {
            all_in(&pool, order)
                && left.len() <= all
                && left.iter().all(|it| (1..=all).contains(it))
        })
    })?;
    let item = |places: &[usize]| chosen(&pool, &places[..places.len() - all]);
    let advance = |places: &mut [usize]| {
        let (order, left) = places.split_at_mut(all);
        for at in (0..left.len()).rev() {
            left[at] -= 1;
            if left[at] > 0 {
                order.swap(at, all - left[at]);
                return true;
            }
            order[at..].rotate_left(1);
            left[at] = all - at;
        }
        false
    };
    Ok(batch(ctx, places, item, advance))
}

fn combinations(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let pool = items(ctx, 0)?;
    let places = places(ctx, |places| {
        places.len() <= pool.len() && all_in(&pool, places)
    })?;
    let advance = |places: &mut [usize]| {
        let spare = pool.len() - places.len();
        let Some(at) = (0..places.len()).rev().find(|&at| places[at] < at + spare) else {
            return false;
        };
        let first = places[at] + 1;
        for (place, next) in places[at..].iter_mut().zip(first..) {
            *place = next;
        }
        true
    };
    Ok(batch(ctx, places, |places| chosen(&pool, places), advance))
}

fn combinations_with_replacement(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let pool = items(ctx, 0)?;
    let empty = pool.is_empty();
    let places = places(ctx, |places| empty || all_in(&pool, places))?
        .filter(|places| places.is_empty() || !empty);
    let advance = |places: &mut [usize]| {
        let Some(at) = (0..places.len())
            .rev()
            .find(|&at| places[at] + 1 < pool.len())
        else {
            return false;
        };
        let next = places[at] + 1;
        places[at..].fill(next);
        true
    };
    Ok(batch(ctx, places, |places| chosen(&pool, places), advance))
}
