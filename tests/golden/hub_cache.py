"""Golden cache folder: what huggingface_hub leaves on disk after it has downloaded a small model.

Versions: huggingface_hub 2.4.0. No randomness.
Command: python tests/golden/hub_cache.py
Writes tests/golden/hub_cache.json: `commit`; `served`, the files of the repository with text, tag and whether they are
stored as large files; `cache`, every path of the cache afterwards with its text or the target of its link.

A server on loopback plays the hub, so no network is needed. Large files are redirected with `X-Linked-*` headers, small ones
are served at once. The files are asked for one by one, as `from_pretrained` does, one of them in vain. What only concerns
the Python tools themselves (locks, listings, the tag for backup programs) is left out of `cache`.
"""

import hashlib
import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading
from importlib import metadata

HERE = pathlib.Path(__file__).resolve().parent
PIN = "huggingface_hub==2.4.0"
REPO = "owner/tiny-model"
COMMIT = hashlib.sha1(b"tiny-model").hexdigest()
TEXTS = {
    "config.json": '{"model_type": "llama"}\n',
    "tokenizer.json": '{"version": "1.0"}\n',
    "model.safetensors.index.json": '{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}\n',
    "model-00001-of-00002.safetensors": "first shard\n",
    "model-00002-of-00002.safetensors": "second shard\n",
}
ABSENT = "chat_template.jinja"


def is_large(name):
    return name.endswith(".safetensors")


def tag(name):
    """SHA-256 of a large file, git's hash of a small one."""
    content = TEXTS[name].encode()
    if is_large(name):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(http.server.BaseHTTPRequestHandler):
    """Serves `/owner/name/resolve/<revision>/<file>`, and large files from `/large/<file>`."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        name = self.path.rsplit("/", 1)[-1]
        if name not in TEXTS:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        content = TEXTS[name].encode()
        if is_large(name) and not self.path.startswith("/large/"):
            there = f"http://127.0.0.1:{self.server.server_port}/large/{name}"
            linked = {"Location": there, "X-Linked-Etag": f'"{tag(name)}"', "X-Linked-Size": str(len(content))}
            return self.send(302, b"", {"X-Repo-Commit": COMMIT} | linked)
        self.send(200, content, {"ETag": f'"{tag(name)}"', "X-Repo-Commit": COMMIT})

    def send(self, status, content, headers):
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def snapshot(cache):
    """Text or link target of every path, sorted."""
    found = {}
    for path in sorted(cache.rglob("*")):
        name = path.relative_to(cache).as_posix()
        if name.split("/")[0] == ".locks" or name == "CACHEDIR.TAG" or "/trees" in name:
            continue
        if path.is_symlink():
            found[name] = {"link": os.readlink(path)}
        elif path.is_file():
            found[name] = {"text": path.read_text()}
    return found


def main():
    installed = f"huggingface_hub=={metadata.version('huggingface_hub')}"
    if installed != PIN:
        sys.exit(f"failed to write golden files: {PIN} is pinned, {installed} is installed")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
    os.environ["HF_HUB_OFFLINE"] = "0"  # the other scripts are run with 1
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    import huggingface_hub  # after the variables, which it reads once

    with tempfile.TemporaryDirectory() as folder:
        for name in TEXTS:
            huggingface_hub.hf_hub_download(REPO, name, cache_dir=folder)
        try:
            huggingface_hub.hf_hub_download(REPO, ABSENT, cache_dir=folder)
        except huggingface_hub.errors.EntryNotFoundError:
            pass
        golden = {
            "versions": PIN,
            "repo": REPO,
            "commit": COMMIT,
            "served": {n: {"text": t, "etag": tag(n), "is_large": is_large(n)} for n, t in TEXTS.items()},
            "cache": snapshot(pathlib.Path(folder)),
        }
    (HERE / "hub_cache.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
