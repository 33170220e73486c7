//! Names of CPython's modules that Mini's modules of the same name leave out, each with the reason
//! or the way out. A test walks CPython's own lists and finds every public name either in Mini or
//! here.

/// Module; names, with `*` at the end for all that begin so; what to say about them.
const NAMES: &[(&str, &[&str], &str)] = &[
    (
        "collections",
        &["UserDict", "UserList", "UserString"],
        "write a class that keeps a dict, a list or a text in an attribute",
    ),
    (
        "contextlib",
        &[
            "AbstractAsyncContextManager",
            "AsyncContextDecorator",
            "AsyncExitStack",
            "aclosing",
            "asynccontextmanager",
        ],
        "Mini has threads and processes, and no `async`",
    ),
    (
        "contextlib",
        &["chdir"],
        "a script cannot touch the files of the machine it runs on",
    ),
    (
        "dataclasses",
        &["InitVar", "KW_ONLY", "make_dataclass"],
        "Mini's dataclasses have plain fields, `field()` and the options of `@dataclass`; write an `__init__` for more",
    ),
    (
        "functools",
        &["partialmethod", "singledispatchmethod"],
        "Mini's only descriptors are methods, `property`, `staticmethod` and `classmethod`; write the method out",
    ),
    (
        "logging",
        &["FileHandler"],
        "a script cannot write files; `StreamHandler` writes to standard error or standard output",
    ),
    (
        "logging",
        &["BufferingFormatter"],
        "format records one by one, with a `Formatter`",
    ),
    (
        "logging",
        &[
            "Manager",
            "PlaceHolder",
            "PercentStyle",
            "StrFormatStyle",
            "StringTemplateStyle",
            "currentframe",
            "getHandler*",
            "log*",
        ],
        "it is a part of CPython's own workings; `getLogger`, `Formatter` and handlers do what scripts need",
    ),
    (
        "multiprocessing",
        &[
            "allow_connection_pickling",
            "set_executable",
            "set_forkserver_preload",
            "reducer",
        ],
        "it sets up how CPython starts another interpreter; Mini's processes are part of one program and need none of it",
    ),
    (
        "multiprocessing.connection",
        &[
            "Client",
            "Listener",
            "answer_challenge",
            "deliver_challenge",
        ],
        "a script cannot touch the network; `Pipe` makes connected ends",
    ),
    (
        "multiprocessing.connection",
        &["wait"],
        "`poll(timeout)` waits for one connection; a thread for each waits for several",
    ),
    (
        "multiprocessing.context",
        &[
            "BaseContext",
            "DefaultContext",
            "Fork*",
            "Process",
            "Spawn*",
            "assert_spawning",
            "get_spawning_popen",
            "set_spawning_popen",
        ],
        "`multiprocessing.get_context(method)` gives what starts processes by `fork` or by `spawn`",
    ),
    (
        "multiprocessing.managers",
        &["BaseManager", "SharedMemoryManager", "Token"],
        "`multiprocessing.Manager()` has dict, list, Namespace, Value, Queue and the locks",
    ),
    (
        "multiprocessing.sharedctypes",
        &["copy", "synchronized"],
        "`Value` and `Array` come with a lock of their own",
    ),
    (
        "os",
        &["fork", "forkpty", "wait*", "register_at_fork"],
        "`spawn_process(f)` forks, and `join` waits; so does `multiprocessing.Process`",
    ),
    (
        "os",
        &[
            "exec*",
            "spawn*",
            "posix_spawn*",
            "system",
            "popen",
            "startfile",
        ],
        "a script cannot start other programs; `multiprocessing.Process` starts another process of the same script",
    ),
    (
        "random",
        &["SystemRandom"],
        "use `random.Random`: Mini's numbers are for experiments that can be repeated",
    ),
    (
        "sys",
        &["getrefcount", "getallocatedblocks", "getsizeof"],
        "Mini counts no references and collects garbage by marking, so CPython's numbers would mean nothing",
    ),
    (
        "sys",
        &[
            "settrace",
            "gettrace",
            "setprofile",
            "getprofile",
            "call_tracing",
            "breakpointhook",
        ],
        "Mini runs no hook in a script; `mini run --stats` counts what each thread does, and `mini run --timeline` draws when each ran",
    ),
    (
        "sys",
        &["excepthook", "unraisablehook", "displayhook"],
        "Mini reports exceptions itself; `threading.excepthook` can be replaced, and `try … except` catches in the main thread",
    ),
    (
        "threading",
        &["settrace", "gettrace", "setprofile", "getprofile"],
        "Mini runs no hook in a script; `mini run --stats` counts what each thread does, and `mini run --timeline` draws when each ran",
    ),
    (
        "time",
        &[
            "CLOCK_*",
            "clock_*",
            "get_clock_info",
            "pthread_getcpuclockid",
        ],
        "use `time`, `monotonic`, `perf_counter`, `process_time` or `thread_time`",
    ),
    (
        "time",
        &["strptime", "tzset"],
        "Mini writes dates with `strftime` and does not read them; its local time is UTC",
    ),
    (
        "typing",
        &["NamedTuple", "TypedDict", "ForwardRef", "is_typeddict"],
        "use `@dataclass` or `collections.namedtuple`: Mini reads over annotations and makes nothing of them",
    ),
    (
        "typing",
        &["Async*", "Coroutine"],
        "Mini has threads and processes, and no `async`",
    ),
    (
        "typing",
        &[
            "ParamSpec*",
            "clear_overloads",
            "dataclass_transform",
            "get_*",
            "no_type_check_decorator",
        ],
        "Mini reads over annotations and keeps nothing to ask about",
    ),
];

/// What to say about every other name of these modules, which have far more names in CPython than
/// are listed here.
const PURPOSES: &[(&str, &str)] = &[
    (
        "io",
        "a script cannot touch the files of the machine it runs on; `StringIO` is a text in memory",
    ),
    (
        "os",
        "a script cannot touch the machine it runs on; Mini's `os` has what concerns processes",
    ),
    (
        "sys",
        "it is about the inside of CPython; Mini's `sys` has the streams, `exit`, the limits and the lock",
    ),
];

/// Why the module has no such name, if it is one of CPython's.
pub(super) fn reason(module: &str, name: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    NAMES
        .iter()
        .find(|(of, names, _)| *of == module && names.iter().any(|it| fits(it)))
        .map(|(_, _, reason)| *reason)
}

/// What Mini's module is for, where that explains why it has no other names.
pub(super) fn purpose(module: &str) -> Option<&'static str> {
    PURPOSES
        .iter()
        .find(|(of, _)| *of == module)
        .map(|(_, purpose)| *purpose)
}
