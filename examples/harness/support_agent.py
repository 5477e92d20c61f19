"""A support agent as people write them: a loop around the OpenAI client.

Nothing in it knows of training. The client finds the model by OPENAI_BASE_URL and OPENAI_API_KEY, which the
trainer sets; the customer it serves is the one of the run's own environment, who answers at
STATESET_GATEWAY_URL/user.

    stateset-agents train --harness "python examples/harness/support_agent.py"
"""

import json
import os
import urllib.request

from openai import OpenAI


def customer():
    """What the customer says next, and whether that was all."""
    url = os.environ["STATESET_GATEWAY_URL"] + "/user"
    headers = {"Authorization": "Bearer " + os.environ["STATESET_GATEWAY_KEY"]}
    request = urllib.request.Request(url, method="POST", headers=headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def main():
    client = OpenAI()
    messages = []
    turn = customer()
    while not turn["done"]:
        messages += turn["messages"]
        answer = client.chat.completions.create(model="policy", messages=messages)
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
        turn = customer()


if __name__ == "__main__":
    main()
