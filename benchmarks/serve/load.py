#!/usr/bin/env python3
"""Load on a server: requests a second and their times, tokens a second, and memory.

    python3 benchmarks/serve/load.py stub    --server target/release/stateset-agents
    python3 benchmarks/serve/load.py tokens  --server target/release/stateset-agents \\
        --own-rate target/release/examples/batch_rate
    python3 benchmarks/serve/load.py memory  --server target/release/stateset-agents
    python3 benchmarks/serve/load.py tokens  --url http://127.0.0.1:8080 --model NAME     # a peer that runs

All of them need wrk (Debian: apt-get install wrk), and nothing else but Python 3.9. A peer is any server that speaks the OpenAI API, such as `llama-server -m MODEL.gguf -np 16` or `transformers serve`.
One line of JSON goes to stdout, everything else to stderr. Run it on an idle machine: wrk, the server and
its engine share the processors, and other load shows in p99 first. What does not depend on other load is the
processor time of the server, which is given for each request and each token.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

SECONDS_OF = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["stub", "tokens", "memory"])
    parser.add_argument("--server", help="the program stateset-agents, which is started and stopped")
    parser.add_argument("--url", help="a server that runs already, instead")
    parser.add_argument("--model", help="what the running server calls its model")
    parser.add_argument("--own-rate", help="the program batch_rate, whose tokens a second are compared")
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--method", default="POST", choices=["GET", "POST"])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--requests", type=int, default=100_000)
    args = parser.parse_args()
    if not args.server and not args.url:
        parser.error("give --server or --url")
    model = "builtin:tiny" if args.work == "tokens" else "stub:"
    with Server(args.server, args.url, model) as server:
        result = {"stub": stub, "tokens": tokens, "memory": memory}[args.work](args, server)
    print(json.dumps({"work": args.work, **result}))


class Server:
    """A server that is started here, or one that runs already."""

    def __init__(self, program, url, model):
        self.program, self.url, self.model, self.process = program, url, model, None

    def __enter__(self):
        if self.url:
            return self
        command = [self.program, "serve", "--model", self.model, "--port", "0"]
        begun = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                self.url = found.group(1)
                break
            print(line, end="", file=sys.stderr)
        if not self.url:
            sys.exit("the server did not start")
        get(self.url, "/live")
        self.start_seconds = time.monotonic() - begun
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait(60)

    def cpu_seconds(self):
        """Processor time so far; nothing for a server that was not started here."""
        if not self.process:
            return float("nan")
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return None


def get(url, path):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def body(model, max_tokens):
    asked = {"messages": [{"role": "user", "content": "Tell me about your shop."}], "max_tokens": max_tokens}
    if model:
        asked["model"] = model
    return asked


# Each request has a seed of its own; tokens are counted as the server says how many it drew.
COUNTS_TOKENS = """
local threads, n_asked, tokens = {}, 0, 0
function setup(thread) thread:set("number", #threads); table.insert(threads, thread) end
function init() drawn = 0 end
function request()
   n_asked = n_asked + 1
   return wrk.format(nil, nil, nil, (wrk.body:gsub('"SEED"', tostring(number * 1000000 + n_asked))))
end
function response(status, headers, body)
   drawn = drawn + tonumber(body:match('"completion_tokens": *(%d+)') or 0)
end
function done()
   for _, thread in ipairs(threads) do tokens = tokens + thread:get("drawn") end
   print("tokens drawn: " .. tokens)
end
"""


def wrk(server, args, seconds, connections, asked, script_end=""):
    """Runs wrk; requests a second, the times of the slowest hundredth, how many failed, and what else it said."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if args.method == "POST":
            script.write(f"wrk.method = 'POST'\nwrk.body = [[{json.dumps(asked)}]]\n")
            script.write("wrk.headers['Content-Type'] = 'application/json'\n")
        script.write(script_end)
        script.flush()
        command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "600s", "--latency", "-s", script.name]
        said = subprocess.run([*command, server.url + args.path], capture_output=True, text=True, check=True).stdout
    print(said, file=sys.stderr)
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", said).groups()
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return said, {
        "requests_per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)),
        "p99_ms": round(float(number) * SECONDS_OF[unit] * 1e3, 3),
        "requests": int(re.search(r"(\d+) requests in", said).group(1)),
        "failed": int(failed.group(1)) if failed else 0,
    }


def many(server, args, seconds):
    """Requests that cost the model nothing."""
    return wrk(server, args, seconds, args.connections, body("stub:", 16))[1]


def stub(args, server):
    many(server, args, 2)
    before = server.cpu_seconds()
    result = many(server, args, args.seconds)
    result["cpu_us_per_request"] = round((server.cpu_seconds() - before) / result["requests"] * 1e6, 1)
    return {"path": args.path, "start_seconds": round(getattr(server, "start_seconds", 0), 3), **result}


def memory(args, server):
    many(server, args, 2)
    seen, n = [server.resident_mib()], 0
    while n < args.requests:
        n += many(server, args, 2)["requests"]
        seen.append(server.resident_mib())
    return {"requests": n, "resident_mib": [round(mib, 1) for mib in seen]}


def tokens(args, server):
    asked = {**body(args.model or server.model, args.tokens), "seed": "SEED"}
    wrk(server, args, 2, args.clients, asked, COUNTS_TOKENS)
    before = server.cpu_seconds()
    said, answers = wrk(server, args, args.seconds, args.clients, asked, COUNTS_TOKENS)
    if answers["failed"]:
        sys.exit(f"{answers['failed']} requests failed")
    drawn = int(re.search(r"tokens drawn: (\d+)", said).group(1))
    rate = drawn / args.seconds
    result = {"clients": args.clients, "answers": answers["requests"], "tokens_per_second": round(rate, 1)}
    result["cpu_us_per_token"] = round((server.cpu_seconds() - before) / drawn * 1e6, 1)
    if args.own_rate:
        command = [args.own_rate, str(args.clients), str(args.tokens)]
        own = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        result["own_tokens_per_second"] = own["tokens_per_second"]
        result["own_cpu_us_per_token"] = own["cpu_us_per_token"]
        result["share_of_own"] = round(rate / own["tokens_per_second"], 3)
    return result


if __name__ == "__main__":
    main()
