"""A program that calls every model at one address, as behind a proxy that a company has for all of them.

Its base address is the server's and not the sample's, so each call names its sample in a header. It asks once, and
judges itself: an answer earns the more the shorter it is.

    stateset-agents train --env examples/harness/questions.jsonl \
        --harness "python examples/harness/by_header.py"
"""

import json
import os

from openai import OpenAI


def main():
    client = OpenAI(
        base_url=os.environ["STATESET_SERVER_URL"] + "/v1",
        api_key=os.environ["STATESET_GATEWAY_KEY"],
        default_headers={"X-Stateset-Sample": os.environ["STATESET_SAMPLE"]},
    )
    scenario = json.loads(os.environ["STATESET_SCENARIO"])
    messages = [{"role": "user", "content": scenario["user_responses"][0]}]
    answer = client.chat.completions.create(model="policy", messages=messages)
    words = len(answer.choices[0].message.content.split())
    print(json.dumps({"reward": 1 / (1 + words)}))


if __name__ == "__main__":
    main()
