"""Prints the public names of the modules that Mini has, as CPython has them: a line for each
module; and the names of all modules of its library."""

import importlib
import sys
import types
MODULES = "threading queue multiprocessing concurrent.futures logging time random collections itertools functools contextlib dataclasses typing pprint os sys math".split()
for name in MODULES:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    public = [n for n in public if not isinstance(getattr(module, n, None), types.ModuleType)]
    print(f"{name}:", *sorted(set(public)))
print("import:", *sorted(name for name in sys.stdlib_module_names if not name.startswith("_")))
