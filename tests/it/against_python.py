"""Runs many programs in one CPython, each in a fresh namespace, for `against_python.rs`.

Standard input is a JSON list of programs. Standard output is a JSON list with, for each, what it printed (`output`),
the traceback of the uncaught exception that ended it or null (`error`), and how long it took (`time_ms`). A program that
runs for more than two seconds ends in an error.
"""

import contextlib
import io
import json
import linecache
import signal
import sys
import time
import traceback
import warnings

LIMIT_S = 2
NAME = "program.mini"


class TooLong(BaseException):
    """The program ran into the limit. No `except Exception` of the program's catches it."""


def too_long(signal_number, frame):
    raise TooLong


def run(program):
    printed = io.StringIO()
    error = None
    started = time.perf_counter()
    signal.alarm(LIMIT_S)
    linecache.cache[NAME] = len(program), None, program.splitlines(True), NAME
    try:
        with contextlib.redirect_stdout(printed):
            namespace = {"__name__": "__main__"}
            exec(compile(program, NAME, "exec"), namespace)
            namespace.clear()
    except BaseException as e:
        # Without the frame of this function.
        error = "".join(traceback.format_exception(e.with_traceback(e.__traceback__.tb_next)))
    finally:
        signal.alarm(0)
    time_ms = (time.perf_counter() - started) * 1000
    return {"output": printed.getvalue(), "error": error, "time_ms": time_ms}


signal.signal(signal.SIGALRM, too_long)
warnings.simplefilter("ignore")
json.dump([run(program) for program in json.load(sys.stdin)], sys.stdout)
