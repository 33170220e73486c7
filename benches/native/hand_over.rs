//! What the operating system charges for the steps of which a lock is made: plain threads, `std`
//! alone, no Mini. `benches/locking.py` compiles and runs it.
//!
//!     hand_over token THREADS PASSES       nanoseconds to pass a token on among THREADS, of which
//!                                          one is unparked at a time
//!     hand_over turns THREADS TURNS WORK   seconds for TURNS turns of WORK in one thread, and in
//!                                          THREADS that hand a token round after each
//!     hand_over work AMOUNT                AMOUNT of work, and nothing to print
//!     hand_over chain AMOUNT               the same with one chain of operations, each of which
//!                                          waits for the one before
//!     hand_over sleep THREADS              seconds until THREADS have ended, each of which sleeps
//!                                          for one (in a park that could be ended)
//!     hand_over parked THREADS             nanoseconds to unpark one of THREADS parked threads
//!     hand_over steps TIMES                nanoseconds: lock and unlock a free mutex; unpark a
//!                                          thread that runs; unpark one that is parked

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// A place at the table: its thread goes on when it has the token.
struct Seat {
    called: AtomicBool,
    thread: Mutex<Option<Thread>>,
}

impl Seat {
    fn sit_down(&self) {
        *self.thread.lock().unwrap() = Some(thread::current());
    }

    fn wait(&self) {
        while !self.called.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| {
        words[at]
            .replace('_', "")
            .parse::<usize>()
            .expect("a number")
    };
    match words.first().map(String::as_str) {
        Some("token") => {
            let (threads, passes) = (number(1), number(2));
            let seconds = hand_round(threads, passes, 0);
            println!("{:.1}", seconds * 1e9 / passes as f64);
        }
        Some("turns") => {
            let (threads, turns, amount) = (number(1), number(2), number(3));
            let start = Instant::now();
            let mut states = SEEDS;
            for _ in 0..turns {
                states = work(states, amount);
            }
            let alone = start.elapsed().as_secs_f64();
            println!("{alone:.6} {:.6}", hand_round(threads, turns, amount));
        }
        Some("work") => {
            work(SEEDS, number(1));
        }
        Some("chain") => {
            work([SEEDS[0]], number(1));
        }
        Some("sleep") => {
            let start = Instant::now();
            thread::scope(|scope| {
                for _ in 0..number(1) {
                    let one = thread::Builder::new().stack_size(1 << 20);
                    let sleeper = || thread::park_timeout(Duration::from_secs(1));
                    one.spawn_scoped(scope, sleeper).expect("one more thread");
                }
            });
            println!("{:.6}", start.elapsed().as_secs_f64());
        }
        Some("parked") => parked(number(1)),
        Some("steps") => steps(number(1)),
        _ => panic!("token, turns, work, chain, sleep, parked or steps"),
    }
}

/// With so many independent chains a core is as busy as with an interpreter's loop: some four
/// instructions in each cycle. One chain alone waits for itself most of the time, and so would not
/// notice who else uses the core's units.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

fn work<const CHAINS: usize>(mut states: [u64; CHAINS], amount: usize) -> [u64; CHAINS] {
    for _ in 0..amount {
        for state in &mut states {
            *state = (*state ^ (*state >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }
    black_box(states)
}

/// So many turns, each in the next of so many threads; seconds.
fn hand_round(threads: usize, turns: usize, amount: usize) -> f64 {
    let seats: Vec<Seat> = (0..threads)
        .map(|_| Seat {
            called: AtomicBool::new(false),
            thread: Mutex::new(None),
        })
        .collect();
    let seated = AtomicUsize::new(0);
    let taken = AtomicUsize::new(0);
    let mut start = Instant::now();
    thread::scope(|scope| {
        for at in 0..threads {
            let (seats, seated, taken) = (&seats, &seated, &taken);
            scope.spawn(move || {
                seats[at].sit_down();
                seated.fetch_add(1, Ordering::SeqCst);
                let mut states = SEEDS;
                loop {
                    seats[at].wait();
                    let over = taken.fetch_add(1, Ordering::Relaxed) >= turns;
                    if !over {
                        states = work(states, amount);
                    }
                    let next = &seats[(at + 1) % threads];
                    // As in Mini: called first, so that the one who wakes finds its turn; then
                    // woken.
                    next.called.store(true, Ordering::Release);
                    if let Some(thread) = &*next.thread.lock().unwrap() {
                        thread.unpark();
                    }
                    if over {
                        return;
                    }
                }
            });
        }
        while seated.load(Ordering::SeqCst) < threads {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(5));
        start = Instant::now();
        seats[0].called.store(true, Ordering::Release);
        if let Some(thread) = &*seats[0].thread.lock().unwrap() {
            thread.unpark();
        }
    });
    start.elapsed().as_secs_f64()
}

fn steps(times: usize) {
    let each = |start: Instant, times: usize| start.elapsed().as_secs_f64() * 1e9 / times as f64;

    let mutex = Mutex::new(0u64);
    let start = Instant::now();
    for _ in 0..times {
        *black_box(&mutex).lock().unwrap() += 1;
    }
    let free = each(start, times);

    let me = thread::current();
    let start = Instant::now();
    for _ in 0..times {
        black_box(&me).unpark();
    }
    let running = each(start, times);

    // Woken only when it is certainly parked, and timed on the waker's side alone.
    let times = (times / 10_000).max(100);
    let over = AtomicBool::new(false);
    let parked = thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                thread::park();
            }
        });
        let mut spent = Duration::ZERO;
        for _ in 0..times {
            thread::sleep(Duration::from_micros(200));
            let start = Instant::now();
            sleeper.thread().unpark();
            spent += start.elapsed();
        }
        over.store(true, Ordering::Relaxed);
        sleeper.thread().unpark();
        spent.as_secs_f64() * 1e9 / times as f64
    });
    println!("{free:.1} {running:.1} {parked:.1}");
}

/// The waker's side, the median of some.
fn parked(threads: usize) {
    const WAKES: usize = 300;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sleepers: Vec<_> = (0..threads)
            .map(|_| {
                let sleep = || {
                    while !over.load(Ordering::Relaxed) {
                        thread::park();
                    }
                };
                let one = thread::Builder::new().stack_size(1 << 17);
                one.spawn_scoped(scope, sleep).expect("one more thread")
            })
            .collect();
        thread::sleep(Duration::from_secs(1));
        let mut spent: Vec<u128> = (0..WAKES)
            .map(|wake| {
                thread::sleep(Duration::from_micros(200));
                let start = Instant::now();
                sleepers[wake * 7919 % threads].thread().unpark();
                start.elapsed().as_nanos()
            })
            .collect();
        spent.sort_unstable();
        println!("{}", spent[WAKES / 2]);
        over.store(true, Ordering::Relaxed);
        for sleeper in &sleepers {
            sleeper.thread().unpark();
        }
    });
}
