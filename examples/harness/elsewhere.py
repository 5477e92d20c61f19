"""Plays the samples of a training that a server carries, with a program on this machine.

Each sample that it takes starts the program once, as `train --harness` does on the server's own machine, with the
same variables. A program that fails is a failed sample.

    python examples/harness/elsewhere.py http://127.0.0.1:8000 TRAINING python my_agent.py

A server that knows keys wants a trainer's in STATESET_API_KEY.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PROGRAMS = 4  # at the same time


def post(url, key, body):
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = "Bearer " + key
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    while True:
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(int(error.headers["Retry-After"]))


def play(server, sample, command):
    base, key = server + sample["path"], sample["key"]
    variables = {
        "OPENAI_BASE_URL": base + "/v1",
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": base,
        "ANTHROPIC_API_KEY": key,
        "STATESET_GATEWAY_URL": base,
        "STATESET_GATEWAY_KEY": key,
        "STATESET_SERVER_URL": server,
        "STATESET_SAMPLE": sample["path"].removeprefix("/gateway/"),
        "STATESET_SCENARIO_ID": sample["scenario"]["id"],
        "STATESET_SCENARIO": json.dumps(sample["scenario"]),
    }
    status = subprocess.run(command, env=os.environ | variables).returncode
    try:
        post(base + "/end", key, {"error": f"it ended with {status}"} if status else {})
    except urllib.error.HTTPError as error:
        print(f"{base}: {error}, for its time was up", file=sys.stderr)


def work(server, training, command):
    key = os.environ.get("STATESET_API_KEY")
    while True:
        taken = post(f"{server}/gateway/{training}/samples", key, {"wait_secs": 20})
        for sample in taken["data"]:
            play(server, sample, command)
        if not taken["data"] and taken["status"] in ("completed", "failed", "cancelled"):
            return


def main():
    server, training, *command = sys.argv[1:]
    with ThreadPoolExecutor(PROGRAMS) as pool:
        workers = [pool.submit(work, server, training, command) for _ in range(PROGRAMS)]
    for worker in workers:
        worker.result()


if __name__ == "__main__":
    main()
