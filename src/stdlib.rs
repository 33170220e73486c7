//! The standard modules written in Mini: a table from a module's name to its text, which travels
//! inside the program. Knows neither the compiler that reads the texts nor the VM that runs them.
//! What the texts may use that a script may not: natives, whose names begin with an underscore.

#[rustfmt::skip]
mod frozen;

pub use frozen::BUILTINS;

macro_rules! modules {
    ($($name:literal $file:literal)*) => {
        const MODULES: &[(&str, &str)] = &[$(($name, include_str!(concat!("stdlib/", $file)))),*];
    };
}

// In order of name. Names that begin with an underscore are for the other modules, not for scripts.
modules! {
    "_builtins" "builtins.mini"
    "_fork" "fork.mini"
    "_process" "process.mini"
    "_queue" "queue_simple.mini"
    "collections" "collections.mini"
    "concurrent" "concurrent.mini"
    "concurrent.futures" "concurrent_futures.mini"
    "concurrent.futures._base" "concurrent_futures_base.mini"
    "concurrent.futures.process" "concurrent_futures_process.mini"
    "concurrent.futures.thread" "concurrent_futures_thread.mini"
    "contextlib" "contextlib.mini"
    "dataclasses" "dataclasses.mini"
    "functools" "functools.mini"
    "io" "io.mini"
    "itertools" "itertools.mini"
    "logging" "logging.mini"
    "math" "math.mini"
    "multiprocessing" "multiprocessing.mini"
    "multiprocessing.connection" "multiprocessing_connection.mini"
    "multiprocessing.context" "multiprocessing_context.mini"
    "multiprocessing.managers" "multiprocessing_managers.mini"
    "multiprocessing.pool" "multiprocessing_pool.mini"
    "multiprocessing.queues" "multiprocessing_queues.mini"
    "multiprocessing.sharedctypes" "multiprocessing_sharedctypes.mini"
    "multiprocessing.synchronize" "multiprocessing_synchronize.mini"
    "os" "os.mini"
    "pprint" "pprint.mini"
    "queue" "queue.mini"
    "random" "random.mini"
    "sys" "sys.mini"
    "threading" "threading.mini"
    "time" "time.mini"
    "typing" "typing.mini"
}

/// The text of a module that `import` can name.
#[must_use]
pub fn embedded(name: &str) -> Option<&'static str> {
    MODULES
        .binary_search_by_key(&name, |(module, _)| module)
        .ok()
        .map(|at| MODULES[at].1)
}

/// The names of all modules that a script may import, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES
        .iter()
        .map(|&(name, _)| name)
        .filter(|name| !name.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::{MODULES, embedded};

    #[test]
    fn the_table_is_sorted_so_that_every_module_is_found() {
        assert!(MODULES.is_sorted_by_key(|(name, _)| *name));
        assert!(
            MODULES
                .iter()
                .all(|(name, text)| embedded(name) == Some(*text))
        );
        assert_eq!(embedded("socket"), None);
    }
}
