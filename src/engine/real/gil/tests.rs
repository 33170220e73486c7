//! The lock by itself, under OS threads that do nothing else.
#![allow(
    clippy::disallowed_methods,
    reason = "these tests are about threads and time"
)]

use super::*;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

const EVERY: Rules = Rules::Every { instructions: 1 };
const TICKS: Rules = Rules::Ticks { instructions: 1 };
const ALL: [Rules; 3] = [EVERY, TICKS, Rules::Interval { ns: 200_000 }];

fn gil(rules: Rules, threads: usize) -> (Arc<Gil>, Vec<Arc<Waiter>>) {
    let census = Arc::new(Census::default());
    let waiters = (0..threads)
        .map(|number| {
            census.enter();
            Waiter::new(number as u32, None)
        })
        .collect();
    (
        Arc::new(Gil::new(rules, MachineClock::start(), census)),
        waiters,
    )
}

/// Runs one OS thread for each waiter.
fn each(waiters: &[Arc<Waiter>], body: impl Fn(&Arc<Waiter>, usize) + Sync) {
    std::thread::scope(|scope| {
        for (at, waiter) in waiters.iter().enumerate() {
            let body = &body;
            scope.spawn(move || {
                waiter.bind_to_this_thread();
                body(waiter, at);
            });
        }
    });
}

/// What a holder does at the end of a turn.
fn end_of_turn(gil: &Gil, waiter: &Arc<Waiter>) {
    if gil.attention.load(Ordering::Acquire) {
        gil.attention.store(false, Ordering::SeqCst);
        gil.offer(waiter);
    }
}

fn busy_for(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

#[test]
fn one_at_a_time_under_all_rules() {
    for rules in ALL {
        let (gil, waiters) = gil(rules, 4);
        let inside = AtomicU32::new(0);
        let count = AtomicU32::new(0);
        each(&waiters, |waiter, at| {
            gil.acquire(waiter);
            for turn in 0..500 {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "{rules}");
                // Not one atomic step: two inside would lose some.
                let before = count.load(Ordering::Relaxed);
                std::hint::spin_loop();
                count.store(before + 1, Ordering::Relaxed);
                inside.fetch_sub(1, Ordering::SeqCst);
                if (turn + at) % 7 == 0 {
                    gil.release(waiter);
                    gil.acquire(waiter);
                } else {
                    end_of_turn(&gil, waiter);
                }
            }
            gil.retire(waiter);
        });
        assert_eq!(count.into_inner(), 2000, "{rules}");
    }
}

/// What `every(n)` promises: of the turns that end while somebody waits, at least 99 in 100 go to
/// whoever has waited longest. By this design, all do.
#[test]
fn turns_go_to_the_longest_waiter() {
    for threads in [2, 3, 5] {
        let (gil, waiters) = gil(EVERY, threads);
        let wanted = 2000 * threads;
        let arrived = AtomicU32::new(0);
        // Turns from the moment at which all have had one.
        let judged = Mutex::new(Vec::new());
        each(&waiters, |waiter, at| {
            gil.acquire(waiter);
            arrived.fetch_or(1 << at, Ordering::SeqCst);
            loop {
                if arrived.load(Ordering::SeqCst) == (1 << threads) - 1 {
                    let mut judged = judged.lock();
                    if judged.len() == wanted {
                        break;
                    }
                    judged.push(at);
                }
                end_of_turn(&gil, waiter);
            }
            gil.retire(waiter);
        });
        // In the order of waiting, nobody has a second turn before everybody has had one.
        let judged = judged.into_inner();
        let fair = judged
            .windows(threads)
            .filter(|window| (1..threads).all(|at| !window[..at].contains(&window[at])))
            .count();
        let windows = wanted - (threads - 1);
        assert!(
            fair * 100 >= windows * 99,
            "{fair} of {windows} windows of {threads} threads"
        );
    }
}

#[test]
fn a_wake_before_the_rest_is_not_lost() {
    for rules in ALL {
        let (gil, waiters) = gil(rules, 1);
        let waiter = &waiters[0];
        waiter.bind_to_this_thread();
        gil.acquire(waiter);
        gil.wake(waiter);
        assert_eq!(
            gil.begin_wait(waiter, Until::Woken),
            WaitStart::Notified,
            "{rules}"
        );
        let soon = Until::Deadline(Instant::now() + Duration::from_millis(5));
        assert_eq!(
            gil.begin_wait(waiter, soon),
            WaitStart::Released { last: false }
        );
        gil.finish_wait(waiter, soon);
        gil.retire(waiter);
    }
}

#[test]
fn a_rest_ends_at_its_deadline() {
    for rules in ALL {
        let (gil, waiters) = gil(rules, 1);
        let waiter = &waiters[0];
        waiter.bind_to_this_thread();
        gil.acquire(waiter);
        let start = Instant::now();
        let until = Until::Deadline(start + Duration::from_millis(20));
        assert_eq!(
            gil.begin_wait(waiter, until),
            WaitStart::Released { last: false }
        );
        gil.finish_wait(waiter, until);
        assert!(start.elapsed() >= Duration::from_millis(20), "{rules}");
        gil.retire(waiter);
    }
}

/// Two threads wake each other in turn, each resting for ever in between: no wake may be lost, and
/// the census may never say that all is over.
#[test]
fn two_that_wake_each_other_never_stop() {
    for rules in ALL {
        let (gil, waiters) = gil(rules, 2);
        let turn = AtomicU32::new(0);
        each(&waiters, |waiter, at| {
            gil.acquire(waiter);
            for _ in 0..2000 {
                while turn.load(Ordering::SeqCst) % 2 != at as u32 {
                    match gil.begin_wait(waiter, Until::Woken) {
                        WaitStart::Notified => {}
                        WaitStart::Released { last } => {
                            assert!(!last, "{rules}");
                            gil.finish_wait(waiter, Until::Woken);
                        }
                    }
                }
                turn.fetch_add(1, Ordering::SeqCst);
                gil.wake(&waiters[1 - at]);
            }
            gil.retire(waiter);
        });
        assert_eq!(turn.into_inner(), 4000);
    }
}

#[test]
fn the_last_to_rest_for_ever_is_told_so() {
    for rules in ALL {
        let (gil, waiters) = gil(rules, 3);
        let told = AtomicU32::new(0);
        each(&waiters, |waiter, _| {
            gil.acquire(waiter);
            match gil.begin_wait(waiter, Until::Woken) {
                WaitStart::Notified => {}
                WaitStart::Released { last } => {
                    if last {
                        told.fetch_add(1, Ordering::SeqCst);
                        for other in &waiters {
                            gil.wake(other);
                        }
                    }
                    gil.finish_wait(waiter, Until::Woken);
                }
            }
            gil.retire(waiter);
        });
        assert_eq!(told.into_inner(), 1, "{rules}");
    }
}

/// `Python/ceval_gil.h`: nobody asks before the interval is over; who is asked lets go at its next
/// look and waits until the lock is taken.
#[test]
fn an_interval_passes_before_the_holder_is_asked() {
    let interval = Duration::from_millis(5);
    let (gil, waiters) = gil(Rules::Interval { ns: 5_000_000 }, 2);
    // Who has given way, and since when it has been waiting at the earliest.
    let gave_way = Mutex::new(Vec::new());
    let left = AtomicU32::new(0);
    each(&waiters, |waiter, at| {
        gil.acquire(waiter);
        for _ in 0..10 {
            while !gil.attention.load(Ordering::Acquire) && left.load(Ordering::SeqCst) == 0 {
                std::hint::spin_loop();
            }
            if left.load(Ordering::SeqCst) == 0 {
                let now = Instant::now();
                let mut gave_way = gave_way.lock();
                if let Some((_, waiting_since)) = gave_way.last() {
                    assert!(now - *waiting_since >= interval);
                }
                gave_way.push((at, now));
            }
            end_of_turn(&gil, waiter);
        }
        left.fetch_add(1, Ordering::SeqCst);
        gil.retire(waiter);
    });
    let gave_way = gave_way.into_inner();
    assert!(gave_way.len() >= 10, "{gave_way:?}");
    assert!(
        gave_way.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "{gave_way:?}"
    );
}

/// 2.7: who lets go takes the lock back if it is still free, that is, as long as no waiter has
/// woken; this one never does.
#[test]
fn a_tick_hands_nothing_over() {
    let (gil, waiters) = gil(TICKS, 1);
    waiters[0].bind_to_this_thread();
    gil.acquire(&waiters[0]);
    gil.state.lock().waiting = 1;
    gil.attention.store(true, Ordering::Release);
    for _ in 0..3 {
        assert!(gil.attention.load(Ordering::Acquire), "somebody waits");
        end_of_turn(&gil, &waiters[0]);
        assert_eq!(waiters[0].place(), Place::Holding);
    }
    assert_eq!(gil.state.lock().switches, 1);
}

#[test]
fn the_tally_adds_up_to_the_time() {
    let (gil, waiters) = gil(EVERY, 1);
    let waiter = &waiters[0];
    waiter.bind_to_this_thread();
    waiter.tally.start(gil.clock.now_ns());
    gil.acquire(waiter);
    busy_for(Duration::from_millis(10));
    gil.release(waiter);
    busy_for(Duration::from_millis(10));
    gil.acquire(waiter);
    gil.retire(waiter);
    let times = waiter.tally.times(gil.clock.now_ns());
    assert_eq!((times.acquisitions, times.switches), (2, 1));
    assert!(times.held_ns >= 10_000_000 && times.blocked_ns >= 10_000_000);
    assert!(times.longest_wait_ns <= times.waited_ns);
}

/// Threads have their first turns in the order of their start, though the system may begin with a
/// later one; and who has begun waits for none of them.
#[test]
fn who_was_started_later_waits_for_who_was_started_earlier() {
    let (gil, waiters) = gil(EVERY, 3);
    waiters[0].bind_to_this_thread();
    gil.acquire(&waiters[0]);
    gil.reserve_turn(&waiters[1]);
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let (gil, waiters, order) = (&gil, &waiters, &order);
        let begin = |at: usize| {
            scope.spawn(move || {
                waiters[at].bind_to_this_thread();
                gil.acquire(&waiters[at]);
                order.lock().push(at);
                gil.retire(&waiters[at]);
            });
        };
        begin(2);
        while waiters[2].place() != Place::New {
            std::thread::yield_now();
        }
        gil.release(&waiters[0]);
        gil.acquire(&waiters[0]);
        order.lock().push(0);
        gil.release(&waiters[0]);
        begin(1);
    });
    assert_eq!(*order.lock(), [0, 1, 2]);
}
