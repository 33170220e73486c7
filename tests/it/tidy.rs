//! The invariants that are absences: which module may know which, and what the sources must not
//! say. Reads the text of the sources, so it holds for code that is compiled for no test, too.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use besides itself, as paths from the root of the crate; `*` is everything.
/// The arrows of `docs/architecture.md`.
const LAYERS: &[(&str, &[&str])] = &[
    ("allocator", &[]),
    ("operator", &[]),
    ("printable", &[]),
    ("spelling", &[]),
    ("source", &["printable"]),
    ("diagnostic", &["source"]),
    ("syntax", &["source", "diagnostic", "operator"]),
    ("bytecode", &["source", "diagnostic", "operator"]),
    (
        "compile",
        &["source", "diagnostic", "operator", "syntax", "bytecode"],
    ),
    // The face of its wings: re-exports.
    ("vm", &[]),
    ("vm::heap", &["bytecode::op::CodeIx"]),
    ("vm::state", &["bytecode", "vm::heap", "vm::Vm"]),
    // Of the syntax, only what finds the operator in a failing line.
    (
        "vm::semantics",
        &[
            "source",
            "operator",
            "bytecode::op",
            "bytecode::code",
            "syntax::operator",
            "vm::heap",
            "vm::state",
            "vm::Vm",
        ],
    ),
    (
        "vm::builtins",
        &[
            "operator",
            "vm::heap",
            "vm::state",
            "vm::semantics",
            "vm::Vm",
        ],
    ),
    (
        "vm::interpreter",
        &[
            "operator",
            "bytecode",
            "vm::heap",
            "vm::state",
            "vm::semantics",
            "vm::builtins",
            "vm::Vm",
        ],
    ),
    ("event", &["vm", "source"]),
    ("gil", &["spelling"]),
    // The frozen library, which is plain data of these.
    ("stdlib", &["bytecode", "source", "operator"]),
    ("engine", &["vm", "event", "printable"]),
    // Of the bytecode, what each instruction costs and whether the holder of a lock looks there.
    (
        "engine::sim",
        &[
            "vm",
            "gil",
            "event",
            "engine",
            "printable",
            "spelling",
            "bytecode::op",
        ],
    ),
    (
        "engine::real",
        &["vm", "gil", "event", "engine", "printable"],
    ),
    ("report", &["event", "printable"]),
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Modules whose parent may use them, but that must not use each other.
const STRANGERS: &[(&str, &str)] = &[
    ("engine::sim", "engine::real"),
    ("engine::real", "engine::sim"),
];

/// What must not stand in the code of some folders, with the reason.
const ABSENCES: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "vm",
            "bytecode",
            "compile",
            "syntax",
            "gil",
            "event",
            "explore",
            "engine/sim",
        ],
        &[
            "std::time",
            "std::thread",
            "std::process",
            "Instant::",
            "SystemTime",
        ],
        "knows no clock and no OS thread",
    ),
    (
        &[
            "vm",
            "bytecode",
            "compile",
            "syntax",
            "gil",
            "event",
            "report",
            "engine/sim",
        ],
        &["parking_lot", "Mutex", "RwLock", "Condvar"],
        "is plain data and knows no lock",
    ),
    (
        &[
            "vm", "bytecode", "compile", "syntax", "gil", "event", "explore", "report", "engine",
        ],
        &["std::fs", "std::env", "std::net"],
        "reads no file, no environment, no network",
    ),
    (
        &[
            "vm",
            "bytecode",
            "compile",
            "syntax",
            "gil",
            "event",
            "explore",
            "report",
            "engine",
            "source",
            "diagnostic",
        ],
        &[
            "println!",
            "print!(",
            "dbg!",
            "std::io::stdout",
            "std::io::stderr",
            "anstream",
        ],
        "prints nothing",
    ),
    (
        &["engine/sim"],
        &["HashMap", "HashSet"],
        "gives the same run each time, so nothing there may depend on the order of a hash map",
    ),
];

/// Longest line of a comment, in columns.
const COLUMNS: usize = 100;

/// Longest file without a reason.
const LINES: usize = 800;

/// Longer files, with the reason. A reason that is no longer needed is an error.
const LONG: &[(&str, &str)] = &[
    (
        "src/diagnostic/codes.rs",
        "the one table of codes with their long explanations",
    ),
    (
        "src/vm/interpreter/run.rs",
        "the instruction loop: an arm for each instruction",
    ),
    (
        "src/stdlib/frozen.rs",
        "tables that a test writes and nobody reads",
    ),
    (
        "src/vm/interpreter/slow.rs",
        "the same instructions in full: an arm for each again",
    ),
];

/// Where `unsafe` may stand, with its argument written out there.
const UNSAFE: &[&str] = &["src/vm/interpreter/run.rs", "src/allocator.rs"];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "types", "misc", "shared", "stuff",
];

fn sources(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a directory can be read").path();
            // What is built there is nobody's text.
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a source is text")
}

/// The lines of code with their numbers, comments cut off.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let cut = |line| str::split_once(line, " //").map_or(line, |(code, _)| code);
    let lines = text
        .lines()
        .enumerate()
        .map(move |(at, line)| (at + 1, cut(line)));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// `src/engine/sim/clock.rs` is `engine::sim::clock`; a grammar belongs to the module that includes
/// it.
fn module_of(path: &Path) -> String {
    let path = path.with_extension("");
    match path.to_str().expect("names are UTF-8") {
        "grammar/mini" => "syntax::grammar".to_owned(),
        "grammar/masm" => "bytecode::assemble::grammar".to_owned(),
        path => path.trim_start_matches("src/").replace('/', "::"),
    }
}

/// Is `path` this module or inside it?
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The paths from the root of the crate that a module's text names, after `crate::` or `super::`; a
/// group in braces is several.
fn crate_paths(own: &str, text: &str) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = code(text).collect();
    let joined: String = code.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
    let line_at = |at: usize| code[joined[..at].matches('\n').count()];
    let mut found = Vec::new();
    for (at, marker) in joined.match_indices("crate::") {
        // `pub(in crate::vm)` uses nothing.
        if joined[..at].ends_with("(in ") {
            continue;
        }
        let (line, _) = line_at(at);
        expand("", &joined[at + marker.len()..], &mut |path| {
            found.push((line, path));
        });
    }
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    for (at, marker) in joined.match_indices("super::") {
        let (line, whole) = line_at(at);
        // Within a module in the file itself, it is the file.
        let before = if whole.starts_with("    use super::") {
            own
        } else {
            parent
        };
        let before = match before {
            "" => String::new(),
            before => format!("{before}::"),
        };
        expand(&before, &joined[at + marker.len()..], &mut |path| {
            found.push((line, path));
        });
    }
    found
}

/// Takes apart the path that a text begins with, groups within groups too; gives what is left of
/// the text.
fn expand<'a>(before: &str, text: &'a str, take: &mut dyn FnMut(String)) -> &'a str {
    let text = text.trim_start();
    let Some(mut group) = text.strip_prefix('{') else {
        let end = text.find(|it: char| !(it.is_alphanumeric() || it == '_' || it == ':'));
        let (path, rest) = text.split_at(end.unwrap_or(text.len()));
        let whole = format!("{before}{path}");
        if path.ends_with("::") && rest.starts_with('{') {
            return expand(&whole, rest, take);
        }
        take(whole.trim_end_matches(':').to_owned());
        return rest;
    };
    loop {
        group = group.trim_start_matches(|it: char| it == ',' || it.is_whitespace());
        if let Some(rest) = group.strip_prefix('}') {
            return rest;
        }
        let rest = expand(before, group, take).trim_start();
        if rest.len() == group.len() {
            return rest;
        }
        // `x as y` and `*` are no paths.
        group = rest.trim_start_matches(|it: char| {
            it == '*' || it == '_' || it.is_alphanumeric() || it == ' '
        });
    }
}

#[test]
fn paths_in_groups_are_seen() {
    let text = "use crate::{a::b, c::{d, e::{self as x, y}}, f};\n// crate::no\nlet x = crate::g::H::new(); // crate::no\nuse crate::{\n    i,\n    j,\n};\nuse super::{k, l::m};";
    let paths: Vec<String> = crate_paths("own::module", text)
        .into_iter()
        .map(|(line, path)| format!("{line} {path}"))
        .collect();
    assert_eq!(
        paths.join(", "),
        "1 a::b, 1 c::d, 1 c::e::self, 1 c::e::y, 1 f, 3 g::H::new, 4 i, 4 j, 8 own::k, 8 own::l::m"
    );
}

/// The row of a module: the last that fits is the most particular.
fn layer(module: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    LAYERS.iter().rfind(|(row, _)| within(module, row))
}

#[test]
fn each_module_uses_only_what_it_may() {
    let mut wrong = Vec::new();
    let mut paths = sources("src", "rs");
    paths.extend(sources("grammar", "lalrpop"));
    assert!(paths.len() > 10, "the sources are where they were");
    let mut needed = HashSet::new();
    for path in paths {
        let own = module_of(&path);
        let Some((module, allowed)) = layer(&own) else {
            wrong.push(format!("{}: no layer in tests/it/tidy.rs", path.display()));
            continue;
        };
        for (line, used) in crate_paths(&own, &text(&path)) {
            let mut may = allowed.contains(&"*");
            for &allowed in allowed.iter().filter(|allowed| within(&used, allowed)) {
                needed.insert((module, allowed));
                may = true;
            }
            let stranger = STRANGERS
                .iter()
                .any(|(one, other)| within(&own, one) && within(&used, other));
            if stranger || !(may || within(&used, module)) {
                wrong.push(format!(
                    "{}:{line}: {module} must not use {used}",
                    path.display()
                ));
            }
        }
    }
    for (module, allowed) in LAYERS {
        for allowed in allowed.iter().filter(|&&it| it != "*") {
            if !needed.contains(&(module, *allowed)) {
                wrong.push(format!("{module} need not be allowed to use {allowed}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The types that have methods in several wings, and what their values are called.
const SHARED_TYPES: &[&str] = &["Vm", "Heap", "Ctx"];
const RECEIVERS: &[&str] = &["self", "vm", "heap", "ctx"];

/// The names of the functions that are declared in a text, with the type in whose `impl` each is.
fn methods(text: &str) -> Vec<(&str, &str)> {
    let mut of = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let rest = rest.strip_prefix("<'a>").unwrap_or(rest).trim_start();
            of = rest.split(['<', ' ']).next().unwrap_or("");
        } else if line == "}" {
            of = "";
        } else if let Some((before, name)) = line.split_once("fn ")
            && (before.is_empty() || before.ends_with(' '))
            && !before.contains("//")
        {
            found.push((of, name.split(['(', '<']).next().unwrap_or("")));
        }
    }
    found
}

/// The methods that a text calls on what is called as in `RECEIVERS`.
fn calls(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut receiver = false;
    for (number, line) in code(text) {
        // A chain goes on in the next line.
        let joined = match line.trim_start().strip_prefix('.') {
            Some(rest) if receiver => format!("self.{rest}"),
            _ => line.to_owned(),
        };
        for name in RECEIVERS {
            let call = format!("{name}.");
            for (at, _) in joined.match_indices(&call) {
                let inside = |it: char| it.is_alphanumeric() || it == '_';
                if joined[..at].ends_with(inside) {
                    continue;
                }
                let rest = &joined[at + call.len()..];
                let (called, rest) =
                    rest.split_at(rest.find(|it| !inside(it)).unwrap_or(rest.len()));
                if rest.starts_with('(') || rest.starts_with("::<") {
                    found.push((number, called.to_owned()));
                }
            }
        }
        let end = joined.trim_end();
        receiver = RECEIVERS
            .iter()
            .any(|name| end.strip_suffix(name).is_some_and(|it| !it.ends_with('_')));
    }
    found
}

/// No import shows who calls a method of `Vm`, `Heap` or `Ctx` that another wing has.
#[test]
fn methods_are_called_from_above() {
    let mut wrong = Vec::new();
    let mut homes: HashMap<String, HashSet<&str>> = HashMap::new();
    let paths = sources("src/vm", "rs");
    let texts: Vec<(PathBuf, String)> = paths
        .into_iter()
        .map(|it| (it.clone(), text(&it)))
        .collect();
    let wing = |path: &Path| layer(&module_of(path)).expect("each wing has a row");
    for (path, text) in &texts {
        for (of, name) in methods(text) {
            if SHARED_TYPES.contains(&of) {
                homes
                    .entry(name.to_owned())
                    .or_default()
                    .insert(wing(path).0);
            }
        }
    }
    assert!(homes.len() > 300, "{} methods were seen", homes.len());
    for (path, text) in &texts {
        let (own, allowed) = wing(path);
        let declared = methods(text);
        for (line, name) in calls(text) {
            let Some(homes) = homes.get(&name) else {
                continue;
            };
            // Of a name that is declared here, too, nobody can say which is called.
            let here = declared.iter().any(|&(_, it)| it == name);
            let below = |home: &&str| home == own || allowed.contains(home);
            if !here && !homes.iter().any(below) {
                wrong.push(format!(
                    "{}:{line}: {own} must not call {name}, which {homes:?} has",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_must_not_be_there_is_not() {
    let mut wrong = Vec::new();
    for path in sources("src", "rs") {
        let text = text(&path);
        let name = path
            .with_extension("")
            .to_string_lossy()
            .replace("src/", "");
        for (line, code) in code(&text) {
            for (folders, words, reason) in ABSENCES {
                let inside = folders.iter().any(|folder| {
                    let rest = name.strip_prefix(folder);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                if inside && let Some(word) = words.iter().find(|word| code.contains(*word)) {
                    wrong.push(format!(
                        "{}:{line}: {word}, but it {reason}",
                        path.display()
                    ));
                }
            }
            // So that the paths that are looked at above are all there are.
            let top = !name.contains('/') && code.starts_with("use super::");
            if top || code.contains("super::super::") {
                wrong.push(format!("{}:{line}: say `crate::`", path.display()));
            }
            let unsafe_here = code.contains("unsafe ") && !code.contains("unsafe_code");
            if unsafe_here && !UNSAFE.iter().any(|allowed| Path::new(allowed) == path) {
                wrong.push(format!("{}:{line}: unsafe", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    let folders = ["src", "tests", "benches", "fuzz"];
    let files = folders.iter().flat_map(|folder| sources(folder, "rs"));
    for path in files.chain([PathBuf::from("build.rs")]) {
        let text = text(&path);
        let name = path.to_string_lossy();
        // Attributes of the whole file may stand before it.
        let attributes = text.starts_with("#![") && text.contains("]\n//!");
        if !text.starts_with("//!") && !attributes {
            wrong.push(format!("{name}: begins with no `//!` paragraph"));
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if stem.is_none_or(|stem| EMPTY_NAMES.contains(&stem)) {
            wrong.push(format!("{name}: a name that says nothing"));
        }
        let lines = text.lines().count();
        let reason = LONG.iter().any(|(long, _)| *long == name);
        if lines > LINES && !reason {
            wrong.push(format!(
                "{name}: {lines} lines without a reason in tests/it/tidy.rs"
            ));
        }
        if lines <= LINES && reason {
            wrong.push(format!("{name}: {lines} lines need no reason any more"));
        }
    }
    for (long, _) in LONG {
        if !Path::new(long).exists() {
            wrong.push(format!("{long}: has a reason to be long, and is gone"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comments_fit_a_page() {
    let mut wrong = Vec::new();
    let folders = ["src", "tests", "benches", "fuzz", "grammar"];
    let files = folders
        .iter()
        .flat_map(|folder| [sources(folder, "rs"), sources(folder, "lalrpop")].concat());
    for path in files {
        for (at, line) in text(&path).lines().enumerate() {
            let columns = line.chars().count();
            if line.trim_start().starts_with("//") && columns > COLUMNS {
                let name = path.display();
                wrong.push(format!("{name}:{}: {columns} columns", at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Paths in the pages that are not there: what a fuzzer leaves.
const NOT_THERE: &[&str] = &["fuzz/artifacts"];

#[test]
fn pages_name_only_files_that_are_there() {
    let mut pages = sources("docs", "md");
    pages.extend(["README.md", "CHANGELOG.md", "benches/README.md"].map(PathBuf::from));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages {
        let text = text(&page);
        // What stands between backticks.
        for code in text.split('`').skip(1).step_by(2) {
            let ours = [
                "src/",
                "tests/",
                "docs/",
                "examples/",
                "benches/",
                "grammar/",
            ];
            let is_path = ours.iter().any(|folder| code.starts_with(folder))
                && !code.contains(['<', '*', ' ', '\n', '…', '{']);
            if !is_path || NOT_THERE.iter().any(|it| code.starts_with(it)) {
                continue;
            }
            seen += 1;
            if !Path::new(code).exists() {
                wrong.push(format!("{}: there is no {code}", page.display()));
            }
        }
    }
    assert!(seen > 50, "{seen} paths were seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Modules that comments and pages name by their paths: `vm::state::sync`, `engine::sim`.
#[test]
fn comments_name_only_modules_that_are_there() {
    let folders = ["src", "tests", "fuzz"];
    let mut files: Vec<PathBuf> = folders.iter().flat_map(|it| sources(it, "rs")).collect();
    files.extend(sources("docs", "md"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files {
        let text = text(&path);
        let is_page = path.extension().is_some_and(|it| it == "md");
        for (at, line) in text.lines().enumerate() {
            if !is_page && !line.trim_start().starts_with("//") {
                continue;
            }
            for code in line.split('`').skip(1).step_by(2) {
                let is_ours = LAYERS.iter().any(|(module, _)| within(code, module));
                if !is_ours || !code.contains("::") {
                    continue;
                }
                // Types and functions stand behind their module.
                let parts = code.split("::");
                let module: Vec<&str> = parts
                    .take_while(|part| part.chars().all(|it| it.is_ascii_lowercase() || it == '_'))
                    .collect();
                seen += 1;
                if !Path::new("src")
                    .join(module.join("/"))
                    .with_extension("rs")
                    .exists()
                {
                    let name = path.display();
                    wrong.push(format!("{name}:{}: there is no module {code}", at + 1));
                }
            }
        }
    }
    assert!(seen > 10, "{seen} modules were seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What must not stand outside of a few files, so that nothing foreign reaches a terminal unlooked
/// at: the type `Printable` sees to it, if it cannot be got around.
const TERMINAL: &[(&[&str], &[&str])] = &[
    (
        &["io::stdout()", "io::stderr()", "/dev/tty"],
        &["src/cli/terminal.rs"],
    ),
    (
        &["Printable::painted("],
        &[
            "src/printable.rs",
            "src/cli.rs",
            "src/cli/render.rs",
            "src/report/timeline/draw.rs",
        ],
    ),
];

#[test]
fn only_what_is_printable_reaches_the_terminal() {
    let mut wrong = Vec::new();
    for path in sources("src", "rs") {
        let text = text(&path);
        for (line, code) in code(&text) {
            for (banned, allowed) in TERMINAL {
                let here = allowed.iter().any(|it| Path::new(it) == path);
                if !here && banned.iter().any(|it| code.contains(it)) {
                    wrong.push(format!("{}:{line}: {code}", path.display()));
                }
            }
        }
    }
    let terminal = text(Path::new("src/cli/terminal.rs"));
    for who in ["say", "print"] {
        let takes = format!("fn {who}(text: &Printable)");
        assert!(terminal.contains(&takes), "`{takes}` is gone");
    }
    let printable = text(Path::new("src/printable.rs"));
    for hole in ["Display for Printable", "pub struct Printable(pub", "Deref"] {
        assert!(!printable.contains(hole), "{hole}: it could be got around");
    }
    assert!(
        wrong.is_empty(),
        "say it with `Printable`, through src/cli/terminal.rs:\n{}",
        wrong.join("\n")
    );
}
