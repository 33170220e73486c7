//! The modules of CPython's standard library that Mini leaves out, each with what to use instead.
//! The list is that of CPython 3.11 (`sys.stdlib_module_names`); a test compares.

/// Modules; what to say about them.
const MODULES: &[(&[&str], &str)] = &[
    (
        &[
            "asynchat",
            "asyncio",
            "asyncore",
            "contextvars",
            "select",
            "selectors",
        ],
        "Mini has threads and processes, and no `async`: `concurrent.futures` waits for many things at once",
    ),
    (
        &[
            "cgi",
            "cgitb",
            "email",
            "ftplib",
            "html",
            "http",
            "imaplib",
            "ipaddress",
            "mailbox",
            "mailcap",
            "nntplib",
            "poplib",
            "smtpd",
            "smtplib",
            "socket",
            "socketserver",
            "ssl",
            "telnetlib",
            "urllib",
            "webbrowser",
            "wsgiref",
            "xmlrpc",
        ],
        "a script cannot touch the network; `time.sleep` stands for its latency, and `multiprocessing.Pipe` connects processes",
    ),
    (
        &["pipes", "pty", "subprocess"],
        "a script cannot start other programs; `multiprocessing.Process` starts another process of the same script",
    ),
    (
        &["signal"],
        "`Process.terminate()` and `os.kill` end another process; Ctrl-C raises `KeyboardInterrupt` in the main thread",
    ),
    (
        &[
            "crypt",
            "ctypes",
            "curses",
            "errno",
            "fcntl",
            "getpass",
            "gettext",
            "grp",
            "locale",
            "mmap",
            "msvcrt",
            "nt",
            "platform",
            "posix",
            "pwd",
            "readline",
            "resource",
            "site",
            "spwd",
            "stat",
            "sysconfig",
            "syslog",
            "termios",
            "tty",
            "winreg",
            "winsound",
        ],
        "a script cannot touch the machine it runs on; Mini's `os` and `sys` have what concerns processes and threads",
    ),
    (
        &["gc", "tracemalloc", "weakref"],
        "Mini does not say when an object goes; keep what you need in a dict",
    ),
    (
        &[
            "bz2",
            "configparser",
            "csv",
            "dbm",
            "filecmp",
            "fileinput",
            "fnmatch",
            "genericpath",
            "glob",
            "gzip",
            "linecache",
            "lzma",
            "netrc",
            "ntpath",
            "pathlib",
            "plistlib",
            "posixpath",
            "shelve",
            "shutil",
            "sqlite3",
            "tarfile",
            "tempfile",
            "tomllib",
            "zipapp",
            "zipfile",
            "zipimport",
            "zlib",
        ],
        "a script cannot touch the files of the machine it runs on; keep the data in the script or read it with `input()`",
    ),
    (
        &["copyreg", "marshal", "pickle", "pickletools"],
        "values that cross to another process are copied without your help",
    ),
    (
        &["bisect", "heapq", "sched"],
        "`queue.PriorityQueue` keeps the smallest first, and `sorted` sorts",
    ),
    (
        &["calendar", "datetime", "timeit", "zoneinfo"],
        "`time` has clocks, `strftime` and `sleep`; for measuring, `time.perf_counter()`",
    ),
    (
        &["faulthandler", "traceback", "warnings"],
        "Mini reports exceptions with their tracebacks itself; `logging.exception` writes one as well",
    ),
    (
        &["atexit"],
        "`try … finally` around the main part does the same",
    ),
    (
        &["copy"],
        "`list(x)`, `dict(x)` and `dataclasses.replace` copy",
    ),
    (
        &["abc", "enum", "inspect", "numbers", "operator", "types"],
        "write the class, the constant or the `lambda` out",
    ),
    (
        &[
            "bdb", "cProfile", "doctest", "pdb", "profile", "pstats", "trace", "unittest",
        ],
        "`assert` checks; `mini run --stats` counts what each thread does, and `mini run --timeline` draws when each ran",
    ),
    (
        &[
            "array",
            "cmath",
            "decimal",
            "difflib",
            "fractions",
            "json",
            "re",
            "statistics",
            "string",
            "struct",
            "textwrap",
        ],
        "texts, numbers and lists have methods of their own; Mini leaves out what is not about threads and processes",
    ),
    (
        &["argparse", "getopt", "optparse"],
        "`sys.argv` has the arguments",
    ),
    (
        &["hashlib", "hmac", "secrets", "uuid"],
        "`random.Random(seed)` gives numbers, the same in each run",
    ),
];

/// The others.
const OTHERS: &[&str] = &[
    "aifc",
    "antigravity",
    "ast",
    "audioop",
    "base64",
    "binascii",
    "builtins",
    "chunk",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "colorsys",
    "compileall",
    "dis",
    "distutils",
    "encodings",
    "ensurepip",
    "graphlib",
    "idlelib",
    "imghdr",
    "imp",
    "importlib",
    "keyword",
    "lib2to3",
    "mimetypes",
    "modulefinder",
    "msilib",
    "nis",
    "nturl2path",
    "opcode",
    "ossaudiodev",
    "pkgutil",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "quopri",
    "reprlib",
    "rlcompleter",
    "runpy",
    "shlex",
    "sndhdr",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "stringprep",
    "sunau",
    "symtable",
    "tabnanny",
    "this",
    "tkinter",
    "token",
    "tokenize",
    "turtle",
    "turtledemo",
    "unicodedata",
    "uu",
    "venv",
    "wave",
    "xdrlib",
    "xml",
];

/// Modules inside packages that Mini has.
const INNER: &[(&str, &str)] = &[
    (
        "collections.abc",
        "a class with the methods is enough; for annotations, `typing` has the names",
    ),
    (
        "logging.handlers",
        "a subclass of `logging.Handler` with an `emit` of its own does what you need; files and the network are out of reach",
    ),
    (
        "logging.config",
        "`logging.basicConfig` sets up the root logger, `addHandler` any other",
    ),
    (
        "multiprocessing.dummy",
        "`multiprocessing.pool.ThreadPool` is a pool of threads; `threading` has the rest",
    ),
    (
        "multiprocessing.shared_memory",
        "use `multiprocessing.Array`, or a manager's list",
    ),
    (
        "os.path",
        "a script cannot touch the files of the machine it runs on",
    ),
];

/// What can be said about a module that Mini leaves out.
pub(super) enum Instead {
    /// What to use in its place.
    Use(&'static str),
    /// It has nothing to do with what Mini is for.
    Nothing,
}

/// What to say about a module of the standard library, if it is one.
pub(super) fn instead(path: &str) -> Option<Instead> {
    if let Some((_, help)) = INNER.iter().find(|(inner, _)| *inner == path) {
        return Some(Instead::Use(help));
    }
    let first = path.split('.').next().unwrap_or_default();
    if OTHERS.contains(&first) {
        return Some(Instead::Nothing);
    }
    MODULES
        .iter()
        .find(|(names, _)| names.contains(&first))
        .map(|(_, help)| Instead::Use(help))
}
