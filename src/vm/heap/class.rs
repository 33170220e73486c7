//! Classes: their names, bases and attributes, and the builtin ones with fixed places.

use crate::vm::heap::value::{Ref, Value};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// An interned attribute name of a VM (`Vm::names`). The well-known ones have fixed numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Name(pub u32);

macro_rules! well_known {
    ($($constant:ident $text:literal)*) => {
        #[expect(clippy::upper_case_acronyms, non_camel_case_types, reason = "an index list, one variant for each constant")]
        enum WellKnown { $($constant),* }
        /// Names that the VM itself looks up.
        pub mod name {
            use super::{Name, WellKnown};
            $(#[doc = concat!("`", $text, "`")] pub const $constant: Name = Name(WellKnown::$constant as u32);)*
        }
        /// The texts of the well-known names, in order.
        pub const WELL_KNOWN: &[&str] = &[$($text),*];
    };
}
well_known! {
    INIT "__init__" NEW "__new__" CALL "__call__" REPR "__repr__" STR "__str__" FORMAT "__format__" HASH "__hash__" BOOL "__bool__" LEN "__len__"
    EQ "__eq__" NE "__ne__" LT "__lt__" LE "__le__" GT "__gt__" GE "__ge__"
    ADD "__add__" SUB "__sub__" MUL "__mul__" TRUEDIV "__truediv__" FLOORDIV "__floordiv__" MOD "__mod__" POW "__pow__"
    AND "__and__" OR "__or__" XOR "__xor__" LSHIFT "__lshift__" RSHIFT "__rshift__"
    RADD "__radd__" RSUB "__rsub__" RMUL "__rmul__" RTRUEDIV "__rtruediv__" RFLOORDIV "__rfloordiv__" RMOD "__rmod__" RPOW "__rpow__"
    RAND "__rand__" ROR "__ror__" RXOR "__rxor__" RLSHIFT "__rlshift__" RRSHIFT "__rrshift__"
    IADD "__iadd__" ISUB "__isub__" IMUL "__imul__" ITRUEDIV "__itruediv__" IFLOORDIV "__ifloordiv__" IMOD "__imod__" IPOW "__ipow__"
    IAND "__iand__" IOR "__ior__" IXOR "__ixor__" ILSHIFT "__ilshift__" IRSHIFT "__irshift__"
    NEG "__neg__" POS "__pos__" INVERT "__invert__" ABS "__abs__" ROUND "__round__" DIVMOD "__divmod__" RDIVMOD "__rdivmod__"
    INT "__int__" FLOAT "__float__" INDEX "__index__" TRUNC "__trunc__" FLOOR "__floor__" CEIL "__ceil__"
    GETITEM "__getitem__" SETITEM "__setitem__" DELITEM "__delitem__" CONTAINS "__contains__" MISSING "__missing__" REVERSED "__reversed__"
    ITER "__iter__" NEXT "__next__" ENTER "__enter__" EXIT "__exit__"
    GETATTR "__getattr__" SETATTR "__setattr__" DELATTR "__delattr__"
    NAME "__name__" QUALNAME "__qualname__" MODULE "__module__" DOC "__doc__" DICT "__dict__" CLASS "__class__" BASES "__bases__" BASE "__base__" MRO "__mro__"
    ARGS "args" CAUSE "__cause__" CONTEXT "__context__" SUPPRESS_CONTEXT "__suppress_context__" TRACEBACK "__traceback__" NOTES "__notes__"
    VALUE "value" CODE "code" FILE "__file__" WRAPPED "__wrapped__" FUNC "__func__" SELF "__self__" DEFAULTS "__defaults__" BYTES "__bytes__"
    KWDEFAULTS "__kwdefaults__" LENGTH_HINT "__length_hint__"
    SEND "send" THROW "throw" CLOSE "close" EXCEPTION_NAME "name" OBJ "obj" KEYS "keys" CLASS_GETITEM "__class_getitem__"
    STANDS_FOR "__stands_for__" PLAIN "_plain" REDUCE "__reduce__" GETSTATE "__getstate__" SETSTATE "__setstate__"
    ERRNO "errno" STRERROR "strerror" FILENAME "filename" FILENAME2 "filename2" MSG "msg"
    ENCODING "encoding" OBJECT "object" START "start" END "end" REASON "reason"
    RING "_ring" ENTRIES "_dict" DEFAULT_FACTORY "default_factory" STATE "_state" LEFT "_left"
}

/// A class.
#[derive(Clone, Debug, Default)]
pub struct Class {
    pub name: Arc<str>,
    pub qualname: Arc<str>,
    pub module: Arc<str>,
    pub base: Option<Ref<Class>>,
    /// This class and its bases, nearest first.
    pub mro: Vec<Ref<Class>>,
    /// Its own attributes, in order of definition.
    pub attributes: Vec<(Name, Value)>,
    /// Where each is in `attributes`.
    pub index: FxHashMap<Name, u32>,
    /// The builtin type it is, if it is one.
    pub builtin: Option<Type>,
    /// Is it `BaseException` or derived from it?
    pub exception: bool,
    /// Does it (or a base) make its instances itself, in `__new__`? Only classes of the library
    /// may.
    pub makes: bool,
    /// The shape of an instance without attributes.
    pub root_shape: u32,
    /// How many attributes the last instance to be set up had, as a guess for the next.
    pub usual_slots: u16,
    /// How a call of it makes its instances at once, if it is a dataclass for which that holds.
    pub record: Option<Box<Record>>,
}

/// An `__init__` that does nothing but fill fields with its arguments.
#[derive(Clone, Debug)]
pub struct Record {
    /// That `__init__`.
    pub init: Value,
    /// The shape of an instance with all fields.
    pub shape: u32,
    /// In order of their slots, which is that of the arguments.
    pub fields: Vec<Name>,
    /// Of the last fields.
    pub defaults: Vec<Value>,
    /// Does it fill them whatever the class's `__setattr__` is?
    pub frozen: bool,
}

impl Class {
    /// Its own attribute, bases not asked.
    #[must_use]
    pub fn own(&self, name: Name) -> Option<Value> {
        self.index
            .get(&name)
            .map(|&at| self.attributes[at as usize].1)
    }
}

macro_rules! types {
    ($($variant:ident $text:literal : $base:ident)*) => {
        /// The builtin types. Each is the class in the slot of its number.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Type { $($variant),* }

        impl Type {
            /// All, in order of their slots.
            pub const ALL: &'static [Type] = &[$(Type::$variant),*];
            /// The name in the language.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Type::$variant => $text),* } }
            /// The type it derives from; `object` from itself.
            #[must_use]
            pub const fn base(self) -> Type { match self { $(Type::$variant => Type::$base),* } }
            /// Its class.
            #[must_use]
            pub const fn class(self) -> Ref<Class> { Ref::new(self as u32) }
            /// The class as a value.
            #[must_use]
            pub const fn value(self) -> Value { Value::Class(self.class()) }
        }
    };
}
types! {
    Object "object": Object
    Type "type": Object
    NoneType "NoneType": Object
    NotImplementedType "NotImplementedType": Object
    EllipsisType "ellipsis": Object
    Int "int": Object
    Bool "bool": Int
    Float "float": Object
    Str "str": Object
    Bytes "bytes": Object
    Tuple "tuple": Object
    List "list": Object
    Dict "dict": Object
    Set "set": Object
    FrozenSet "frozenset": Object
    Range "range": Object
    Slice "slice": Object
    Function "function": Object
    BuiltinFunction "builtin_function_or_method": Object
    MethodType "method": Object
    Generator "generator": Object
    Module "module": Object
    Property "property": Object
    GetSetDescriptor "getset_descriptor": Object
    StaticMethod "staticmethod": Object
    ClassMethod "classmethod": Object
    Super "super": Object
    Cell "cell": Object
    Traceback "traceback": Object
    ListIterator "list_iterator": Object
    TupleIterator "tuple_iterator": Object
    StrIterator "str_iterator": Object
    StrAsciiIterator "str_ascii_iterator": Object
    BytesIterator "bytes_iterator": Object
    RangeIterator "range_iterator": Object
    DictKeyIterator "dict_keyiterator": Object
    DictValueIterator "dict_valueiterator": Object
    DictItemIterator "dict_itemiterator": Object
    DictReverseKeyIterator "dict_reversekeyiterator": Object
    DictReverseValueIterator "dict_reversevalueiterator": Object
    DictReverseItemIterator "dict_reverseitemiterator": Object
    SetIterator "set_iterator": Object
    ReversedIterator "list_reverseiterator": Object
    CallableIterator "callable_iterator": Object
    SequenceIterator "iterator": Object
    Enumerate "enumerate": Object
    Zip "zip": Object
    Map "map": Object
    Filter "filter": Object
    Reversed "reversed": Object
    DictKeys "dict_keys": Object
    DictValues "dict_values": Object
    DictItems "dict_items": Object
    Namespace "SimpleNamespace": Object
    Lock "_thread.lock": Object
    RLock "_thread.RLock": Object
    Condition "Condition": Object
    Semaphore "_Semaphore": Object
    Event "_Event": Object
    ThreadHandle "thread": Object
    ProcessHandle "process": Object
    Channel "channel": Object
    Ring "_Ring": Object
    PicklingError "_pickle.PicklingError": Exception
    BaseException "BaseException": Object
    SystemExit "SystemExit": BaseException
    KeyboardInterrupt "KeyboardInterrupt": BaseException
    GeneratorExit "GeneratorExit": BaseException
    Exception "Exception": BaseException
    StopIteration "StopIteration": Exception
    StopAsyncIteration "StopAsyncIteration": Exception
    ArithmeticError "ArithmeticError": Exception
    FloatingPointError "FloatingPointError": ArithmeticError
    OverflowError "OverflowError": ArithmeticError
    ZeroDivisionError "ZeroDivisionError": ArithmeticError
    AssertionError "AssertionError": Exception
    AttributeError "AttributeError": Exception
    BufferError "BufferError": Exception
    EOFError "EOFError": Exception
    ImportError "ImportError": Exception
    ModuleNotFoundError "ModuleNotFoundError": ImportError
    LookupError "LookupError": Exception
    IndexError "IndexError": LookupError
    KeyError "KeyError": LookupError
    MemoryError "MemoryError": Exception
    NameError "NameError": Exception
    UnboundLocalError "UnboundLocalError": NameError
    OSError "OSError": Exception
    BlockingIOError "BlockingIOError": OSError
    ChildProcessError "ChildProcessError": OSError
    ConnectionError "ConnectionError": OSError
    BrokenPipeError "BrokenPipeError": ConnectionError
    ConnectionAbortedError "ConnectionAbortedError": ConnectionError
    ConnectionRefusedError "ConnectionRefusedError": ConnectionError
    ConnectionResetError "ConnectionResetError": ConnectionError
    FileExistsError "FileExistsError": OSError
    FileNotFoundError "FileNotFoundError": OSError
    InterruptedError "InterruptedError": OSError
    IsADirectoryError "IsADirectoryError": OSError
    NotADirectoryError "NotADirectoryError": OSError
    PermissionError "PermissionError": OSError
    ProcessLookupError "ProcessLookupError": OSError
    TimeoutError "TimeoutError": OSError
    ReferenceError "ReferenceError": Exception
    RuntimeError "RuntimeError": Exception
    NotImplementedError "NotImplementedError": RuntimeError
    RecursionError "RecursionError": RuntimeError
    SyntaxError "SyntaxError": Exception
    IndentationError "IndentationError": SyntaxError
    TabError "TabError": IndentationError
    SystemError "SystemError": Exception
    TypeError "TypeError": Exception
    ValueError "ValueError": Exception
    UnicodeError "UnicodeError": ValueError
    UnicodeDecodeError "UnicodeDecodeError": UnicodeError
    UnicodeEncodeError "UnicodeEncodeError": UnicodeError
    UnicodeTranslateError "UnicodeTranslateError": UnicodeError
    Warning "Warning": Exception
    UserWarning "UserWarning": Warning
    DeprecationWarning "DeprecationWarning": Warning
    PendingDeprecationWarning "PendingDeprecationWarning": Warning
    SyntaxWarning "SyntaxWarning": Warning
    RuntimeWarning "RuntimeWarning": Warning
    FutureWarning "FutureWarning": Warning
    ImportWarning "ImportWarning": Warning
    UnicodeWarning "UnicodeWarning": Warning
    BytesWarning "BytesWarning": Warning
    ResourceWarning "ResourceWarning": Warning
    EncodingWarning "EncodingWarning": Warning
}
