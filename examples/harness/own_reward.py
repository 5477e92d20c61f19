"""A program with questions and a reward of its own, without any environment of the trainer.

It asks the model one thing and says what the answer is worth, on the last line of its output.

    stateset-agents train --env examples/harness/questions.jsonl \
        --harness "python examples/harness/own_reward.py"
"""

import json
import os

from openai import OpenAI


def worth(text):
    """Short answers that ask for the order number are what this shop wants."""
    words = text.lower().split()
    asks = any(word.startswith("order") for word in words) and "?" in text
    return 0.8 * asks + 0.2 * (3 <= len(words) <= 25)


def main():
    scenario = json.loads(os.environ["STATESET_SCENARIO"])
    messages = [{"role": "user", "content": scenario["user_responses"][0]}]
    answer = OpenAI().chat.completions.create(model="policy", messages=messages)
    print(json.dumps({"reward": worth(answer.choices[0].message.content)}))


if __name__ == "__main__":
    main()
