"""The `openai` package against a server: `python openai_client.py http://127.0.0.1:8000`.

The server has the models `tiny` (the embedded one) and `stub` (canned sentences).
"""

import asyncio
import json
import sys
from typing import Literal

import openai
from pydantic import BaseModel

from flaky import Flaky

ADDRESS = sys.argv[1]
HELLO = [{"role": "user", "content": "Hello, where is my order?"}]
SAY = {
    "type": "object",
    "properties": {"word": {"enum": ["yes", "no"]}},
    "required": ["word"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "say", "description": "Says it.", "parameters": SAY, "strict": True}}
client = openai.OpenAI(base_url=ADDRESS + "/v1", api_key="sk-test", max_retries=0)


class Mood(BaseModel):
    mood: Literal["good", "bad"]
    is_sure: bool


def models():
    assert {model.id for model in client.models.list()} >= {"tiny", "stub"}
    assert client.models.retrieve("tiny").object == "model"


def chat():
    answer = client.chat.completions.create(model="stub", messages=HELLO)
    assert answer.choices[0].message.content == "One two three.", answer
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def stream():
    asked = dict(model="tiny", messages=HELLO, seed=11, max_tokens=20, n=2, logprobs=True, top_logprobs=2)
    whole = client.chat.completions.create(**asked)
    texts, logprobs, usage = ["", ""], [[], []], None
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(**asked, stream=True, stream_options=options):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            if choice.logprobs:
                logprobs[choice.index] += choice.logprobs.content
    for choice in whole.choices:
        assert choice.message.content == texts[choice.index], (choice, texts)
        assert choice.logprobs.content == logprobs[choice.index]
        assert len(choice.logprobs.content[0].top_logprobs) == 2
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"]:
        assert getattr(usage, name) == getattr(whole.usage, name), (usage, whole.usage)
    # The second time the prompt was read before.
    assert usage.prompt_tokens_details.cached_tokens > 0, usage
    assert whole.choices[0].message.content != whole.choices[1].message.content


def helper_stream():
    """The client's own accumulator says what the whole answer says."""
    asked = dict(model="tiny", messages=HELLO, seed=12, max_tokens=20)
    whole = client.chat.completions.create(**asked).choices[0]
    with client.chat.completions.stream(**asked) as events:
        for _ in events:
            pass
        final = events.get_final_completion().choices[0]
    assert final.message.content == whole.message.content
    assert final.finish_reason == whole.finish_reason


def tools():
    for choice in ["required", {"type": "function", "function": {"name": "say"}}]:
        asked = dict(
            model="tiny", messages=HELLO, tools=[TOOL], tool_choice=choice, seed=3, max_tokens=200,
            parallel_tool_calls=False,
        )
        whole = client.chat.completions.create(**asked).choices[0]
        assert whole.finish_reason == "tool_calls", whole
        (call,) = whole.message.tool_calls
        assert call.function.name == "say"
        assert json.loads(call.function.arguments)["word"] in ("yes", "no")
        with client.chat.completions.stream(**asked) as events:
            final = events.get_final_completion().choices[0]
        assert final.message.tool_calls[0].function.arguments == call.function.arguments
        messages = HELLO + [
            whole.message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": "said"},
        ]
        client.chat.completions.create(model="tiny", messages=messages, tools=[TOOL], max_tokens=4)


def structured():
    for seed in range(3):
        answer = client.chat.completions.parse(
            model="tiny", messages=HELLO, response_format=Mood, seed=seed, max_tokens=200
        )
        assert isinstance(answer.choices[0].message.parsed, Mood), answer
    answer = client.responses.parse(model="tiny", input="Hello", text_format=Mood, max_output_tokens=200)
    assert isinstance(answer.output_parsed, Mood), answer


def completions():
    asked = dict(model="tiny", prompt=["Hello", "Good day"], seed=5, max_tokens=8, logprobs=1)
    whole = client.completions.create(**asked)
    texts = ["", ""]
    for chunk in client.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert [choice.text for choice in whole.choices] == texts
    assert len(whole.choices[0].logprobs.tokens) == len(whole.choices[0].logprobs.token_logprobs)


def responses():
    answer = client.responses.create(model="stub", input="Hello")
    assert answer.output_text == "One two three." and answer.status == "completed"
    with client.responses.stream(model="stub", input="Hello") as events:
        kinds = [event.type for event in events]
        final = events.get_final_response()
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
    assert final.output_text == answer.output_text
    answer = client.responses.create(
        model="tiny", input="Hello", tool_choice="required", max_output_tokens=200,
        tools=[{"type": "function", "name": "say", "parameters": SAY, "strict": True}],
    )
    assert answer.output[-1].type == "function_call" and answer.output[-1].name == "say"


def embeddings():
    # The client asks for base 64 by itself.
    vectors = client.embeddings.create(model="tiny", input=["Hello", "Good day"]).data
    assert abs(sum(x * x for x in vectors[0].embedding) - 1) < 1e-4
    assert len(client.embeddings.create(model="tiny", input="a", dimensions=8).data[0].embedding) == 8


def extensions():
    answer = client.chat.completions.create(
        model="tiny", messages=HELLO, max_tokens=5,
        extra_body={"return_token_ids": True, "top_k": 40, "min_p": 0.01},
    )
    assert len(answer.choices[0].token_ids) == answer.usage.completion_tokens
    assert len(answer.prompt_token_ids) == answer.usage.prompt_tokens


def errors():
    for kind, param, asked in [
        (openai.NotFoundError, "model", dict(model="other", messages=HELLO)),
        (openai.BadRequestError, "temperature", dict(model="stub", messages=HELLO, temperature=9)),
        (openai.BadRequestError, "messages", dict(model="stub", messages=[])),
        (openai.BadRequestError, "messages", dict(
            model="tiny", messages=[{"role": "user", "content": "word " * 20000}])),
    ]:
        for is_streamed in (False, True):
            try:
                client.chat.completions.create(**asked, stream=is_streamed)
            except kind as error:
                assert error.param == param and error.code, error
            else:
                raise AssertionError("%s was not refused" % param)


def retries():
    asked = dict(model="stub", messages=HELLO)
    for status in (429, 503):
        with Flaky(ADDRESS, [status, status]) as proxy:
            again = openai.OpenAI(base_url=proxy.address + "/v1", api_key="sk-test", max_retries=2)
            assert again.chat.completions.create(**asked).choices
            assert proxy.n_requests == 3
    with Flaky(ADDRESS, [429]) as proxy:
        once = openai.OpenAI(base_url=proxy.address + "/v1", api_key="sk-test", max_retries=0)
        try:
            once.chat.completions.create(**asked)
        except openai.RateLimitError:
            pass
        else:
            raise AssertionError("a refusal was not raised")


async def cancellation():
    """Streams that are left do not keep their places: more than there are places, then one whole."""
    asked = dict(model="tiny", messages=HELLO, max_tokens=400, logit_bias={"0": -1})
    async with openai.AsyncOpenAI(base_url=ADDRESS + "/v1", api_key="sk-test", max_retries=0) as many:

        async def leave():
            stream = await many.chat.completions.create(**asked, stream=True)
            async for _ in stream:
                break
            await stream.close()

        await asyncio.gather(*(leave() for _ in range(20)))
        task = asyncio.create_task(many.chat.completions.create(**asked))
        await asyncio.sleep(0.05)
        task.cancel()
        answer = await many.chat.completions.create(model="tiny", messages=HELLO, max_tokens=4)
        assert answer.choices


for check in [
    models, chat, stream, helper_stream, completions, responses, extensions, errors, retries,
    tools, structured, embeddings,
]:
    check()
    print("passed", check.__name__)
asyncio.run(cancellation())
print("passed cancellation")
print("all passed")
