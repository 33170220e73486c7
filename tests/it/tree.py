"""Prints CPython's tree of each file named on standard input, in the words of tests/it/tree.rs, one statement on each line.

After each file comes a line with a single full stop. A file that does not parse gives the line SYNTAX ERROR.
"""

import ast
import struct
import sys


def text(s):
    if all(33 <= ord(c) < 127 and c not in "'\\" or c == " " for c in s):
        return f"'{s}'"
    return "<" + " ".join(str(ord(c)) for c in s) + ">"


def many(items):
    return "[" + ", ".join(dump(item) for item in items) + "]"


def maybe(item):
    return "None" if item is None else dump(item)


def docstring(node):
    s = ast.get_docstring(node, clean=False)
    return "None" if s is None else text(s)


def constant(value):
    if isinstance(value, bool) or value is None:
        return f"Constant({value})"
    if value is Ellipsis:
        return "Constant(Ellipsis)"
    if isinstance(value, int):
        return f"Constant(int {value:#x})"
    if isinstance(value, float):
        return f"Constant(float {struct.unpack('<Q', struct.pack('<d', value))[0]})"
    if isinstance(value, bytes):
        return "Constant(bytes " + " ".join(map(str, value)) + ")"
    return f"Constant({text(value) if isinstance(value, str) else value})"


def dump(n):
    kind = type(n).__name__
    if not isinstance(n, ast.AST):
        return repr(n)
    if isinstance(n, ast.Constant):
        return constant(n.value)
    if isinstance(n, ast.Name):
        return f"Name({n.id})"
    if isinstance(n, (ast.FunctionDef, ast.ClassDef)):
        middle = f"{many(n.bases)}, {many(n.keywords)}" if kind == "ClassDef" else dump(n.args)
        after = "" if kind == "ClassDef" else f", {maybe(n.returns)}"
        return f"{kind}({n.name}, {middle}, {many(n.body)}, {many(n.decorator_list)}{after}, {docstring(n)})"
    if isinstance(n, ast.arguments):
        keyword_defaults = "[" + ", ".join(maybe(d) for d in n.kw_defaults) + "]"
        return (f"arguments({many(n.posonlyargs)}, {many(n.args)}, {maybe(n.vararg)}, {many(n.kwonlyargs)}, "
                f"{keyword_defaults}, {maybe(n.kwarg)}, {many(n.defaults)})")
    if isinstance(n, ast.arg):
        return f"arg({n.arg}, {maybe(n.annotation)})"
    if isinstance(n, ast.keyword):
        return f"keyword({n.arg}, {dump(n.value)})"
    if isinstance(n, ast.alias):
        return f"alias({n.name}, {n.asname})"
    if isinstance(n, ast.ImportFrom):
        return f"ImportFrom({n.module}, {many(n.names)})"
    if isinstance(n, (ast.Global, ast.Nonlocal)):
        return f"{kind}([{', '.join(n.names)}])"
    if isinstance(n, ast.ExceptHandler):
        return f"ExceptHandler({maybe(n.type)}, {n.name}, {many(n.body)})"
    if isinstance(n, ast.AnnAssign):
        return f"AnnAssign({dump(n.target)}, {dump(n.annotation)}, {maybe(n.value)})"
    if isinstance(n, ast.Attribute):
        return f"Attribute({dump(n.value)}, {n.attr})"
    if isinstance(n, ast.Compare):
        operators = ", ".join(type(op).__name__ for op in n.ops)
        return f"Compare({dump(n.left)}, [{operators}], {many(n.comparators)})"
    if isinstance(n, ast.Dict):
        pairs = ", ".join(f"{maybe(k)}: {dump(v)}" for k, v in zip(n.keys, n.values))
        return f"Dict([{pairs}])"
    if isinstance(n, ast.FormattedValue):
        spec = n.format_spec
        if spec is not None and not spec.values:
            spec = None
        return f"FormattedValue({dump(n.value)}, {n.conversion}, {maybe(spec)})"
    if isinstance(n, ast.comprehension):
        return f"comprehension({dump(n.target)}, {dump(n.iter)}, {many(n.ifs)})"
    if isinstance(n, (ast.operator, ast.unaryop, ast.boolop)):
        return kind
    fields = []
    for name, value in ast.iter_fields(n):
        if name in ("ctx", "type_comment"):
            continue
        fields.append(many(value) if isinstance(value, list) else maybe(value))
    return f"{kind}({', '.join(fields)})"


def main():
    sys.setrecursionlimit(20000)
    for path in sys.stdin.read().splitlines():
        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            print("SYNTAX ERROR")
        else:
            print("\n".join(dump(statement) for statement in tree.body))
        print(".")


if __name__ == "__main__":
    main()
