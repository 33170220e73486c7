"""Prints the public names of the modules that Mini has, as CPython has them: a line for each
module, and for each module inside a package what is defined there; the names of all modules of its library; and the
public attributes of the classes."""

import importlib
import inspect
import sys
import types
MODULES = "threading queue multiprocessing concurrent.futures logging time random collections itertools functools contextlib dataclasses typing pprint os sys math".split()
for name in MODULES:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    public = [n for n in public if not isinstance(getattr(module, n, None), types.ModuleType)]
    print(f"{name}:", *sorted(set(public)))
INNER = "multiprocessing.pool multiprocessing.managers multiprocessing.context multiprocessing.connection multiprocessing.queues multiprocessing.synchronize multiprocessing.sharedctypes concurrent.futures.thread concurrent.futures.process".split()
for name in INNER:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    print(f"{name}:", *sorted(n for n in set(public) if getattr(getattr(module, n, None), "__module__", None) == name))
print("import:", *sorted(name for name in sys.stdlib_module_names if not name.startswith("_")))

HOLDERS = [it for it in MODULES if it != "typing"] + ["multiprocessing.connection", "multiprocessing.pool", "multiprocessing.queues", "multiprocessing.synchronize"]
ORDINARY = set(dir(object)) | set(dir(Exception))
for name in HOLDERS:
    module = importlib.import_module(name)
    for kind in sorted(getattr(module, "__all__", None) or dir(module)):
        found = getattr(module, kind, None)
        if inspect.isclass(found) and not kind.startswith("_") and not issubclass(found, (tuple, OSError)):
            members = sorted(it for it in set(dir(found)) - ORDINARY if not it.startswith("_"))
            if members:
                print(f"members of {name}.{kind}:", *members)
