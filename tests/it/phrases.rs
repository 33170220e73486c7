//! Texts before CPython's front end and Mini's: both accept a text and make the same tree of it, or
//! both refuse it. The bytecode of what is accepted is verified. The texts are random ones
//! (`generator::phrase`), and every place of the grammar with every kind of star, where the words
//! must be the same, too.
//!
//! `MINI_CASES=100000 cargo test --test it phrases` compares so many; with `MINI_CASE=7` it is
//! number 7 alone.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mini::bytecode::verify::verify;
use mini::compile::compile;
use mini::source::Source;
use serde::Deserialize;

use crate::process::{finish, in_parallel};
use crate::{front, generator, oracle, tree};

/// So many texts are compared in an ordinary run.
const CASES: u64 = 1_500;

/// Texts for one CPython process.
const BATCH: usize = 750;

/// A batch takes a second.
const PATIENCE: Duration = Duration::from_mins(5);

/// So many differences are shown.
const SHOWN: usize = 20;

/// What a front end makes of a text.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Tree(String),
    Message(String),
}

#[test]
fn random_phrases_are_taken_or_refused_as_by_python3() {
    let python = oracle::python();
    if let Err(reason) = &python {
        println!("not compared: {reason}");
    }
    let seeds: Vec<u64> = oracle::cases(CASES).collect();
    let batches: Vec<_> = seeds.chunks(BATCH).collect();
    let found = in_parallel(&batches, |batch| {
        let texts: Vec<String> = batch.iter().map(|&seed| generator::phrase(seed)).collect();
        let ours: Vec<Verdict> = texts.iter().map(|text| under_mini(text)).collect();
        let Ok(python) = python else {
            return Vec::new();
        };
        let theirs = under_python(python, &texts);
        let all = batch.iter().zip(texts).zip(ours).zip(theirs);
        all.filter(|((_, ours), theirs)| !agree(ours, theirs))
            .map(|(((seed, text), ours), theirs)| {
                format!("MINI_CASE={seed}\n{text}mini:   {ours:?}\npython: {theirs:?}\n")
            })
            .collect()
    });
    let found: Vec<String> = found.into_iter().flatten().collect();
    println!("{} phrases, {} differ", seeds.len(), found.len());
    let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    assert!(
        found.is_empty(),
        "{} of {} differ\n\n{}",
        found.len(),
        seeds.len(),
        shown.join("\n")
    );
}

/// Blocks of every kind in one another, some deeper than the 20 that may stand there.
fn stairs(seed: u64) -> String {
    let mut random = generator::Random::new(seed);
    let mut opened = String::new();
    let mut closed = Vec::new();
    let levels = random.between(8, 26);
    for level in 0..levels {
        let indent = " ".repeat(level);
        let (open, close) = *random.pick(&[
            ("for a in b:", ""),
            ("while a:", "else: c"),
            ("with a, b as c:", ""),
            ("with (a, b, c):", ""),
            ("try:", "except A: c"),
            ("try:", "finally: c"),
            ("try:", "except A: c\nelse: d\nfinally: e"),
            ("try: c\nexcept A as d:", ""),
            ("try: c\nexcept A: d\nexcept:", "finally: e"),
            ("try: c\nexcept A: d\nelse:", ""),
            ("try: c\nfinally:", ""),
            ("if a:", "else: c"),
        ]);
        let indented = |text: &str| -> String {
            text.lines()
                .flat_map(|line| [&indent, line, "\n"])
                .collect()
        };
        opened.push_str(&indented(open));
        closed.push(indented(close));
    }
    opened.push_str(&" ".repeat(levels));
    opened.push_str("pass\n");
    opened.extend(closed.into_iter().rev());
    opened
}

#[test]
fn blocks_nest_as_deep_as_in_python3() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let seeds: Vec<u64> = oracle::cases(300).collect();
    let texts: Vec<String> = seeds.iter().map(|&seed| stairs(seed)).collect();
    let mut refused = 0;
    for (text, theirs) in texts.iter().zip(under_python(python, &texts)) {
        let ours = under_mini(text);
        assert_eq!(ours, theirs, "{text}");
        refused += usize::from(matches!(ours, Verdict::Message(_)));
    }
    println!("{refused} of {} are too deep", texts.len());
}

/// A text may have several mistakes, and the two front ends need not begin with the same one.
fn agree(ours: &Verdict, theirs: &Verdict) -> bool {
    match (ours, theirs) {
        (Verdict::Message(_), Verdict::Message(_)) => true,
        (Verdict::Message(ours), Verdict::Tree(_)) => ours.contains("left out of Mini"),
        _ => ours == theirs,
    }
}

/// Places of the grammar, `$` for what is tried there.
const PLACES: &[&str] = &[
    "$",
    "x = $",
    "x += $",
    "x: int = $",
    "$ = x",
    "$ += x",
    "$: int",
    "$: int = 1",
    "del $",
    "del ($)",
    "del [$]",
    "return $",
    "f = yield $",
    "yield $",
    "yield from $",
    "x = yield from $",
    "for $ in x: pass",
    "for i in $: pass",
    "d[$]",
    "d[$] = 1",
    "d[$] += 1",
    "del d[$]",
    "d[$]: int = 1",
    "d[$]: int",
    "d[$:1]",
    "d[1:$]",
    "d[1:2, $]",
    "[$]",
    "($)",
    "($,)",
    "{$}",
    "{1: $}",
    "{**$}",
    "{$: 1}",
    "[$ for i in x]",
    "($ for i in x)",
    "{$ for i in x}",
    "{1: $ for i in x}",
    "{$: 1 for i in x}",
    "[i for $ in x]",
    "[i for i in $]",
    "[i for i in x if $]",
    "f($)",
    "f(a=$)",
    "f(**$)",
    "f($ for i in x)",
    "f'{$}'",
    "f'{$!r}'",
    "f'{$=}'",
    "f'{x:{$}}'",
    "assert $",
    "assert x, $",
    "raise $",
    "raise x from $",
    "if $: pass",
    "while $: pass",
    "with $: pass",
    "with ($): pass",
    "with x as $: pass",
    "with (x as $): pass",
    "with ($, y): pass",
    "with ($ as y): pass",
    "@$\n    def g(): pass",
    "def g(a=$): pass",
    "def g(a: $): pass",
    "def g(*a: $): pass",
    "def g(**a: $): pass",
    "def g() -> $: pass",
    "class A($): pass",
    "lambda a=$: 1",
    "lambda: $",
    "x if $ else y",
    "$ if x else y",
    "x and $",
    "not $",
    "-$",
    "x + $",
    "$ + x",
    "x == $",
    "x, $",
    "$, x",
    "$,",
    "$.a",
    "$[0]",
    "$()",
    "try: pass\n    except $: pass",
    "global $",
    "import $",
    "($) = x",
    "[$] = x",
    "($,) = x",
    "($) += x",
    "a = $ = x",
    "a = $, = x",
    "for ($) in x: pass",
    "for [$] in x: pass",
    "for $, in x: pass",
    "return x, $",
    "yield x, $",
    "for i in x, $: pass",
    "x = y, $",
    "x += y, $",
    "x: int = y, $",
    "print(x, $)",
    "(yield $)",
    "f'{$,}'",
    "$ in x",
    "x in $",
    "x = [*[$]]",
    "x = [*($)]",
    "x = [*($,)]",
];

/// What is tried.
const STARRED: &[&str] = &[
    "*y",
    "*y, *z",
    "*y,",
    "*(*y,)",
    "*[*y]",
    "*y.a",
    "*y[0]",
    "*-y",
    "*y or z",
    "*y if z else w",
    "*lambda: y",
    "**y",
    "*f(y)",
    "*(yield y)",
    "*(y)",
    "(*y)",
    "(*y),",
    "(y, *z)",
    "[*y]",
    "* *y",
];

/// Texts with two mistakes, of which CPython tells the other one.
const ANOTHER_MISTAKE: [(&str, &str); 8] = [
    ("$ += x", "(*y),"),
    ("$: int", "(*y),"),
    ("$: int = 1", "(*y),"),
    ("($) += x", "(*y),"),
    ("del $", "*y or z"),
    ("del $", "*y if z else w"),
    ("def g() -> $: pass", "(*y)"),
    ("def g() -> $: pass", "(*y),"),
];

/// A text with something at a place.
fn placed(place: &str, starred: &str) -> String {
    format!("def f():\n    {}\n", place.replace('$', starred))
}

#[test]
fn each_place_takes_a_star_or_says_why_not() {
    let mut said = String::new();
    for place in PLACES {
        let verdict = match under_mini(&placed(place, "*y")) {
            Verdict::Tree(_) => "accepted".to_owned(),
            Verdict::Message(message) => message,
        };
        let place = place.replace('\n', "\\n");
        writeln!(said, "{place:<38} {verdict}").expect("a String takes it");
    }
    front::settings().bind(|| insta::assert_snapshot!("stars", said));
}

#[test]
fn what_is_said_of_a_star_is_what_python3_says() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let pairs = PLACES
        .iter()
        .flat_map(|&place| STARRED.iter().map(move |&starred| (place, starred)));
    let texts: Vec<String> = pairs
        .filter(|pair| !ANOTHER_MISTAKE.contains(pair))
        .map(|(place, starred)| placed(place, starred))
        .collect();
    let mut found = Vec::new();
    for (text, theirs) in texts.iter().zip(under_python(python, &texts)) {
        let ours = under_mini(text);
        let same = match (&ours, &theirs) {
            (Verdict::Message(ours), Verdict::Message(theirs)) => {
                let of_star = |said: &str| said.contains("starred") || said.contains("unpacking");
                ours == theirs || !of_star(ours) && !of_star(theirs)
            }
            _ => agree(&ours, &theirs),
        };
        if !same {
            found.push(format!("{text}mini:   {ours:?}\npython: {theirs:?}\n"));
        }
    }
    println!("{} texts compared", texts.len());
    assert!(
        found.is_empty(),
        "{} differ\n\n{}",
        found.len(),
        found.join("\n")
    );
}

fn under_python(python: &str, texts: &[String]) -> Vec<Verdict> {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/phrases.py");
    let input = serde_json::to_vec(texts).expect("text becomes JSON");
    let ran = finish(Command::new(python).arg(driver), &input, PATIENCE);
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| {
        let stderr = String::from_utf8_lossy(&ran.stderr);
        panic!("the batch gives no list ({error}): {stderr}")
    })
}

/// The first message, or the tree of what has been compiled and verified.
fn under_mini(text: &str) -> Verdict {
    let compiled = compile(Source::new("phrase.mini", text), &front::ENVIRONMENT);
    if let Some(first) = compiled.diagnostics.first() {
        return Verdict::Message(first.message.clone());
    }
    if let Err(faults) = verify(compiled.program) {
        panic!("{faults:#?}\n{text}");
    }
    Verdict::Tree(front::parse(text, |_, names, parsed| {
        tree::dump(&parsed.body, names)
    }))
}
