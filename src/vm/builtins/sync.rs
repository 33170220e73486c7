//! `threading.Lock`, `RLock`, `Condition`, `Semaphore` and `Event`. An uncontended acquire or
//! release is a few instructions and stays in the run loop; only who has to wait asks for it.
//! Messages are CPython's.

use crate::vm::heap::class::Type;
use crate::vm::heap::object::Object;
use crate::vm::heap::primitive::{Condition, Event, Lock, RLock, Semaphore};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx, Native, Woken, getter, method, module_native, native};
use crate::vm::state::slice::{Clock, SysCall, WaitOn};
use crate::vm::state::sync;
use std::collections::VecDeque;

pub(super) const NATIVES: &[Native] = &[
    module_native("_lock_new", "allocate_lock", "", lock_new),
    module_native("_rlock_new", "RLock", "", rlock_new),
    native("_condition_new", "lock", condition_new),
    native("_semaphore_new", "value, bounded", semaphore_new),
    native("_event_new", "", event_new),
    method(
        Type::Lock,
        "acquire",
        "self, /, blocking=, timeout=",
        lock_acquire,
    ),
    method(Type::Lock, "release", "self, /", lock_release),
    method(Type::Lock, "locked", "self, /", lock_locked),
    method(Type::Lock, "__enter__", "self, /", lock_enter),
    method(Type::Lock, "__exit__", "self, /, *exception", lock_exit),
    method(
        Type::RLock,
        "acquire",
        "self, /, blocking=, timeout=",
        lock_acquire,
    ),
    method(Type::RLock, "release", "self, /", rlock_release),
    method(Type::RLock, "_is_owned", "self, /", rlock_is_owned),
    method(Type::RLock, "__enter__", "self, /", lock_enter),
    method(Type::RLock, "__exit__", "self, /, *exception", rlock_exit),
    method(
        Type::Condition,
        "acquire",
        "self, /, blocking=, timeout=",
        condition_acquire,
    ),
    method(Type::Condition, "release", "self, /", condition_release),
    method(Type::Condition, "__enter__", "self, /", condition_enter),
    method(
        Type::Condition,
        "__exit__",
        "self, /, *exception",
        condition_exit,
    ),
    method(Type::Condition, "wait", "self, /, timeout=", condition_wait),
    method(Type::Condition, "notify", "self, /, n=", condition_notify),
    method(
        Type::Condition,
        "notify_all",
        "self, /",
        condition_notify_all,
    ),
    method(
        Type::Semaphore,
        "acquire",
        "self, /, blocking=, timeout=",
        semaphore_acquire,
    ),
    method(Type::Semaphore, "release", "self, /, n=", semaphore_release),
    method(Type::Semaphore, "__enter__", "self, /", semaphore_enter),
    method(
        Type::Semaphore,
        "__exit__",
        "self, /, *exception",
        semaphore_exit,
    ),
    getter(Type::Condition, "_waiting", condition_waiting),
    getter(Type::Semaphore, "_value", semaphore_value),
    method(Type::Event, "is_set", "self, /", event_is_set),
    method(Type::Event, "set", "self, /", event_set),
    method(Type::Event, "clear", "self, /", event_clear),
    method(Type::Event, "wait", "self, /, timeout=", event_wait),
];

/// The longest wait: `threading.TIMEOUT_MAX` seconds.
const TIMEOUT_MAX_NS: i64 = 9_223_372_036_000_000_000;

/// What a script gave as seconds, in nanoseconds, a fraction of one rounded away from zero
/// (`_PyTime_FromSecondsObject` in CPython's `Python/pytime.c`).
pub(super) fn nanoseconds(ctx: &mut Ctx<'_>, seconds: Value) -> Result<i64, Abrupt> {
    let too_large = |ctx: &mut Ctx<'_>, message: &str| ctx.error(Type::OverflowError, message);
    match seconds {
        Value::Float(seconds) if seconds.is_nan() => {
            Err(ctx.value_error("Invalid value NaN (not a number)"))
        }
        Value::Float(seconds) => {
            let ns = seconds * 1e9;
            if ns.abs() >= i64::MAX as f64 {
                return Err(too_large(ctx, "timestamp out of range for platform time_t"));
            }
            Ok(if ns < 0.0 { ns.floor() } else { ns.ceil() } as i64)
        }
        seconds => match ctx.integer(seconds)? {
            Value::Int(seconds) => seconds.checked_mul(1_000_000_000),
            _ => None,
        }
        .ok_or_else(|| too_large(ctx, "timestamp too large to convert to C _PyTime_t")),
    }
}

/// The moment this many nanoseconds from now. Asks the engine for the time, once.
fn deadline(ctx: &mut Ctx<'_>, ns: i64) -> Result<u64, Abrupt> {
    if ns > TIMEOUT_MAX_NS {
        return Err(ctx.error(Type::OverflowError, "timeout value is too large"));
    }
    let Value::Int(now_ns) = ctx.sys(SysCall::Now(Clock::Monotonic))? else {
        unreachable!("a clock answers with a number")
    };
    Ok((now_ns as u64).saturating_add(ns.max(0) as u64))
}

/// The deadline of a timeout in seconds, none for `None`. Negative ones have passed.
pub(super) fn optional_deadline(ctx: &mut Ctx<'_>, timeout: Value) -> Result<Option<u64>, Abrupt> {
    match timeout {
        Value::Unbound | Value::None => Ok(None),
        timeout => {
            let ns = nanoseconds(ctx, timeout)?;
            Ok(Some(deadline(ctx, ns)?))
        }
    }
}

/// The object that a method was called on.
pub(super) fn this(ctx: &Ctx<'_>) -> Ref<Object> {
    match ctx.arg(0) {
        Value::Object(object) => object,
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

/// Waits until the lock, `RLock` or semaphore is taken, or until the deadline; true if it was
/// taken.
fn take(
    ctx: &mut Ctx<'_>,
    object: Ref<Object>,
    deadline_ns: Option<u64>,
    levels: u32,
) -> Result<bool, Abrupt> {
    pass_by(ctx)?;
    wait_to_take(ctx, object, deadline_ns, levels)
}

/// CPython 2.7 lets go of the interpreter lock around every acquire, whether or not the mutex is
/// free and whether or not it is to block.
fn pass_by(ctx: &mut Ctx<'_>) -> Result<(), Abrupt> {
    if ctx.vm.yields_at_mutex {
        ctx.sys(SysCall::Yield)?;
    }
    Ok(())
}

fn wait_to_take(
    ctx: &mut Ctx<'_>,
    object: Ref<Object>,
    deadline_ns: Option<u64>,
    levels: u32,
) -> Result<bool, Abrupt> {
    loop {
        if sync::try_take(ctx.vm, object, ctx.thread, levels) {
            return Ok(true);
        }
        match ctx.wait(WaitOn::Object(object), deadline_ns)? {
            Woken::Up => {}
            Woken::TimedOut => return Ok(false),
        }
    }
}

fn lock_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let origin = ctx.vm.allocation_site(ctx.thread);
    Ok(ctx.vm.heap.new_object(Object::Lock(Lock {
        origin,
        ..Lock::default()
    })))
}

fn rlock_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let origin = ctx.vm.allocation_site(ctx.thread);
    Ok(ctx.vm.heap.new_object(Object::RLock(RLock {
        origin,
        ..RLock::default()
    })))
}

fn lock_acquire(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    acquire(ctx, object)
}

/// `acquire(blocking=True, timeout=-1)` of a lock or `RLock`.
fn acquire(ctx: &mut Ctx<'_>, object: Ref<Object>) -> Result<Value, Abrupt> {
    let (blocking, timeout) = (ctx.arg(1), ctx.arg(2));
    // Any integer will do: `acquire(False)`, `acquire(0)`.
    let blocking = match blocking {
        Value::Unbound => true,
        value => ctx.index(value)? != 0,
    };
    let timeout_ns = match timeout {
        Value::Unbound => None,
        value => match nanoseconds(ctx, value)? {
            -1_000_000_000 => None,
            _ if !blocking => {
                return Err(ctx.value_error("can't specify a timeout for a non-blocking call"));
            }
            ns if ns < 0 => {
                return Err(ctx.value_error("timeout value must be positive"));
            }
            ns => Some(ns),
        },
    };
    pass_by(ctx)?;
    if sync::try_take(ctx.vm, object, ctx.thread, 1) {
        return Ok(Value::Bool(true));
    }
    if !blocking {
        return Ok(Value::Bool(false));
    }
    let deadline_ns = match timeout_ns {
        None => None,
        Some(ns) => Some(deadline(ctx, ns)?),
    };
    Ok(Value::Bool(wait_to_take(ctx, object, deadline_ns, 1)?))
}

fn lock_enter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    Ok(Value::Bool(take(ctx, object, None, 1)?))
}

fn lock_release(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    release(ctx, object)
}

fn release(ctx: &mut Ctx<'_>, object: Ref<Object>) -> Result<Value, Abrupt> {
    match sync::release(ctx.vm, object, ctx.thread, false) {
        Some(_) => Ok(Value::None),
        None if matches!(ctx.vm.heap.objects[object], Object::Lock(_)) => {
            Err(ctx.error(Type::RuntimeError, "release unlocked lock"))
        }
        None => Err(ctx.error(Type::RuntimeError, "cannot release un-acquired lock")),
    }
}

fn lock_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    lock_release(ctx)
}

fn lock_locked(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    Ok(Value::Bool(sync::is_held(ctx.vm, object, ctx.thread)))
}

fn rlock_release(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    lock_release(ctx)
}

fn rlock_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    lock_release(ctx)
}

fn rlock_is_owned(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    lock_locked(ctx)
}

fn condition_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let lock = match ctx.arg(0) {
        Value::None => rlock_new(ctx)?,
        lock => lock,
    };
    let lock = match lock {
        Value::Object(object) => match &ctx.vm.heap.objects[object] {
            Object::Lock(_) | Object::RLock(_) => Some(lock),
            Object::Condition(condition) => Some(condition.lock),
            _ => None,
        },
        _ => None,
    };
    let Some(lock) = lock else {
        return Err(ctx.type_error("the lock of a Condition must be a Lock or an RLock"));
    };
    let origin = ctx.vm.allocation_site(ctx.thread);
    Ok(ctx.vm.heap.new_object(Object::Condition(Condition {
        lock,
        waiters: VecDeque::new(),
        origin,
    })))
}

/// A condition and its lock.
fn condition(ctx: &Ctx<'_>) -> (Ref<Object>, Ref<Object>) {
    let object = this(ctx);
    match &ctx.vm.heap.objects[object] {
        Object::Condition(Condition {
            lock: Value::Object(lock),
            ..
        }) => (object, *lock),
        _ => unreachable!("a condition is made with a lock"),
    }
}

fn condition_acquire(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, lock) = condition(ctx);
    acquire(ctx, lock)
}

fn condition_release(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, lock) = condition(ctx);
    release(ctx, lock)
}

fn condition_enter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (_, lock) = condition(ctx);
    Ok(Value::Bool(take(ctx, lock, None, 1)?))
}

fn condition_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    condition_release(ctx)
}

/// Lets go of the lock, waits for a notification, and takes the lock back as often as it was held.
fn condition_wait(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (object, lock) = condition(ctx);
    let timeout_ns = match ctx.arg(1) {
        Value::Unbound | Value::None => None,
        value => Some(nanoseconds(ctx, value)?),
    };
    let deadline_ns = match timeout_ns {
        Some(ns) if ns > 0 => Some(deadline(ctx, ns)?),
        _ => None,
    };
    let levels = ctx.once(|ctx| {
        let levels = if sync::is_held(ctx.vm, lock, ctx.thread) {
            sync::release(ctx.vm, lock, ctx.thread, true)
        } else {
            None
        };
        match levels {
            Some(levels) => Ok(Value::Int(levels.into())),
            None => Err(ctx.error(Type::RuntimeError, "cannot wait on un-acquired lock")),
        }
    })?;
    let woken = if timeout_ns.is_some_and(|ns| ns <= 0) {
        Ok(Woken::TimedOut)
    } else {
        ctx.wait_guarded(WaitOn::Object(object), deadline_ns)?
    };
    let Value::Int(levels) = levels else {
        unreachable!("it was made above")
    };
    // Also before an exception ends it (Ctrl-C): the `with` around it will let go of the lock.
    take(ctx, lock, None, levels as u32)?;
    match woken {
        Ok(woken) => Ok(Value::Bool(woken == Woken::Up)),
        Err(exception) => Err(Abrupt::Throw(exception)),
    }
}

fn condition_notify(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let most = match ctx.arg(1) {
        Value::Unbound => 1,
        value => ctx.index(value)?,
    };
    notify(ctx, usize::try_from(most).unwrap_or(0))
}

fn condition_notify_all(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    notify(ctx, usize::MAX)
}

/// How many threads wait.
fn condition_waiting(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    match &ctx.vm.heap.objects[object] {
        Object::Condition(condition) => Ok(Value::Int(condition.waiters.len() as i64)),
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

fn notify(ctx: &mut Ctx<'_>, most: usize) -> Result<Value, Abrupt> {
    let (object, lock) = condition(ctx);
    if !sync::is_held(ctx.vm, lock, ctx.thread) {
        return Err(ctx.error(Type::RuntimeError, "cannot notify on un-acquired lock"));
    }
    sync::wake_first(ctx.vm, object, most);
    Ok(Value::None)
}

fn semaphore_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (value, bounded) = (ctx.arg(0), ctx.arg(1));
    let value = ctx.index(value)?;
    let bounded = ctx.truth(bounded)?;
    let Ok(value) = u64::try_from(value) else {
        return Err(ctx.value_error("semaphore initial value must be >= 0"));
    };
    let origin = ctx.vm.allocation_site(ctx.thread);
    Ok(ctx.vm.heap.new_object(Object::Semaphore(Semaphore {
        origin,
        value,
        bound: bounded.then_some(value),
        waiters: VecDeque::new(),
    })))
}

fn semaphore<'a>(ctx: &'a mut Ctx<'_>) -> &'a mut Semaphore {
    let object = this(ctx);
    match &mut ctx.vm.heap.objects[object] {
        Object::Semaphore(semaphore) => semaphore,
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

fn semaphore_acquire(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    let (blocking, timeout) = (ctx.arg(1), ctx.arg(2));
    let blocking = match blocking {
        Value::Unbound => true,
        value => ctx.truth(value)?,
    };
    let timeout_ns = match timeout {
        Value::Unbound | Value::None => None,
        _ if !blocking => {
            return Err(ctx.value_error("can't specify timeout for non-blocking acquire"));
        }
        value => Some(nanoseconds(ctx, value)?),
    };
    if sync::try_take(ctx.vm, object, ctx.thread, 1) {
        return Ok(Value::Bool(true));
    }
    if !blocking {
        return Ok(Value::Bool(false));
    }
    let deadline_ns = match timeout_ns {
        None => None,
        Some(ns) => Some(deadline(ctx, ns)?),
    };
    Ok(Value::Bool(take(ctx, object, deadline_ns, 1)?))
}

fn semaphore_release(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let count = match ctx.arg(1) {
        Value::Unbound => 1,
        value => ctx.index(value)?,
    };
    match u64::try_from(count) {
        Ok(count @ 1..) => give(ctx, count),
        _ => Err(ctx.value_error("n must be one or more")),
    }
}

/// Adds to a semaphore and wakes as many threads.
fn give(ctx: &mut Ctx<'_>, count: u64) -> Result<Value, Abrupt> {
    let it = semaphore(ctx);
    let value = it.value.saturating_add(count);
    if it.bound.is_some_and(|bound| value > bound) {
        return Err(ctx.value_error("Semaphore released too many times"));
    }
    it.value = value;
    let object = this(ctx);
    sync::wake_first(ctx.vm, object, usize::try_from(count).unwrap_or(usize::MAX));
    Ok(Value::None)
}

fn semaphore_enter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = this(ctx);
    Ok(Value::Bool(take(ctx, object, None, 1)?))
}

fn semaphore_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    give(ctx, 1)
}

fn semaphore_value(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(Value::Int(semaphore(ctx).value as i64))
}

fn event_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let origin = ctx.vm.allocation_site(ctx.thread);
    Ok(ctx.vm.heap.new_object(Object::Event(Event {
        origin,
        ..Event::default()
    })))
}

fn event<'a>(ctx: &'a mut Ctx<'_>) -> &'a mut Event {
    let object = this(ctx);
    match &mut ctx.vm.heap.objects[object] {
        Object::Event(event) => event,
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

fn event_is_set(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(Value::Bool(event(ctx).set))
}

fn event_set(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    event(ctx).set = true;
    let object = this(ctx);
    sync::wake_first(ctx.vm, object, usize::MAX);
    Ok(Value::None)
}

fn event_clear(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    event(ctx).set = false;
    Ok(Value::None)
}

/// Who was woken returns true, though the event may have been cleared meanwhile; so does CPython.
fn event_wait(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let timeout = ctx.arg(1);
    if ctx.is_first_run() && event(ctx).set {
        return Ok(Value::Bool(true));
    }
    let deadline_ns = optional_deadline(ctx, timeout)?;
    let object = this(ctx);
    let has_waited = ctx.replayed < ctx.log.len();
    // It may have been set while the engine was asked for the time.
    if !has_waited && event(ctx).set {
        return Ok(Value::Bool(true));
    }
    let woken = ctx.wait(WaitOn::Object(object), deadline_ns)?;
    Ok(Value::Bool(woken == Woken::Up || event(ctx).set))
}
