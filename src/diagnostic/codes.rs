//! The one table of codes: each with a title and a long explanation for `mini explain`, whose
//! examples a test tries.
//!
//! A code is never given to something else. E01xx: characters and tokens. E02xx: layout. E03xx:
//! grammar. E04xx: names and places of statements. E05xx: limits. E06xx: Python that Mini leaves
//! out. E07xx: assembly text.

#![allow(
    clippy::needless_raw_string_hashes,
    reason = "one form for all explanations, whether or not they hold a quote"
)]

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal)*) => {
        /// A diagnostic's code: stable, greppable, explained by `mini explain`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as users see and type it.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Code::$code => stringify!($code)),* } }

            /// One line: what the code stands for.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$code => $title),* } }

            /// The long explanation, with an example.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                let text = match self { $(Code::$code => $explanation),* };
                text.trim_ascii()
            }
        }
    };
}

codes! {
    E0101 "a character that no token begins with" r#"
Outside strings and comments a script holds names, numbers, strings and the signs of the language. Typographic quotes, which
word processors and web pages put in place of the straight ones, are the most common stray characters.

Wrong:

    print(“hello”)

Right:

    print("hello")
"#

    E0102 "a string that does not end on its line" r#"
A string in single or double quotes ends on the line where it begins. The closing quote is missing, or the text itself holds a
quote of the same kind.

Wrong:

    name = 'it's me'

Right:

    name = "it's me"
    lines = """a text
    over two lines"""
"#

    E0103 "a triple-quoted string that does not end" r#"
A string that opens with three quotes goes on, over as many lines as it takes, until the same three quotes. Here the file ended
first.

Wrong:

    text = """one
    two"

Right:

    text = """one
    two"""
"#

    E0104 "a malformed number" r#"
A number runs into letters or signs that do not belong to it. A name cannot begin with a digit; an underscore may stand only
between two digits; a decimal integer has no leading zeros (octal numbers are written with 0o).

Wrong:

    2nd = 0777

Right:

    second = 0o777
    million = 1_000_000
"#

    E0105 "a malformed escape in a string" r#"
After a backslash, x takes two hexadecimal digits, u four and U eight. In a text that is full of backslashes, such as a path, put
r before the string: then they stand for themselves.

Wrong:

    path = "C:\users\ada"

Right:

    path = r"C:\users\ada"
    letter = "\u00e9"
"#

    E0106 "a character outside ASCII in a bytes literal" r#"
A bytes literal holds bytes, and a letter outside ASCII has no byte of its own: how many it takes depends on the encoding.

Wrong:

    data = b"café"

Right:

    data = "café".encode()
    same = b"caf\xc3\xa9"
"#

    E0107 "a malformed f-string" r#"
In an f-string, braces hold expressions: {value}, {value!r}, {value:>8}, {value=}. A brace that is meant as a character is doubled.
As in Python 3.11, the expression cannot hold a backslash or a comment.

Wrong:

    print(f"total: {}")

Right:

    total = 3
    print(f"total: {total:>8} {{}}")
"#

    E0108 "an f-string that holds its own quotes" r#"
An f-string ends at the first quote of the kind that opened it, also inside its braces. (Python 3.12 has lifted this; Mini follows
the older rule, so that its scripts run everywhere.)

Wrong:

    print(f"hello {user["name"]}")

Right:

    user = {"name": "Ada"}
    print(f"hello {user['name']}")
"#

    E0109 "a backslash out of place" r#"
Outside strings a backslash does one thing: as the very last character of a line it joins the next line to it. Inside brackets
lines join without it.

Wrong:

    total = 1 + \ 2

Right:

    total = 1 + \
        2
    total = (1 +
             2)
"#

    E0110 "a null byte in the text" r#"
A script is text, and a null byte is no character of a text. The file is probably not a script at all, or it is encoded in UTF-16:
save it as UTF-8.
"#

    E0111 "a text that is not UTF-8" r#"
Scripts are read as UTF-8, of which ASCII is a part. Save the file in that encoding; every editor can. A comment that names another
encoding (coding: latin-1) is refused too, since Python would then read the text differently.
"#

    E0112 "string and bytes literals side by side" r#"
Literals that stand side by side are joined; but text and bytes are different things and do not join.

Wrong:

    data = b"head" "tail"

Right:

    data = b"head" b"tail"
"#

    E0113 "a name with characters that Python would replace" r#"
Python brings names to a normal form (NFKC): a ligature becomes two letters, a wide letter a narrow one, a letter followed by an
accent one accented letter. So two names that look different can be the same. Mini does not do this, and refuses names where it
would matter.

Wrong:

    ﬁnal = 1

Right:

    final = 1
    größe = 2
"#

    E0201 "a line indented for no reason" r#"
Only the block after a line that ends with a colon is indented. All statements of a block start in the same column.

Wrong:

    x = 1
        y = 2

Right:

    x = 1
    if x:
        y = 2
"#

    E0202 "a line that lines up with no earlier one" r#"
A line that is indented less than the one before it ends a block, and so must start in the same column as the lines of the block
that it goes on with.

Wrong:

    if True:
            x = 1
        y = 2

Right:

    if True:
        x = 1
    y = 2
"#

    E0203 "tabs and spaces mixed in indentation" r#"
How far a tab goes depends on the editor, so two lines that look equally indented need not be. Python, and Mini with it, refuses
indentation whose meaning depends on the width of a tab. Use four spaces for each level.
"#

    E0204 "a missing block" r#"
After a line that ends with a colon comes a block, indented further than that line. Where there is nothing to do, write pass.

Wrong:

    def f():
    print("hello")

Right:

    def f():
        print("hello")

    def nothing():
        pass
"#

    E0205 "a bracket that is never closed" r#"
Inside brackets a statement goes on over as many lines as it takes. The bracket at the caret has no partner; the mistake is often
at the end of the same line.

Wrong:

    print(max(1, 2)
    print("done")

Right:

    print(max(1, 2))
    print("done")
"#

    E0206 "a closing bracket without an opening one" r#"
There is one closing bracket too many, or its opening one was forgotten.

Wrong:

    print(max(1, 2)))

Right:

    print(max(1, 2))
"#

    E0207 "brackets that do not match" r#"
Brackets close in the opposite order to that in which they were opened, each with its own kind.

Wrong:

    items = [(1, 2], 3)

Right:

    items = [(1, 2), 3]
"#

    E0301 "invalid syntax" r#"
The statement does not follow the grammar. What stands at the caret cannot stand there; what is missing is often just before it.

Wrong:

    total = 5 +

Right:

    total = 5 + 1
"#

    E0302 "a missing colon" r#"
The head of each compound statement (if, elif, else, while, for, def, class, with, try, except, finally) ends with a colon.

Wrong:

    if True
        print("yes")

Right:

    if True:
        print("yes")
"#

    E0303 "a missing comma" r#"
Two values stand side by side in brackets. Elements and arguments are separated by commas. (Quotes may be missing, too: a word
without quotes is a name.)

Wrong:

    items = [1 2, 3]

Right:

    items = [1, 2, 3]
"#

    E0304 "`=` where `==` was meant" r#"
One equals sign assigns, and only as a statement of its own; two compare, and are written without a blank between them.

Wrong:

    x = 1
    if x = 1:
        print("one")

Right:

    x = 1
    if x == 1:
        print("one")
"#

    E0305 "`else if` for `elif`" r#"
A further condition of an if statement is introduced by one word, elif.

Wrong:

    x = 1
    if x == 1:
        print("one")
    else if x == 2:
        print("two")

Right:

    x = 1
    if x == 1:
        print("one")
    elif x == 2:
        print("two")
"#

    E0306 "`print` as a statement" r#"
In Python 2 print was a statement. It is a function now, and what it prints stands in parentheses.

Wrong:

    print "hello"

Right:

    print("hello")
"#

    E0307 "a sign or word of another language" r#"
Other languages write this so. Here: and, or, not for &&, || and !; i += 1 for i++; != for <>; def for function; lambda x: x + 1 for
x => x + 1; a colon and indentation for braces; and no words before a name that is assigned to.

Wrong:

    i = 0
    i++

Right:

    i = 0
    i += 1
"#

    E0308 "`try` without `except` or `finally`" r#"
A try statement says what to do when something goes wrong in its block (except), or what to do in any case (finally).

Wrong:

    try:
        x = int("5")
    print(x)

Right:

    try:
        x = int("5")
    except ValueError:
        x = 0
    print(x)
"#

    E0309 "a decorator with nothing to decorate" r#"
A decorator stands on the line above the function or class that it decorates, equally indented, with nothing between them but other
decorators and empty lines.

Wrong:

    @staticmethod
    x = 1

Right:

    class Tool:
        @staticmethod
        def use():
            return 1
"#

    E0310 "a generator expression without parentheses" r#"
A generator expression may go without parentheses of its own only where it is the one and only argument of a call.

Wrong:

    print(x for x in range(3), 5)

Right:

    print((x for x in range(3)), 5)
    print(sum(x for x in range(3)))
"#

    E0311 "arguments in the wrong order" r#"
In a call the positional arguments come first, then those with names.

Wrong:

    print(sep=", ", "a")

Right:

    print("a", sep=", ")
"#

    E0312 "a conditional expression without `else`" r#"
The conditional expression chooses between two values, and needs both. To do something in one case only, write an if statement.

Wrong:

    x = 5 if True

Right:

    x = 5 if True else 0
"#

    E0313 "exception types without parentheses" r#"
One except clause catches several types of exceptions if they stand in parentheses. In Python 2 the word after a comma was the name
for the exception; it now follows as.

Wrong:

    try:
        pass
    except ValueError, TypeError:
        pass

Right:

    try:
        pass
    except (ValueError, TypeError) as error:
        pass
"#

    E0401 "an assignment to something that is no target" r#"
What is assigned to is a name, an attribute (a.b), an element (a[i]), or several of these with commas between them. If a comparison
was meant, it is written with two equals signs.

Wrong:

    len("abc") = 3

Right:

    n = len("abc")
"#

    E0402 "a deletion of something that is no target" r#"
The statement del removes a name, an attribute or an element; a value cannot be deleted.

Wrong:

    del len("abc")

Right:

    items = [1, 2, 3]
    del items[0]
"#

    E0403 "a star out of place" r#"
A star before a value spreads it out: among the elements of a list, tuple or set, or the arguments of a call. Among the targets of an
assignment one star takes what the others leave. Alone it has nothing to spread into.

Wrong:

    copy = *[1, 2]

Right:

    copy = [*[1, 2], 3]
    first, *rest = copy
"#

    E0404 "a parameter that stands twice" r#"
Each parameter of a function has a name of its own.

Wrong:

    def area(width, width):
        return width * width

Right:

    def area(width, height):
        return width * height
"#

    E0405 "parameters in the wrong order" r#"
Parameters come in this order: those without a default, those with one, *rest (or a bare star) with those that can only be given by
name, **options. A slash ends those that can only be given by position.

Wrong:

    def f(a=1, b):
        return b

Right:

    def f(b, a=1, *rest, key=None, **options):
        return b
"#

    E0406 "a keyword argument that stands twice" r#"
A call gives each named argument once; otherwise it could not be told which of the values counts.

Wrong:

    print("a", end="", end="!")

Right:

    print("a", end="!")
"#

    E0407 "`return` outside a function" r#"
The statement return ends a function. At the top of a script, use sys.exit; a class has nothing to return to.

Wrong:

    x = 1
    return x

Right:

    def f():
        x = 1
        return x
"#

    E0408 "`break` or `continue` outside a loop" r#"
These two belong to the innermost for or while around them, in the same function.

Wrong:

    if True:
        break

Right:

    while True:
        break
"#

    E0409 "`yield` outside a function" r#"
A function that yields is a generator. At the top of a script, in a class or in a comprehension there is nobody to yield to.

Wrong:

    yield 5

Right:

    def count():
        yield 5
"#

    E0410 "a name used before its `global` or `nonlocal` declaration" r#"
The declaration holds for the whole function, so it comes before the first use of the name; best at the top. A parameter cannot be
declared at all.

Wrong:

    count = 0

    def step():
        count = 1
        global count

Right:

    count = 0

    def step():
        global count
        count = 1
"#

    E0411 "`nonlocal` at module level" r#"
The word nonlocal declares that a name belongs to the function around this one. The module is no function: in a function use global,
and at the top nothing is needed.

Wrong:

    nonlocal count

Right:

    def outer():
        count = 0

        def step():
            nonlocal count
            count += 1
        step()
"#

    E0412 "`nonlocal` for a name that no outer function has" r#"
The word nonlocal declares that a name belongs to a function around this one, and one of those must assign to it. For a name of the
module, use global.

Wrong:

    count = 0

    def step():
        nonlocal count
        count += 1

Right:

    count = 0

    def step():
        global count
        count += 1
"#

    E0413 "a name both `global` and `nonlocal`" r#"
A name belongs to the module or to an outer function, not to both.

Wrong:

    def outer():
        x = 1

        def inner():
            global x
            nonlocal x

Right:

    def outer():
        x = 1

        def inner():
            nonlocal x
            x = 2
        inner()
"#

    E0414 "a bare `except` that is not the last" r#"
An except without a type catches everything, so what comes after it would never be reached.

Wrong:

    try:
        pass
    except:
        pass
    except ValueError:
        pass

Right:

    try:
        pass
    except ValueError:
        pass
    except:
        pass
"#

    E0415 "`import *` inside a function or class" r#"
Which names a star brings is known only when the import runs; inside a function names are settled before.

Wrong:

    def f():
        from math import *
        return pi

Right:

    def f():
        from math import pi
        return pi
"#

    E0501 "brackets nested too deeply" r#"
At most 200 brackets can be open at a time, as in CPython. Give the inner parts names.
"#

    E0502 "blocks nested too deeply" r#"
At most 99 blocks can be nested, as in CPython. Move the inner ones into functions.
"#

    E0503 "an expression nested too deeply" r#"
An expression can be 1000 levels deep; each operator, call or attribute is a level, also in a long chain such as a + b + c + … . Compute
parts of it in statements of their own, or use sum or join.
"#

    E0504 "an integer with too many digits" r#"
A decimal integer in a script has at most 4300 digits, as in CPython, since reading it takes time in the square of its length.
Write it in hexadecimal (0x…), or compute it (10 ** 5000).
"#

    E0505 "a name that is too long" r#"
A name has at most 10,000 bytes.
"#

    E0506 "a line that is too long" r#"
A line has at most one mebibyte. Large data belongs into the script in pieces, or is computed.
"#

    E0507 "a text that is too long" r#"
A script has at most four mebibytes.
"#

    E0508 "a function too large to compile" r#"
A function has more local names, constants or instructions than an instruction can count. Divide it.
"#

    E0509 "loops and other blocks nested too deeply" r#"
At most 20 loops, items of `with`, `try` blocks and handlers can stand in one another within a function, as in CPython; an `if` does
not count, and a handler counts for two. Move the inner ones into a function.
"#

    E0601 "`async` and `await`" r#"
Mini is about threads and the lock that they share; coroutines take turns without either. Write ordinary functions, and run them
with threading.Thread, an executor, or spawn_thread.

Wrong:

    async def fetch():
        return 1

Right:

    from concurrent.futures import ThreadPoolExecutor

    def fetch():
        return 1

    with ThreadPoolExecutor() as executor:
        print(executor.submit(fetch).result())
"#

    E0602 "the `match` statement" r#"
Compare with if and elif; take a tuple apart by assigning to several names.

Wrong:

    command = "go"
    match command:
        case "go":
            print("going")

Right:

    command = "go"
    if command == "go":
        print("going")
"#

    E0603 "the walrus operator" r#"
Assign in a statement of its own, then use the name.

Wrong:

    if (n := len("abc")) > 2:
        print(n)

Right:

    n = len("abc")
    if n > 2:
        print(n)
"#

    E0604 "matrix multiplication" r#"
Nothing in Mini has a meaning for the operator @. Call a method or a function.

Wrong:

    c = a @ b

Right:

    def product(a, b):
        return sum(x * y for x, y in zip(a, b))

    c = product([1, 2], [3, 4])
"#

    E0605 "complex numbers" r#"
Keep the real and the imaginary part in two floats or a tuple.

Wrong:

    z = 3 + 4j

Right:

    z = (3.0, 4.0)
    size = (z[0] ** 2 + z[1] ** 2) ** 0.5
"#

    E0606 "exception groups" r#"
Neither except* nor ExceptionGroup is part of Mini. Collect exceptions in a list and look at each.

Wrong:

    try:
        pass
    except* ValueError:
        pass

Right:

    try:
        pass
    except ValueError:
        pass
"#

    E0607 "type aliases and type parameters" r#"
Annotations are accepted, and nothing checks them. The newer forms of Python 3.12 are not part of Mini.

Wrong:

    def first[T](items: list[T]) -> T:
        return items[0]

Right:

    def first(items: list):
        return items[0]
"#

    E0608 "multiple inheritance" r#"
A class has one base. Keep an object of the other class in an attribute instead, and call its methods.

Wrong:

    class A:
        pass

    class B:
        pass

    class C(A, B):
        pass

Right:

    class B:
        pass

    class C:
        def __init__(self):
            self.b = B()
"#

    E0609 "metaclasses and other class keywords" r#"
A class statement names its base and nothing more. What a metaclass would do to each class, a decorator or a function can do.

Wrong:

    class Shape(metaclass=type):
        pass

Right:

    class Shape:
        pass
"#

    E0610 "running text as code" r#"
A Mini script is compiled as a whole before it starts; eval, exec, compile and __import__ would compile while it runs. Use a
dict of functions to choose what to run.

Wrong:

    print(eval("1 + 1"))

Right:

    operations = {"+": lambda a, b: a + b}
    print(operations["+"](1, 1))
"#

    E0611 "the namespaces as dicts" r#"
Names are resolved before a script starts, so globals(), locals() and dir() have no dict to show. Keep what is looked up by
text in a dict of your own; for attributes, use getattr and setattr.

Wrong:

    x = 1
    print(globals()["x"])

Right:

    values = {"x": 1}
    print(values["x"])
"#

    E0612 "a module that Mini does not have" r#"
A script is one file, and imports only the modules that are built into Mini: threading, multiprocessing, concurrent.futures, queue,
time, os, sys, math, random and some more. It has no way to other files, the network or other programs.

Wrong:

    import socket

Right:

    import threading
"#

    E0613 "a subclass of a built-in type" r#"
A class can extend the classes of a script and the exceptions, not int, str, list, dict and the like. Keep such a value in an
attribute.

Wrong:

    class Stack(list):
        pass

Right:

    class Stack:
        def __init__(self):
            self.items = []
"#

    E0614 "characters by name" r#"
Mini does not know the names of characters. Write the character itself or its number.

Wrong:

    heart = "\N{BLACK HEART SUIT}"

Right:

    heart = "♥"
    same = "\u2665"
"#

    E0615 "lone surrogates" r#"
The numbers from D800 to DFFF are halves of characters in UTF-16, not characters. A string of Mini holds whole characters only.

Wrong:

    face = "\ud83d\ude00"

Right:

    face = "\U0001F600"
"#

    E0616 "relative imports" r#"
A script is one file and belongs to no package.

Wrong:

    from . import tools

Right:

    import math
"#

    E0617 "a name that a module of Mini does not have" r#"
The modules of Mini are those of Python in part: what lessons about threads and processes use. What touches files, the network or
other programs is left out on purpose.

Wrong:

    from os import listdir

Right:

    from os import getpid
"#

    E0618 "a built-in function or class that Mini does not have" r#"
Mini has the built-ins that scripts about threads and processes use. It has none that touch files (open), look into the interpreter
(breakpoint, help) or belong to left-out types (complex, bytearray, memoryview).

Wrong:

    text = open("data.txt").read()

Right:

    text = "the data"
"#

    E0619 "a special method or attribute that Mini does not have" r#"
Python calls many methods by their special names; Mini knows those for operators, containers, iteration, calls, comparison, text,
attributes and with. One that it would never call is refused, so that it is not silently without effect.

Wrong:

    class Resource:
        def __del__(self):
            print("gone")

Right:

    class Resource:
        def __enter__(self):
            return self

        def __exit__(self, *exception):
            print("gone")
"#

    E0620 "a rare form that Mini does not have" r#"
Python accepts this, almost nobody writes it, and Mini leaves it out: an annotated name in parentheses, which declares nothing.

Wrong:

    (x): int = 1

Right:

    x: int = 1
"#

    E0701 "a line of assembly text that does not read" "A line of a `.masm` file is a label (`loop:`), a directive (`.func worker(x)`), or an instruction with its operands, separated by commas:

    loop:
        addi    r0, r0, 1
        jlti    r0, 10, loop

`mini dis FILE` prints any program in this form; docs/bytecode.md describes it."

    E0702 "no such instruction or directive" "The words that may begin a line of a `.masm` file are the instructions of the table in docs/bytecode.md and the directives, which begin with a point."

    E0703 "the wrong operands" "Each instruction takes the operands that docs/bytecode.md lists for it, in that order:

    add     r0, r1, r2      ; three registers
    gget    r0, counter     ; a register and a module-level variable
    aget    r0, r1, .name   ; two registers and an attribute
    callkw  1, r0, r0, (sep)

A flag that is usually one way may be left away: `jif r0, loop` is `jif true, r0, loop`."

    E0704 "a name that nothing in the text defines" "A label must stand in the same function as the jump to it; a function that `func` makes must begin with `.func` in the same module; a module that `import` names must stand in the text or be one of Mini's own."

    E0705 "defined twice" "A label may stand once in a function, a function or a variable once in a module, a module once in the text."

    E0706 "too large" "A number, a distance or a text does not fit into the place that the instruction has for it. A conditional jump reaches 32,767 instructions; place a `jump`, which reaches further, where it can."

    E0707 "a directive out of its place" "`.globals` and `.module` describe a module, `.func` begins a function, and the other directives describe the function (or the module) they stand in. Lines of a source text stand below `.text` alone."

    E0708 "a program that may not run" "The text was read, but the program breaks a rule that every program must keep before Mini runs it: that registers exist, that jumps stay inside, that a function ends in `ret`, `jump` or `raise`. docs/bytecode.md lists them."
}
