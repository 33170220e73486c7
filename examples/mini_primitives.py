"""Mini's three primitives for CPython: `spawn_thread`, `spawn_process` and `join`, made of `threading` and `multiprocessing`.

    python3 mini_primitives.py script.mini

runs a script that uses them. (Processes are forked, as in Mini, so it needs a system that can fork.)
"""

import builtins
import multiprocessing
import runpy
import sys
import threading

_fork = multiprocessing.get_context("fork")


class _ThreadHandle:
    def __init__(self, function, args):
        self._outcome = None
        self._thread = threading.Thread(target=self._run, args=(function, args))
        self._thread.name = self._thread.name.replace("_run", function.__name__)
        self._thread.start()

    def _run(self, function, args):
        try:
            self._outcome = (function(*args), None)
        except BaseException as error:
            self._outcome = (None, error)
            raise  # reported, as for every thread

    def _join(self, timeout):
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError("the thread has not ended yet")
        return self._outcome

    @property
    def name(self):
        return self._thread.name

    @property
    def ident(self):
        return self._thread.ident

    def is_alive(self):
        return self._thread.is_alive()


def _run_in_child(function, args, writer):
    try:
        writer.send((function(*args), None))
    except BaseException as error:
        writer.send((None, error))
        raise  # reported, as for every process


class _ProcessHandle:
    def __init__(self, function, args):
        self._outcome = None
        self._reader, writer = _fork.Pipe(duplex=False)
        self._process = _fork.Process(target=_run_in_child, args=(function, args, writer))
        self._process.name = self._process.name.replace("ForkProcess", "Process")
        self._process.start()
        writer.close()

    def _join(self, timeout):
        if self._outcome is None:
            if not self._reader.poll(timeout):
                raise TimeoutError("the process has not ended yet")
            try:
                self._outcome = self._reader.recv()
            except EOFError:
                self._outcome = (None, None)  # it died before it could say anything
            self._process.join()
        return self._outcome

    @property
    def name(self):
        return self._process.name

    @property
    def pid(self):
        return self._process.pid

    @property
    def exitcode(self):
        return self._process.exitcode

    def is_alive(self):
        return self._process.is_alive()

    def terminate(self):
        self._process.terminate()


def spawn_thread(function, *args):
    """Starts a thread that calls `function(*args)` and shares all memory."""
    return _ThreadHandle(function, args)


def spawn_process(function, *args):
    """Forks a process that calls `function(*args)` with its own copy of memory."""
    return _ProcessHandle(function, args)


def join(handle, timeout=None):
    """Waits; returns what the function returned, or raises what it raised."""
    result, error = handle._join(timeout)
    if error is not None:
        raise error
    return result


if __name__ == "__main__":
    builtins.spawn_thread = spawn_thread
    builtins.spawn_process = spawn_process
    builtins.join = join
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
