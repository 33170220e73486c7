"""For each text on standard input (they are separated by null bytes), prints what CPython says: line, tab, message."""

import sys
import warnings

warnings.simplefilter("ignore")
for text in sys.stdin.buffer.read().split(b"\0"):
    try:
        compile(text, "test", "exec")
        print("accepted")
    except SyntaxError as error:
        print(f"{error.lineno}\t{error.msg}")
