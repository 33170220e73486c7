//! Runs a JavaScript file with Boa. Scripts print with `print(…)`.

use boa_engine::{Context, JsResult, JsValue, NativeFunction, Source, js_string};
use std::path::Path;

fn main() {
    let path = std::env::args().nth(1).expect("usage: boa FILE");
    let mut context = Context::default();
    context
        .register_global_callable(js_string!("print"), 1, NativeFunction::from_fn_ptr(print))
        .expect("there is no `print` yet");
    let source = Source::from_filepath(Path::new(&path)).expect("the file can be read");
    if let Err(error) = context.eval(source) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn print(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut line = Vec::with_capacity(arguments.len());
    for argument in arguments {
        line.push(argument.to_string(context)?.to_std_string_escaped());
    }
    println!("{}", line.join(" "));
    Ok(JsValue::undefined())
}
