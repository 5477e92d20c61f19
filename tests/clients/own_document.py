"""The server's own OpenAPI document, and whether the server keeps to it:
`python own_document.py http://127.0.0.1:8000 KEY`.

`openapi-spec-validator` compares the document with OpenAPI 3.1's own description. Then `schemathesis` sends what
the document allows and what it does not, and holds every answer against the document; schemathesis.toml says what
is checked. The seed is fixed. STATESET_FUZZ_EXAMPLES asks for more requests of each operation than a build has
time for, STATESET_FUZZ_SEED for others.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.cli import schemathesis

ADDRESS, KEY = sys.argv[1:3]
EXAMPLES = os.environ.get("STATESET_FUZZ_EXAMPLES", "3")
SEED = os.environ.get("STATESET_FUZZ_SEED", "7")

with urllib.request.urlopen(ADDRESS + "/openapi.json") as answer:
    assert answer.headers["content-type"] == "application/json"
    document = json.load(answer)
assert document["openapi"].startswith("3.1."), document["openapi"]
problems = list(OpenAPIV31SpecValidator(document).iter_errors())
assert not problems, problems

os.chdir(Path(__file__).parent)
arguments = ["--config-file", "schemathesis.toml", "--no-color", "run", ADDRESS + "/openapi.json"]
arguments += ["--header", f"Authorization: Bearer {KEY}", "--seed", SEED, "--max-examples", EXAMPLES]
try:
    schemathesis.main(arguments, prog_name="schemathesis")
except SystemExit as end:
    if end.code:
        raise
print("all passed")
