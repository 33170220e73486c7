//! The end of a program that dies: functions, methods, generators and lambdas that call one another
//! in all kinds of places, and the last of which fails. What counts is the traceback.

use super::Writer;

/// What the ends need.
const TOOLS: &str = "\
import functools
zero = 0
class Quiet:
    def __enter__(self):
        return self
    def __exit__(self, *what):
        return False
def passing(function):
    @functools.wraps(function)
    def wrapper(*args, **named):
        return function(*args, **named)
    return wrapper";

/// Statements that fail where `a` is a small number.
const FAILURES: &[&str] = &[
    "return a / zero",
    "return (a + 1) % zero + a",
    "return 1 + (a //\n    zero)",
    "return [1, 2][a + 5]",
    "return {'k': a}['other']",
    "return None.attribute",
    "return a.missing + 1",
    "return 'text' + a",
    "return a + 'text'",
    "return -'text'",
    "return int('x' * a + 'y')",
    "return len(a)",
    "return a[0]",
    "return a(1)",
    "return undefined_name",
    "return (lambda q: q)()",
    "return (lambda q: q)(1, q=a)",
    "return [].pop()",
    "return max([])",
    "return '%d' % 'x'",
    "return '{} {}'.format(a)",
    "return 'abc'.index('z')",
    "return [3, 'a', 1][a:].sort(key=1)",
    "return sorted([a, 'text', None])",
    "return {}[a, a + 1]",
    "return {[a]: 1}",
    "return f'{a / zero}'",
    "return a if a / zero else zero",
    "return a < 'text' < 3",
    "return zero == 1 or a > None",
    "return list(range(3))[\n    a + 10]",
    "x, y = [a]\nreturn x",
    "x, *y = a\nreturn x",
    "a.attribute = 1",
    "a[0] = 1",
    "del [][a]",
    "late += a\nlate = 1",
    "assert a is None, 'said'",
    "raise ValueError('because', a)",
    "raise KeyError('because')",
    "raise KeyError(a) from ValueError('cause')",
    "raise OSError(2, 'text')",
    "raise StopIteration(a)",
    "raise",
    "raise a",
];

/// Bodies that call `inner`. None in which a comprehension, a `for` over a generator or the body of
/// a class is under way: frames and carets of these are not yet CPython's.
const CALLS: &[&str] = &[
    "return inner(a)",
    "return inner(a) + 1",
    "return 1 + inner(a) * 2",
    "return (1 +\n    inner(a) *\n    2)",
    "return inner(\n    a,\n)",
    "x = inner(a)\nreturn x",
    "x = y = inner(a)\nreturn x",
    "return [k for k in inner(a)]",
    "return sum(inner(k) for k in [a])",
    "return list(map(inner, [a]))",
    "return sorted([a], key=inner)",
    "return max([a, a], key=lambda q: inner(q))",
    "return functools.reduce(lambda p, q: inner(q), [a, a])",
    "return (lambda q: inner(q))(a)",
    "return f'{inner(a)!r:>10}'",
    "return 'x' if inner(a) else 'y'",
    "return inner(a) and a or a",
    "return 0 <= inner(a) < 9",
    "return [1, 2][inner(a)]",
    "return {'k': inner(a)}",
    "return print(a, inner(a), sep='')",
    "return inner(*[a])",
    "return inner(**{'a': a})",
    "return inner(a=a).attribute[0]",
    "a += inner(a)\nreturn a",
    "x = {}\nx[inner(a)] = 1",
    "x = []\nx[0:inner(a)] = x",
    "assert inner(a), 'no'",
    "if inner(a): return 1",
    "while inner(a): pass",
    "for x in inner(a): pass",
    "for x in [a, a]:\n    if x is a:\n        inner(x)",
    "del inner(a)[0]",
    "raise inner(a)",
    "try:\n    return inner(a)\nfinally:\n    print('finally', a)",
    "try:\n    inner(a)\nexcept ZeroDivisionError as e:\n    raise ValueError('while') from e\nreturn inner(a + 1)",
    "try:\n    inner(a)\nexcept Exception:\n    raise RuntimeError('again')",
    "try:\n    inner(a)\nexcept Exception:\n    inner(a)",
    "try:\n    inner(a)\nexcept Exception as e:\n    raise KeyError(a) from None",
    "try:\n    inner(a)\nexcept (TypeError, ValueError):\n    print('caught')\n    raise",
    "try:\n    return 1 / 0\nexcept ZeroDivisionError:\n    return inner(a)",
    "try:\n    pass\nexcept TypeError:\n    raise\nelse:\n    inner(a)\nfinally:\n    a = 1",
    "with Quiet():\n    return inner(a)",
    "with Quiet() as q, Quiet():\n    x = [q]\n    inner(a)",
    "def gen():\n    yield 1\n    yield inner(a)\nreturn list(gen())",
    "def gen():\n    got = yield\n    yield inner(got)\ng = gen()\nnext(g)\nreturn g.send(a)",
    "def own(n):\n    if n: return own(n - 1)\n    return inner(a)\nreturn own(6)",
    "@passing\ndef own(n): return inner(n)\nreturn own(a)",
    "class C:\n    def method(self, q):\n        return inner(q)\nreturn C().method(a)",
    "class C:\n    def __init__(self, q):\n        self.q = inner(q)\nreturn C(a)",
    "class C:\n    @property\n    def p(self):\n        return inner(a)\nreturn C().p",
    "class C:\n    def __add__(self, other):\n        return inner(other)\nreturn C() + a",
    "class C:\n    def __getitem__(self, other):\n        return inner(other)\nreturn C()[a]",
    "class C:\n    def __str__(self):\n        return inner(a)\nreturn str(C())",
    "class C:\n    def __eq__(self, other):\n        return inner(a)\nreturn C() in [1, 2]",
    "class C:\n    def __iter__(self):\n        yield inner(a)\nx, y = C()",
    "class B:\n    def m(self): return inner(a)\nclass C(B):\n    def m(self): return super().m()\nreturn C().m()",
];

impl Writer {
    pub(super) fn death(&mut self) {
        for line in TOOLS.lines() {
            self.line(line);
        }
        let failure = self.random.text(FAILURES);
        let mut inner = self.link(failure, "");
        for _ in 0..self.random.between(1, 4) {
            let call = self.random.text(CALLS);
            inner = self.link(call, &inner);
        }
        let argument = self.random.between(1, 3);
        let end = match self.random.below(4) {
            0 => format!("print({inner}({argument}))"),
            1 => format!("result = [{inner}({argument})]"),
            2 => format!("if {inner}({argument}): pass"),
            _ => format!("{inner}({argument})"),
        };
        self.line(&end);
        self.line("raise SystemError('not so far')");
    }

    /// A function with this body, and its name.
    fn link(&mut self, body: &str, inner: &str) -> String {
        let name = self.fresh("end");
        self.block(&format!("def {name}(a):"), |w| {
            for line in body.replace("inner", inner).lines() {
                w.line(line);
            }
        });
        name
    }
}
