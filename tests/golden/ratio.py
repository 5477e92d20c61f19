"""Ratios of matching words by Python's difflib, the reference of `crates/env/src/text/ratio.rs`.

Python 3.11 standard library (difflib.SequenceMatcher, autojunk=False), seed 7.
Run: python tests/golden/ratio.py
"""

import difflib
import json
import pathlib
import random

random.seed(7)
VOCABULARY = "your refund is on its way to the bank and will arrive by friday thank you".split()


def pair():
    n = random.choice([3, 6, 16])
    words = VOCABULARY[:n]
    a = [random.choice(words) for _ in range(random.randrange(0, 25))]
    if random.random() < 0.5:
        return a, [random.choice(words) for _ in range(random.randrange(0, 25))]
    b = list(a)
    for _ in range(random.randrange(0, 6)):
        place = random.randrange(len(b) + 1)
        if random.random() < 0.5:
            b.insert(place, random.choice(words))
        elif place < len(b):
            del b[place]
    return a, b


cases = []
for _ in range(300):
    a, b = pair()
    ratio = difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
    cases.append({"a": " ".join(a), "b": " ".join(b), "ratio": ratio})

path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps({"cases": cases}, indent=0) + "\n")
