"""Spans as OpenTelemetry's own messages write them, the reference of `crates/connect/src/traces/wire.rs`.

opentelemetry-proto 1.45.2 with protobuf 7.36.2, in a venv of its own.
Run: python tests/golden/otlp.py
"""

import importlib.metadata
import json
import pathlib

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

assert importlib.metadata.version("opentelemetry-proto") == "1.45.2"
TRACE = b"0123456789abcdef"


def attribute(owner, key, **value):
    entry = owner.attributes.add(key=key)
    if "texts" in value:
        for text in value["texts"]:
            entry.value.array_value.values.add(string_value=text)
    else:
        for field, content in value.items():
            setattr(entry.value, field, content)


request = ExportTraceServiceRequest()
ours = request.resource_spans.add()
attribute(ours.resource, "service.name", string_value="a service")
attribute(ours.resource, "service.version", string_value="1.2.3")
scope = ours.scope_spans.add()
scope.scope.name, scope.scope.version = "stateset-agents", "1.2.3"

span = scope.spans.add(
    trace_id=TRACE,
    span_id=b"AAAAAAAA",
    parent_span_id=b"PPPPPPPP",
    name="POST /v1/chat/completions",
    kind=Span.SPAN_KIND_SERVER,
    start_time_unix_nano=1_700_000_000_000_000_000,
    end_time_unix_nano=1_700_000_000_250_000_001,
)
attribute(span, "http.request.method", string_value="POST")
attribute(span, "http.response.status_code", int_value=500)
span.status.message, span.status.code = "500", Status.STATUS_CODE_ERROR

for parent in [b"AAAAAAAA", b""]:
    span = scope.spans.add(
        trace_id=TRACE,
        span_id=b"BBBBBBBB",
        parent_span_id=parent,
        name="chat tiny – ü",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=1,
        end_time_unix_nano=2**64 - 1,
    )
    if parent:
        attribute(span, "gen_ai.usage.output_tokens", int_value=0)
        attribute(span, "stateset.time_to_first_token_seconds", double_value=0.125)
        attribute(span, "stateset.is_abandoned", bool_value=False)
        attribute(span, "gen_ai.response.finish_reasons", texts=["stop", ""])

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"request": request.SerializeToString().hex()}) + "\n")
