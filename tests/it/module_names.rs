//! Every public name of CPython's modules is in Mini's module of that name and used by a program
//! under `tests/lang`, or refused by name with a reason. The names are in `module_names.txt`, which
//! `module_names.py` writes and a python3 on the machine confirms.

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mini::compile::{Environment, compile};
use mini::source::Source;
use mini::stdlib;
use mini::vm::builtins;

use crate::oracle;
use crate::process::finish;

/// Names whose values are each interpreter's own: a program could only print that they differ.
const NOTHING_TO_SHOW: &[&str] = &["copyright", "executable", "version"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn list() -> String {
    fs::read_to_string(root().join("tests/it/module_names.txt"))
        .expect("the list of names is there")
}

/// Each module with its names.
fn listed(list: &str) -> Vec<(&str, Vec<&str>)> {
    list.lines()
        .filter(|line| !line.starts_with("import: ") && !line.starts_with("members of "))
        .map(|line| {
            let (module, names) = line.split_once(": ").expect("module: names");
            (module, names.split(' ').collect())
        })
        .collect()
}

/// Every word in the programs of the suite.
fn words_of_the_suite() -> HashSet<String> {
    let mut words = HashSet::new();
    let themes = fs::read_dir(root().join("tests/lang")).expect("tests/lang is there");
    for theme in themes.map(|entry| entry.expect("it can be listed").path()) {
        if !theme.is_dir() || theme.ends_with("refused") {
            continue;
        }
        for file in fs::read_dir(&theme).expect("a theme can be listed") {
            let path = file.expect("a theme can be listed").path();
            if path.extension().is_some_and(|it| it == "mini") {
                let text = fs::read(&path).expect("a program can be read");
                let text = String::from_utf8_lossy(&text).into_owned();
                let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                words.extend(parts.map(str::to_owned));
            }
        }
    }
    words
}

/// For each name of a module, what importing it is refused with: message and help.
fn refusals(module: &str, names: &[&str]) -> Vec<Option<(String, Option<String>)>> {
    let environment = Environment {
        is_builtin: builtins::is_builtin,
        embedded: stdlib::embedded,
        frozen: Some(&stdlib::BUILTINS),
    };
    let mut text = String::new();
    for name in names {
        writeln!(text, "from {module} import {name}").expect("a String takes it");
    }
    let source = Source::new("script", &text);
    let mut found = vec![None; names.len()];
    for diagnostic in compile(source.clone(), &environment).diagnostics {
        let line = source.line(diagnostic.span.start) as usize;
        found[line - 1] = Some((diagnostic.message, diagnostic.help));
    }
    found
}

#[test]
fn every_public_name_is_there_and_tested_or_refused_with_a_reason() {
    let used = words_of_the_suite();
    let mut wrong = Vec::new();
    let (mut there, mut refused) = (0, 0);
    for (module, names) in listed(&list()) {
        for (name, refusal) in names.iter().zip(refusals(module, &names)) {
            match refusal {
                None if used.contains(*name) || NOTHING_TO_SHOW.contains(name) => there += 1,
                None => wrong.push(format!("{module}.{name} is there and no program uses it")),
                Some((message, Some(help))) if !help.ends_with('?') => {
                    assert!(message.contains(name), "{message}");
                    refused += 1;
                }
                Some((message, help)) => wrong.push(format!(
                    "{module}.{name} is refused without a reason: {message}, {help:?}"
                )),
            }
        }
    }
    println!("{there} names are there, {refused} are refused");
    assert!(
        wrong.is_empty(),
        "{} names:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(there > 300 && refused > 300);
}

/// Attributes of classes that Mini's do not have: those that instances alone have in Mini, and
/// CPython's own workings.
const NO_MEMBERS: &[&str] = &[
    "ChainMap.fromkeys",
    "Field.compare",
    "Field.default",
    "Field.default_factory",
    "Field.hash",
    "Field.init",
    "Field.kw_only",
    "Field.metadata",
    "Field.name",
    "Field.repr",
    "Field.type",
    "FrozenInstanceError.name",
    "FrozenInstanceError.obj",
    "Handler.name",
    "Logger.manager",
    "LoggerAdapter.manager",
    "LoggerAdapter.warn",
    "NullHandler.name",
    "Pool.Process",
    "Random.VERSION",
    "StreamHandler.name",
    "ThreadPool.Process",
    "defaultdict.default_factory",
    "partial.args",
    "partial.func",
    "partial.keywords",
];

#[test]
fn classes_have_the_attributes_of_cpythons() {
    let list = list();
    let mut text = String::new();
    let mut classes = 0;
    for line in list
        .lines()
        .filter_map(|line| line.strip_prefix("members of "))
    {
        let (path, members) = line.split_once(": ").expect("class: attributes");
        let (module, class) = path.rsplit_once('.').expect("module.class");
        classes += 1;
        let _ = writeln!(
            text,
            "import {module} as M\nC = getattr(M, '{class}', None)"
        );
        for member in members.split(' ') {
            if !NO_MEMBERS.contains(&&*format!("{class}.{member}")) {
                let _ = writeln!(
                    text,
                    "if C is not None and not hasattr(C, '{member}'): print('{path}.{member}')"
                );
            }
        }
    }
    assert!(classes >= 50, "{classes}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("members.mini");
    fs::write(&file, text).expect("a program can be written to the tests' own directory");
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    let ran = finish(mini.arg("run").arg(file), b"", Duration::from_mins(1));
    assert_eq!(
        ran.code,
        Some(0),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "");
}

#[test]
fn every_other_module_is_refused_with_a_sentence() {
    let list = list();
    let line = list.lines().find_map(|line| line.strip_prefix("import: "));
    let names: Vec<&str> = line.expect("it lists the modules").split(' ').collect();
    let mut text = String::new();
    for name in &names {
        writeln!(text, "import {name}").expect("a String takes it");
    }
    let environment = Environment {
        is_builtin: builtins::is_builtin,
        embedded: stdlib::embedded,
        frozen: Some(&stdlib::BUILTINS),
    };
    let source = Source::new("script", &text);
    let diagnostics = compile(source.clone(), &environment).diagnostics;
    let (mut there, mut refused) = (0, 0);
    for (at, name) in names.iter().enumerate() {
        let of_line = diagnostics
            .iter()
            .find(|it| source.line(it.span.start) as usize == at + 1);
        match of_line {
            None => {
                assert!(stdlib::names().any(|it| it == *name), "{name} is accepted");
                there += 1;
            }
            Some(diagnostic) => {
                assert_eq!(
                    diagnostic.message,
                    format!("the module `{name}` is left out of Mini")
                );
                assert!(diagnostic.help.is_some(), "{name}");
                refused += 1;
            }
        }
    }
    assert!(there >= 17 && refused >= 190, "{there} {refused}");
}

#[test]
fn the_names_are_cpythons() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let told = finish(
        Command::new(python).arg(root().join("tests/it/module_names.py")),
        b"",
        Duration::from_mins(1),
    );
    let theirs = String::from_utf8_lossy(&told.stdout).into_owned();
    let theirs: HashSet<&str> = theirs.split_whitespace().collect();
    // What differs between builds of 3.11 and machines is in `os`, `time` and `sys`, and refused as
    // a whole there.
    let mut unknown = Vec::new();
    for (module, names) in listed(&list()) {
        if !matches!(module, "os" | "time" | "sys") {
            unknown.extend(
                names
                    .iter()
                    .filter(|it| !theirs.contains(**it))
                    .map(|it| format!("{module}.{it}")),
            );
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(theirs.len() > 700, "{}", theirs.len());
}
