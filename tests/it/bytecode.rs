//! The text form, the assembler, the verifier and the reference page.

mod arbitrary;
mod fast_paths;
mod run;
mod suite;

use crate::cases;
use mini::bytecode::assemble::{Assembled, Surroundings, assemble};
use mini::bytecode::code::Program;
use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::op::CodeIx;
use mini::bytecode::verify::verify;
use mini::source::Source;
use std::fmt::Write as _;

const BUILTINS: &[&str] = &[
    "print",
    "len",
    "range",
    "int",
    "str",
    "list",
    "dict",
    "sorted",
    "sum",
    "ValueError",
];

/// Assembles with the few builtins that the tests name, and nothing to link.
fn assembled(text: &str) -> Assembled {
    let surroundings = Surroundings {
        is_builtin: &|name| BUILTINS.contains(&name),
        is_embedded: &|_| false,
        link: &|_| None,
    };
    assemble(Source::new("test.masm", text), &surroundings)
}

fn sound(text: &str) -> Program {
    let Assembled {
        program,
        diagnostics,
    } = assembled(text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}\n{text}");
    program
}

#[test]
fn arbitrary_programs_survive_the_text_form() {
    let verified = std::cell::Cell::new((0, 0));
    cases::run(
        "arbitrary_programs_survive_the_text_form",
        2_000,
        4_000,
        |u| {
            let program = arbitrary::program(u, BUILTINS)?;
            let (mut passed, all) = verified.get();
            let text = disassemble(&program, Options::default());
            if verify(program).is_ok() {
                passed += 1;
                let again = sound(&text);
                assert_eq!(disassemble(&again, Options::default()), text);
                if let Err(faults) = verify(again) {
                    panic!("{faults:?}\n{text}");
                }
            }
            verified.set((passed, all + 1));
            Ok(())
        },
    );
    let (passed, all) = verified.get();
    println!("{passed} of {all} arbitrary programs pass the verifier");
    assert!(all < 100 || passed * 10 > all * 8, "{passed} of {all}");
}

/// Diagnostics, or else the verifier's faults, a line each.
fn complaints(text: &str) -> String {
    let Assembled {
        program,
        diagnostics,
    } = assembled(text);
    let source = Source::new("test.masm", text);
    let mut out = String::new();
    for it in &diagnostics {
        let (line, column) = source.line_column(it.span.start);
        let _ = writeln!(out, "{line}:{column} {} {}", it.code.name(), it.message);
    }
    if diagnostics.is_empty()
        && let Err(faults) = verify(program)
    {
        for fault in faults {
            let _ = writeln!(out, "{fault}");
        }
    }
    out
}

const PLAIN: Options<'_> = Options {
    source_lines: false,
    places: false,
    leave_out: &|_| false,
};

#[test]
fn the_example_assembles_and_reads_well() {
    let text = mini::bytecode::reference::EXAMPLE;
    assert_eq!(complaints(text), "");
    insta::assert_snapshot!(disassemble(&sound(text), PLAIN), @r#"
    .module __main__
    .globals total
    .registers 4
    .guard L1 .. L2 -> L3, r3
            func       r0, total
            gset       r0, total
            const      r0, print
            const      r1, "below ten:"
            gget       r2, total
            int        r3, 10
            call       r2, r2, 1
            call       r0, r0, 2
    L1:     gget       r2, total
            const      r3, "ten"
            call       r2, r2, 1
    L2:     jump       L4
    L3:     const      r0, print
            const      r1, "caught:"
            move       r2, r3
            const      r3, "\n"
            callkw     2, r0, r0, (sep)
    L4:     none       r0
            ret        r0

    .func total(limit)
    .registers 3
            int        r1, 0
            int        r2, 0
            jump       L2
    L1:     add        r1, r1, r2
            addi       r2, r2, 1
    L2:     jlt        r2, r0, L1
            ret        r1
    "#);
}

#[test]
fn source_lines_stand_between() {
    let text = ".source \"a.mini\"\n gset r0, x @1:1-6\n gset r0, x @2:2-2\n gset r0, y\n ret r0 @1:3-2:2\n.text \"a.mini\"\n| x = 1\n|\ty = x";
    let options = Options {
        source_lines: true,
        ..Options::default()
    };
    insta::assert_snapshot!(disassemble(&sound(text), options), @r#"
    .module __main__
    .source "a.mini"
    .globals x, y
    .line 1
    .registers 1
    ; 1 | x = 1
            gset       r0, x                         @1:1-6
    ; 2 |  y = x
            gset       r0, x                         @2:2-2
            gset       r0, y
    ; 1 | x = 1
            ret        r0                            @1:3-2:2

    .text "a.mini"
    | x = 1
    | 	y = x
    "#);
}

#[test]
fn constants_of_every_kind_survive() {
    let text = r#"
        const r0, None
        const r0, True
        const r0, ...
        const r0, -9223372036854775808
        const r0, 0xffff
        const r0, 123456789012345678901234567890
        const r0, -0.0
        const r0, 1e300
        const r0, -inf
        const r0, nan
        const r0, -nan
        const r0, "tab\t quote\" null\0 \x41 \u{1F40D} größe"
        const r0, b"\x00\xff\n"
        const r0, ()
        const r0, (1,)
        const r0, ("a", (2.5, len), b"")
        ret r0
    "#;
    let printed = disassemble(&sound(text), PLAIN);
    insta::assert_snapshot!(printed, @r#"
    .module __main__
    .registers 1
            const      r0, None
            const      r0, True
            const      r0, ...
            const      r0, -9223372036854775808
            const      r0, 65535
            const      r0, 123456789012345678901234567890
            const      r0, -0.0
            const      r0, 1e300
            const      r0, -inf
            const      r0, nan
            const      r0, -nan
            const      r0, "tab\t quote\" null\0 A 🐍 größe"
            const      r0, b"\x00\xff\n"
            const      r0, ()
            const      r0, (1,)
            const      r0, ("a", (2.5, len), b"")
            ret        r0
    "#);
    assert_eq!(disassemble(&sound(&printed), PLAIN), printed);
}

const EVERYTHING: &str = r#".module __main__
.source "a.mini"
.globals f, builtin len, "größer als"
.line 1
.registers 2
        int        r0, 1                         @1:1-2
        cell       r0
        func       r1, "odd name"                @1:3-2:1
        gset       r1, "größer als"
        func       r1, C.<locals>.<lambda>
        none       r0
        ret        r0

.func "odd name"(a, /, b, *args, key, **rest)
.doc "Says\n\"hello\"."
.line 2
.generator
.registers 9
.captures r0
.locals r0 a, r7 "not a word"
.guard L1 .. L3 -> L2, r5
.guard L1 .. L4 -> L2, r5
        fget       r6, free0                     @1:1-1
L1:     aget       r6, r6, ."odd attribute"
L2:     func       r7, C.<locals>.<lambda>.2
L3:     yield      r6, r7
L4:     ret        r6

.func C.<locals>.<lambda>
.source "a.mini" 2
.line 1
.internal
.registers 1
        none       r0                            @1:1-5
        ret        r0

.func C.<locals>.<lambda>.2
.qualname "C.<locals>.<lambda>"
.name "other"
.line 1
.registers 1
.captures free0
        fget       r0, free0                     @1:1-1
        ret        r0

.module library
        none       r0
        ret        r0

.text "a.mini"
| x = 1
|
"\r\n"
"no end"

.text "a.mini" 2
"y = 2"
"#;

#[test]
fn everything_about_a_function_survives() {
    // The last module has no source, so its places are in the assembly text, which is printed too
    // the first time.
    let text = EVERYTHING;
    let program = sound(text);
    verify(program.clone()).expect("it passes");
    let options = Options {
        leave_out: &|name| name == "library",
        ..Options::default()
    };
    let expected = text.replace(
        ".module library\n        none       r0\n        ret        r0\n\n",
        "",
    );
    let printed = disassemble(&program, options);
    assert_eq!(printed, expected);
    let printed = disassemble(&program, Options::default());
    assert_eq!(disassemble(&sound(&printed), Options::default()), printed);
}

#[test]
fn modules_that_the_text_does_not_hold_are_linked() {
    let library = ".globals library\n import r0, library\n gset r0, library\n ret r0\n.module library\n.source \"lib.mini\"\n gget r0, x\n const r0, \"lib\"\n ret r0\n.func f\n ret r0\n.text \"lib.mini\"";
    let surroundings = Surroundings {
        is_builtin: &|name| name == "len",
        is_embedded: &|name| name == "library",
        link: &|names| (names == ["library"]).then(|| sound(library)),
    };
    let text = " import r0, library\n gget r0, own\n gget r0, len\n const r0, \"lib\"\n ret r0\n.func f\n ret r0";
    let Assembled {
        program,
        diagnostics,
    } = assemble(Source::new("test.masm", text), &surroundings);
    assert_eq!(diagnostics, []);
    verify(program.clone()).expect("it passes");
    insta::assert_snapshot!(disassemble(&program, PLAIN), @r#"
    .module __main__
    .globals own, builtin len
    .registers 1
            import     r0, library
            gget       r0, own
            gget       r0, len
            const      r0, "lib"
            ret        r0

    .func f
    .registers 1
            ret        r0

    .module library
    .globals x
    .registers 1
            gget       r0, x
            const      r0, "lib"
            ret        r0

    .func f
    .registers 1
            ret        r0
    "#);
}

#[test]
fn err_several_mistakes_are_told_in_one_go() {
    insta::assert_snapshot!(complaints(r#"
        add r0, r1
        frobnicate r0
        const r0, "open
        gget 5, x
        jif maybe, r0, nowhere
        move r0 r1
        $$$
        int r0, 99999999999
        const r0, nobody
        func r0, nothing
        import r0, numpy
    .frob
    .guard a .. b -> c, q
twice:  none r0
twice:  ret r0
.func f(a, *, *b, /)
    .line 1
    .line 2
    | text
        const r0, "\q"
        yield r0, r0 @1:1-2
.func f
        list r0, r0, 70000
        ret r999999
.text "a"
        none r0
"#), @r#"
    2:9 E0703 add takes in_place, dst, lhs, rhs; here are 2 operands
    3:9 E0702 there is no instruction frobnicate
    4:19 E0701 the string is not closed on its line
    5:14 E0703 the operand `dst` of gget must be a register (r0, r1, …)
    6:13 E0703 the operand `expect` of jif must be true or false
    7:17 E0701 r1 does not belong here; expected end of line or @place or ,
    8:9 E0701 no token begins with "$"
    9:17 E0706 99999999999 does not fit here (integer)
    10:19 E0704 there is no builtin nobody
    11:18 E0704 there is no `.func nothing` in this module
    12:20 E0704 there is no module numpy
    13:5 E0702 there is no directive .frob
    14:12 E0704 there is no label a in this function
    16:1 E0705 the label twice stands twice in this function
    17:15 E0701 this cannot stand here among the parameters
    17:19 E0701 this cannot stand here among the parameters
    19:5 E0705 this directive stands twice in the function
    20:5 E0707 a line of a source text must stand below its `.text`
    21:20 E0701 the escapes are \n \r \t \0 \\ \" \' \xNN \u{N…}
    22:22 E0707 a place without a `.source` that it is in
    23:7 E0705 the function f stands twice in this module
    24:22 E0706 70000 does not fit here (count)
    25:13 E0703 the operand `src` of ret must be a register (r0, r1, …)
    27:9 E0707 nothing but its lines can stand below a `.text`; begin with `.func` or `.module`
    "#);
}

#[test]
fn err_programs_that_may_not_run() {
    let mut out = String::new();
    for text in [
        "none r0",
        "",
        ".registers 1\ncall r0, r0, 3\nret r5",
        "yield r0, r0\nret r0",
        ".guard a .. c -> a, r0\n.guard b .. d -> a, r0\na: none r0\nb: none r0\nc: none r0\nd: ret r0",
        ".guard a .. c -> a, r0\n.guard b .. c -> a, r0\na: none r0\nb: none r0\nc: ret r0",
        ".guard b .. a -> c, r0\na: none r0\nb: ret r0\nc:",
        "callkw 0, r0, r0, (a, a)\nret r0",
        "fget r0, free0\nret r0",
        ".registers 1\nfunc r0, f\nret r0\n.func f\n.captures r5, free0\nret r0",
        "jump end\nend:",
        ".registers 0\nret r0\n.func f(a, b)\n.registers 1\nret r0",
        ".generator\nret r0",
    ] {
        let _ = writeln!(out, "{}", complaints(text));
    }
    insta::assert_snapshot!(out, @"
    <module>, instruction 0 (none): the last instruction runs on past the end

    <module>: it has no instructions

    <module>, instruction 0 (call): it uses r0 to r3; registers: 1
    <module>, instruction 1 (ret): there is no r5 for an operand; registers: 1

    <module>, instruction 0 (yield): only a generator yields

    <module>: guards 1 and 0 cross

    <module>: guard 1 lies within guard 0 and must stand before it

    <module>: guard 0 covers no instructions (1 to 0 of 2)
    <module>: guard 0 goes to instruction 2, which there is not

    constant 0 has a name twice

    <module>, instruction 0 (fget): an operand is captured cell 0, but there are 0

    <module>, instruction 0 (func): there is no r5 for a capture of f; registers: 1
    <module>, instruction 0 (func): a capture of f is captured cell 0, but there are 0

    <module>, instruction 0 (jump): it goes to instruction 1, which there is not

    <module>, instruction 0 (ret): there is no r0 for an operand; registers: 0
    f: its parameters do not fit into its registers
    f: there is no r1 for a local; registers: 1

    <module>: a module is no generator
    ");
}

#[test]
fn longest_runs_end_where_nothing_runs_on() {
    let text = "none r0\nl: jif r0, l\ncall r0, r0, 0\nnone r0\njump l\n.func f\nret r0";
    let verified = verify(sound(text)).expect("it passes");
    let runs = [0, 1].map(|code| verified.longest_run(CodeIx(code)));
    assert_eq!(runs, [5, 1]);
}

#[test]
fn the_reference_page_is_made_from_the_table() {
    let page = mini::bytecode::reference::reference();
    let path = "docs/bytecode.md";
    if std::env::var_os("MINI_UPDATE").is_some() {
        std::fs::write(path, &page).expect("docs/bytecode.md can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/bytecode.md is out of date: MINI_UPDATE=1 cargo test writes it anew"
    );
}

#[test]
fn any_text_gets_an_answer() {
    let words = [
        "r0",
        "r65535",
        "free0",
        "add",
        "call",
        "L1:",
        "L1",
        ".func",
        ".module",
        ".text",
        ".guard",
        "..",
        "->",
        ",",
        "(",
        ")",
        "@1:1-2",
        "| x",
        "\"s\"",
        "\"",
        "b\"x\"",
        "3",
        "-5",
        "1e9",
        "999999999999999999999",
        ";",
        "\n",
        "\n",
        "\r",
        "é",
        "\0",
        "'",
        "...",
        "*",
        "**",
        "/",
        "const",
        "import",
        ".registers",
        ".captures",
        ".locals",
        ".globals",
        ".source",
        "builtin",
        "true",
    ];
    cases::run("any_text_gets_an_answer", 2_000, 2_000, |u| {
        let mut text = String::new();
        match u.int_in_range(0..=2)? {
            0 => text = String::from_utf8_lossy(u.bytes(400)?).into_owned(),
            1 => {
                for _ in 0..u.int_in_range(1..=200)? {
                    text.push_str(u.choose(&words)?);
                    text.push(' ');
                }
            }
            _ => {
                let mut tokens: Vec<&str> = EVERYTHING.split_inclusive([' ', '\n']).collect();
                for _ in 0..u.int_in_range(1..=4)? {
                    let at = u.choose_index(tokens.len())?;
                    match u.int_in_range(0..=2)? {
                        0 => tokens[at] = *u.choose(&words)?,
                        1 => drop(tokens.remove(at)),
                        _ => tokens.insert(at, tokens[u.choose_index(tokens.len())?]),
                    }
                }
                text = tokens.concat();
            }
        }
        let Assembled {
            program,
            diagnostics,
        } = assembled(&text);
        for it in &diagnostics {
            assert!(
                text.get(it.span.start as usize..it.span.end as usize)
                    .is_some(),
                "{it:?}\n{text}"
            );
        }
        let printed = disassemble(&program, Options::default());
        if diagnostics.is_empty() && verify(program).is_ok() {
            assert_eq!(disassemble(&sound(&printed), Options::default()), printed);
        }
        Ok(())
    });
}

#[test]
fn err_huge_texts_get_an_answer_at_once() {
    for (text, code) in [
        ("(".repeat(100_000), "E0701"),
        (
            format!("const r0, {}\nret r0", "(".repeat(100_000)),
            "E0706",
        ),
        (
            format!("const r0, {}\nret r0", "7".repeat(1_000_000)),
            "E0706",
        ),
        (format!("const r0, 0x{}\nret r0", "7".repeat(1_000_000)), ""),
        (format!("gget r0, {}\nret r0", "x".repeat(1_000_000)), ""),
        ("none r0 ".repeat(1_000_000), "E0701"),
        (format!("{}\nret r0", "none r0\n".repeat(200_000)), ""),
        ("\u{0}".repeat(100_000), "E0701"),
        (".frob\n".repeat(100_000), "E0702"),
    ] {
        let said = complaints(&text);
        assert!(
            said.contains(code) && said.is_empty() == code.is_empty(),
            "{said:.200}"
        );
    }
}

#[test]
fn registers_read_before_they_are_written_are_known() {
    for (text, expected) in [
        ("ret r3", "3"),
        ("none r3\nret r3", ""),
        // Written on one way alone.
        ("none r0\njif r0, l\nnone r1\nl: ret r1", "1"),
        // A loop's variable is written when there is a turn, and not when there is none.
        (
            "none r1\nl: for r0, r1, e\nmove r2, r0\njump l\ne: ret r1",
            "",
        ),
        (
            "none r1\nl: for r0, r1, e\nmove r2, r0\njump l\ne: ret r0",
            "0",
        ),
        (
            "int r1, 0\nint r2, 9\nint r3, 1\nrangeprep r1\njump t\nb: move r4, r0\nt: rangeloop r0, r1, b\nret r1",
            "",
        ),
        (
            "int r1, 0\nint r2, 9\nint r3, 1\nrangeprep r1\njump t\nb: none r4\nt: rangeloop r0, r1, b\nret r0",
            "0",
        ),
        // An instruction that raises has written nothing.
        (
            ".guard a .. b -> b, r1\na: call r0, r2, 0\nb: ret r0",
            "0 2",
        ),
        (
            ".guard a .. b -> b, r0\nnone r2\na: call r0, r2, 0\nb: ret r0",
            "",
        ),
        // Windows, read and written; empty ones; cells that are captured.
        ("call r0, r1, 2\nret r0", "1 2 3"),
        (
            "none r0\nunpack r0, r1, 2\nunpack r0, r3, 0\ntuple r1, r1, 3\nret r1",
            "3",
        ),
        ("none r0\nlist r0, r1, 0\nret r0", ""),
        (
            "cell r1\nfunc r0, f\nret r0\n.func f\n.captures r1, r2\nret r0",
            "1 2",
        ),
        ("none r9\nhandle r1, r9\nendhandle r1\nret r9", ""),
    ] {
        let verified = verify(sound(text)).expect("it passes");
        let unset: Vec<String> = verified
            .unset_at_entry(CodeIx(0))
            .iter()
            .map(|reg| reg.0.to_string())
            .collect();
        assert_eq!(unset.join(" "), expected, "{text}");
    }
    let verified = verify(sound(
        "none r0\nret r0\n.func f(a, b)\nadd r0, r1, r2\nret r0",
    ))
    .expect("it passes");
    assert_eq!(
        verified.unset_at_entry(CodeIx(1)),
        [mini::bytecode::op::Reg(2)]
    );
}
