"""What the peer scripts share: arguments, timing after a warm-up, peak memory, and the one JSON line on stdout.

Time is taken inside the process around the measured part only, so that starting Python is not held against a peer.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import statistics
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch  # noqa: E402  (the variables above must be set first)


def parser(description):
    """An argument parser with the arguments that every measured peer takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--threads", type=int, default=2, help="threads of torch; set OMP_NUM_THREADS to the same")
    made.add_argument("--repeats", type=int, default=5, help="measured repetitions")
    made.add_argument("--warmups", type=int, default=2, help="repetitions before measuring")
    return made


def start(arguments):
    """Applies the thread count. Warns when the threads are free to share a core, which can cost a hundredfold."""
    torch.set_num_threads(arguments.threads)
    if os.environ.get("OMP_PROC_BIND") != "true":
        print("warning: OMP_PROC_BIND is not true; tiny operations may wait for each other", file=sys.stderr)


def seconds_each(action, repeats, warmups):
    """Seconds of each repetition after the warm-ups."""
    for _ in range(warmups):
        action()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return times


def median(times):
    return round(statistics.median(times), 6)


def peak_rss_bytes():
    """Most memory this process ever held, as Linux counts it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def rss_bytes():
    """Memory this process holds now."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def token_ids(n_rows, n_columns, vocab_size):
    """Ids that any language can make again: the top bits of i * 2654435761 mod 2^32, scaled to the vocabulary."""
    flat = [((i * 2654435761) % 2**32) * vocab_size >> 32 for i in range(n_rows * n_columns)]
    return torch.tensor(flat).view(n_rows, n_columns)


def emit(peer, arguments, **results):
    """Prints the result line: who, with which arguments, on what, and what was measured."""
    line = {
        "peer": peer,
        "arguments": {key: str(v) if isinstance(v, pathlib.Path) else v for key, v in vars(arguments).items()},
        "python": platform.python_version(),
        "torch": torch.__version__,
        "omp": {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "OMP_PROC_BIND")},
        **results,
        "peak_rss_bytes": peak_rss_bytes(),
    }
    print(json.dumps(line), flush=True)
