//! The picture itself: lanes, the axis, what they mean.

use super::lane::{Cell, Lane, State};
use super::{Timeline, VmRow};
use crate::event::VmId;
use crate::printable;
use crate::printable::{Printable, clean};
use anstyle::{AnsiColor, Style};
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthChar;

/// What a column of a lane looks like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Runs,
    RunsInPart,
    Outside,
    Starting,
    Ready,
    Waits,
    Blocked,
    Asleep,
    Done,
    Unborn,
}

impl Mark {
    /// What a cell looks like, by whether there is a lock.
    fn of(cell: Cell, locked: bool) -> Mark {
        match cell.most {
            State::Running => Mark::Runs,
            State::Outside if !locked => Mark::Runs,
            _ if cell.ran || (cell.outside && !locked) => Mark::RunsInPart,
            State::Outside => Mark::Outside,
            State::Starting => Mark::Starting,
            State::Ready => Mark::Ready,
            State::Waiting => Mark::Waits,
            State::Blocked => Mark::Blocked,
            State::Asleep => Mark::Asleep,
            State::Done => Mark::Done,
            State::Unborn => Mark::Unborn,
        }
    }

    fn glyph(self) -> char {
        match self {
            Mark::Runs => '█',
            Mark::RunsInPart => '▌',
            Mark::Outside => 'o',
            Mark::Starting => 's',
            Mark::Ready => '▒',
            Mark::Waits => '░',
            Mark::Blocked => '─',
            Mark::Asleep => 'z',
            Mark::Done => '.',
            Mark::Unborn => ' ',
        }
    }

    fn style(self) -> Style {
        let color = match self {
            Mark::Runs | Mark::RunsInPart => AnsiColor::Green,
            Mark::Outside => AnsiColor::Cyan,
            Mark::Starting => AnsiColor::BrightBlack,
            Mark::Ready => AnsiColor::Yellow,
            Mark::Waits => AnsiColor::Red,
            Mark::Blocked => AnsiColor::Magenta,
            Mark::Asleep => AnsiColor::Blue,
            Mark::Done | Mark::Unborn => return Style::new().dimmed(),
        };
        color.on_default()
    }

    fn meaning(self, locked: bool) -> &'static str {
        match self {
            Mark::Runs if locked => "has the lock",
            Mark::Runs => "runs",
            Mark::RunsInPart if locked => "has the lock for less than half of the time",
            Mark::RunsInPart => "runs for less than half of the time",
            Mark::Outside => "runs without the lock",
            Mark::Starting => "starts",
            Mark::Ready => "waits for a core",
            Mark::Waits => "waits for the lock",
            Mark::Blocked => "blocked",
            Mark::Asleep => "asleep",
            Mark::Done => "done",
            Mark::Unborn => "",
        }
    }
}

/// Eighths of a row, for how many cores are busy.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns that a label of the axis takes at least, with the room to the next.
const LABEL_COLUMNS: u64 = 12;

impl Timeline {
    /// The picture. All events are to be there.
    #[must_use]
    pub fn text(mut self) -> Printable {
        for lane in self.lanes.values_mut() {
            lane.finish(&mut self.busy_ns);
        }
        let mut picture = Picture {
            text: Printable::new(),
            label_columns: self.label_columns,
            paint: self.look.paint,
            seen: BTreeSet::new(),
        };
        picture.text.append(&self.title());
        self.axis(&mut picture);
        let shown = self.look.lanes.max(2);
        let several = self.vms.len() > 1;
        let (own, shared) = split(self.vms.iter().collect(), shown);
        for &(&vm, row) in &own {
            if several {
                let name = if row.name.is_empty() {
                    format!("process {}", vm.0)
                } else {
                    row.name.to_string()
                };
                picture.label(&name, "");
                picture.text.trim_end();
                picture.text.own("\n");
            }
            self.lanes_of(&mut picture, vm, row, shown, several);
        }
        if !shared.is_empty() {
            let mut marks = vec![Mark::Unborn; self.scale.columns];
            for (vm, row) in &shared {
                for lane in self.threads(**vm) {
                    combine(&mut marks, lane, row.locked);
                }
            }
            picture.marks(&format!("… {} more processes", shared.len()), &marks);
        }
        self.cores(&mut picture);
        self.waited(&mut picture);
        self.legend(&mut picture);
        picture.text
    }

    fn title(&self) -> Printable {
        let heading = &self.heading;
        let how = if heading.simulated {
            "simulated"
        } else {
            "on real threads"
        };
        let cores = match heading.cores {
            None => String::new(),
            Some(1) => ", 1 core".into(),
            Some(cores) => format!(", {cores} cores"),
        };
        let switches: u64 = self
            .vms
            .values()
            .flat_map(|it| it.switches.iter().copied().map(u64::from))
            .sum();
        let span = length(self.scale.span_ns);
        printable!(
            heading.script,
            " ",
            how,
            ", lock ",
            heading.lock,
            cores,
            ": ",
            span,
            ", ",
            switches,
            " switches, ",
            self.events,
            " events\n"
        )
    }

    /// Marks at round times.
    fn axis(&self, picture: &mut Picture) {
        let scale = self.scale;
        let least_ns = scale.span_ns / (scale.columns as u64 / LABEL_COLUMNS).max(1);
        let step_ns = round(least_ns);
        let mut labels = String::new();
        let mut rule = vec!['─'; scale.columns];
        let mut at_ns = 0_u64;
        while at_ns < scale.span_ns {
            let column = scale.column(at_ns);
            rule[column] = '┬';
            let label = length(at_ns);
            let width = labels.chars().count();
            if width <= column && column + label.chars().count() <= scale.columns {
                labels.extend(std::iter::repeat_n(' ', column - width));
                labels += &label;
            }
            at_ns = at_ns.saturating_add(step_ns);
        }
        picture.label("", "");
        picture.line(&labels);
        picture.label("", "");
        picture.line(&rule.into_iter().collect::<String>());
    }

    fn threads(&self, vm: VmId) -> impl Iterator<Item = &Lane> {
        let range = (vm, 0)..=(vm, u32::MAX);
        self.lanes.range(range).map(|(_, lane)| lane)
    }

    fn lanes_of(&self, picture: &mut Picture, vm: VmId, row: &VmRow, shown: usize, several: bool) {
        let indent = if several { "  " } else { "" };
        let (own, shared) = split(self.threads(vm).collect(), shown);
        for lane in own {
            let cells = lane.cells.iter();
            let marks: Vec<Mark> = cells.map(|it| Mark::of(*it, row.locked)).collect();
            picture.marks(&format!("{indent}{}", lane.name), &marks);
        }
        if !shared.is_empty() {
            let mut marks = vec![Mark::Unborn; self.scale.columns];
            for lane in &shared {
                combine(&mut marks, lane, row.locked);
            }
            picture.marks(&format!("{indent}… {} more", shared.len()), &marks);
        }
        if row.locked {
            let total: u64 = row.switches.iter().copied().map(u64::from).sum();
            let digits = row.switches.iter().map(|&count| match count {
                0 => ' ',
                1..=9 => char::from(b'0' + count as u8),
                10.. => '+',
            });
            let digits: String = digits.collect();
            picture.label(&format!("{indent}switches"), &total.to_string());
            picture.line(digits.trim_end());
        }
    }

    /// How many cores were busy.
    fn cores(&self, picture: &mut Picture) {
        let scale = self.scale;
        let share =
            |column: usize| self.busy_ns[column] as f64 / scale.column_ns(column).max(1) as f64;
        let most = (0..scale.columns).map(share).fold(1.0, f64::max);
        let full = self.heading.cores.map_or(most.ceil(), f64::from);
        let bars: String = (0..scale.columns)
            .map(|column| {
                let eighths = (share(column) / full * 8.0).ceil() as usize;
                BARS[eighths.min(8)]
            })
            .collect();
        let busy_ns: f64 = self.busy_ns.iter().map(|it| *it as f64).sum();
        let mean = busy_ns / scale.span_ns as f64;
        let name = match self.heading.cores {
            None => "cores used".into(),
            Some(cores) => format!("cores used of {cores}"),
        };
        picture.label(&name, &format!("{mean:.2}"));
        picture.line(bars.trim_end());
    }

    /// What threads waited for longest, of the things that the script has names for.
    fn waited(&mut self, picture: &mut Picture) {
        for row in self.waits.longest(self.scale.span_ns, MAX_WAITS) {
            picture.label("waits", &row.times.to_string());
            picture.line(&format!("{} for {}", length(row.ns), row.name));
        }
    }

    fn legend(&self, picture: &mut Picture) {
        let locked = self.vms.values().any(|it| it.locked);
        let seen: Vec<Mark> = picture.seen.iter().copied().collect();
        let mut columns = 0;
        for mark in seen {
            let meaning = mark.meaning(locked);
            if meaning.is_empty() {
                continue;
            }
            let wide = meaning.chars().count() + 2;
            if columns > 0 && columns + 3 + wide > self.look.width {
                picture.text.own("\n");
                columns = 0;
            } else if columns > 0 {
                picture.text.own("   ");
                columns += 3;
            }
            picture.painted(mark, 1);
            picture.text.append(&printable!(" ", meaning));
            columns += wide;
        }
        picture.text.own("\n");
        let several = self.vms.values().flat_map(|it| &it.switches);
        if several.copied().any(|it| it > 0) {
            picture
                .text
                .own("switches: how often the lock went to another thread (+ is 10 or more)\n");
        }
        if self.waits.any() {
            picture
                .text
                .own("waits: how often and how long threads waited for what the script made\n");
        }
    }
}

/// So many of the things that threads waited for are named.
const MAX_WAITS: usize = 3;

/// Those that are shown, and those that share a lane: never one alone.
fn split<T>(mut all: Vec<T>, most: usize) -> (Vec<T>, Vec<T>) {
    if all.len() <= most {
        return (all, Vec::new());
    }
    let shared = all.split_off(most - 1);
    (all, shared)
}

/// Adds a thread to a lane that several share: the first mark in their order counts.
fn combine(marks: &mut [Mark], lane: &Lane, locked: bool) {
    for (mark, cell) in marks.iter_mut().zip(&lane.cells) {
        *mark = Mark::of(*cell, locked).min(*mark);
    }
}

/// The next time that is 1, 2 or 5 times a power of ten.
fn round(least_ns: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for times in [1, 2, 5] {
            let step_ns = power.saturating_mul(times);
            if step_ns >= least_ns {
                return step_ns;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A time in the unit that suits it, with no more digits than it needs.
fn length(ns: u64) -> String {
    let (unit_ns, unit) = match ns {
        0 => return "0".into(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let number = format!("{:.3}", ns as f64 / f64::from(unit_ns));
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {unit}")
}

/// A name in no more columns than there are, its middle left out if need be: the ends tell threads
/// apart. And how many it takes.
fn fitted(name: &str, room: usize) -> (String, usize) {
    let columns = |it: char| it.width().unwrap_or(0);
    let whole: usize = name.chars().map(columns).sum();
    if whole <= room {
        return (name.to_owned(), whole);
    }
    let mut used = 1;
    let mut take = |least: usize, it: &char| {
        let fits = used + columns(*it) <= least;
        used += if fits { columns(*it) } else { 0 };
        fits
    };
    let head_columns = room - room / 3;
    let head: String = name
        .chars()
        .take_while(|it| take(head_columns, it))
        .collect();
    let tail: Vec<char> = name.chars().rev().take_while(|it| take(room, it)).collect();
    let shown = head + "…" + &tail.iter().rev().collect::<String>();
    (shown, used)
}

/// Text in the making.
struct Picture {
    text: Printable,
    label_columns: usize,
    paint: bool,
    /// The marks that want an explanation.
    seen: BTreeSet<Mark>,
}

impl Picture {
    /// What stands before a lane: a name to the left, a number to the right.
    fn label(&mut self, name: &str, number: &str) {
        let room = self.label_columns - number.chars().count().min(self.label_columns / 2);
        let room = if number.is_empty() { room } else { room - 1 };
        let (shown, used) = fitted(&clean(name), room);
        self.text.foreign(shown);
        self.text
            .repeat(' ', (room - used) + usize::from(!number.is_empty()));
        self.text.foreign(number);
        self.text.own(" ");
    }

    /// The rest of a line.
    fn line(&mut self, text: &str) {
        self.text.foreign(text);
        self.text.own("\n");
    }

    fn marks(&mut self, name: &str, marks: &[Mark]) {
        self.label(name, "");
        for run in marks.chunk_by(|one, next| one == next) {
            self.seen.insert(run[0]);
            self.painted(run[0], run.len());
        }
        self.text.own("\n");
    }

    fn painted(&mut self, mark: Mark, times: usize) {
        let glyphs: String = std::iter::repeat_n(mark.glyph(), times).collect();
        let style = mark.style();
        if self.paint {
            self.text
                .append(&Printable::painted(&format!("{style}{glyphs}{style:#}")));
        } else {
            self.text.foreign(glyphs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_their_middle() {
        let fitted = |name, room| fitted(name, room).0;
        assert_eq!(fitted("MainThread", 10), "MainThread");
        assert_eq!(fitted("ThreadPoolExecutor-0_3", 12), "ThreadP…-0_3");
        assert_eq!(fitted("線程線程線程", 8), "線程…程");
    }

    #[test]
    fn axes_have_round_steps_and_short_labels() {
        assert_eq!([1, 3, 11, 100, 501].map(round), [1, 5, 20, 100, 1000]);
        let labels = [0, 999, 1_500, 20_000_000, 1_250_000_000].map(length);
        assert_eq!(labels, ["0", "999 ns", "1.5 µs", "20 ms", "1.25 s"]);
    }
}
