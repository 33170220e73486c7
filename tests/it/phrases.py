"""What CPython's front end says of many texts, for `phrases.rs`.

Standard input is a JSON list of texts. Standard output is a JSON list with, for each, its `tree` in the words of `tree.py`,
or the `message` of the SyntaxError.
"""

import ast
import json
import sys
import warnings

from tree import dump


def verdict(text):
    try:
        compile(text, "phrase.mini", "exec")
    except SyntaxError as error:
        return {"message": error.msg}
    return {"tree": "\n".join(dump(statement) for statement in ast.parse(text).body)}


warnings.simplefilter("ignore")
json.dump([verdict(text) for text in json.load(sys.stdin)], sys.stdout)
