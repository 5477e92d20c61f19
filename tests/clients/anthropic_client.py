"""The `anthropic` package against a server: `python anthropic_client.py http://127.0.0.1:8000`.

The server has the models `tiny` (the embedded one) and `stub` (canned sentences).
"""

import asyncio
import sys

import anthropic

from flaky import Flaky

ADDRESS = sys.argv[1]
HELLO = [{"role": "user", "content": "Hello, where is my order?"}]
SAY = {
    "name": "say",
    "description": "Says it.",
    "input_schema": {
        "type": "object",
        "properties": {"word": {"enum": ["yes", "no"]}},
        "required": ["word"],
        "additionalProperties": False,
    },
}
client = anthropic.Anthropic(base_url=ADDRESS, api_key="sk-test", max_retries=0)


def chat():
    answer = client.messages.create(model="stub", max_tokens=20, messages=HELLO, system="Be kind.")
    assert answer.content[0].text == "One two three." and answer.stop_reason == "end_turn", answer
    count = client.messages.count_tokens(model="stub", messages=HELLO, system="Be kind.")
    assert count.input_tokens == answer.usage.input_tokens and not answer.usage.cache_read_input_tokens


def stream():
    asked = dict(model="tiny", max_tokens=20, messages=HELLO, extra_body={"seed": 8})
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert final.stop_reason == whole.stop_reason and final.usage.output_tokens == whole.usage.output_tokens


def stops():
    answer = client.messages.create(model="stub", max_tokens=20, messages=HELLO, stop_sequences=["two"])
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "two"), answer
    assert client.messages.create(model="stub", max_tokens=1, messages=HELLO).stop_reason == "max_tokens"


def tools():
    for choice in [{"type": "any"}, {"type": "tool", "name": "say"}]:
        choice["disable_parallel_tool_use"] = True
        asked = dict(
            model="tiny", max_tokens=200, messages=HELLO, tools=[SAY], tool_choice=choice,
            extra_body={"seed": 8},
        )
        whole = client.messages.create(**asked)
        assert whole.stop_reason == "tool_use", whole
        call = whole.content[-1]
        assert call.name == "say" and call.input["word"] in ("yes", "no")
        with client.messages.stream(**asked) as events:
            final = events.get_final_message()
        assert final.content[-1].input == call.input
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "said"}
        messages = HELLO + [
            {"role": "assistant", "content": [block.model_dump() for block in whole.content]},
            {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
        ]
        client.messages.create(model="tiny", max_tokens=4, messages=messages, tools=[SAY])


def errors():
    for kind, words, asked in [
        (anthropic.NotFoundError, "model", dict(model="other", max_tokens=4, messages=HELLO)),
        (anthropic.BadRequestError, "max_tokens", dict(model="stub", max_tokens=0, messages=HELLO)),
        (anthropic.BadRequestError, "messages", dict(model="stub", max_tokens=4, messages=[])),
    ]:
        try:
            client.messages.create(**asked)
        except kind as error:
            assert words in error.message, error
        else:
            raise AssertionError("%s was not refused" % words)


def retries():
    for status in (429, 503):
        with Flaky(ADDRESS, [status, status]) as proxy:
            again = anthropic.Anthropic(base_url=proxy.address, api_key="sk-test", max_retries=2)
            assert again.messages.create(model="stub", max_tokens=20, messages=HELLO).content
            assert proxy.n_requests == 3


async def cancellation():
    """Streams that are left do not keep their places: more than there are places, then one whole."""
    async with anthropic.AsyncAnthropic(base_url=ADDRESS, api_key="sk-test", max_retries=0) as many:

        async def leave():
            async with many.messages.stream(model="tiny", max_tokens=400, messages=HELLO) as events:
                async for _ in events:
                    break

        await asyncio.gather(*(leave() for _ in range(20)))
        assert await many.messages.create(model="tiny", max_tokens=4, messages=HELLO)


for check in [chat, stream, stops, errors, retries, tools]:
    check()
    print("passed", check.__name__)
asyncio.run(cancellation())
print("passed cancellation")
print("all passed")
