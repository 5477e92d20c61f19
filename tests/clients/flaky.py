"""A proxy that refuses the first requests, to see that a client tries again.

It answers the first of `statuses` to the first request, and so on, and hands all later ones on.
"""

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Flaky:
    """The proxy in front of `target`; use it in a `with` statement."""

    def __init__(self, target, statuses):
        self.statuses = list(statuses)
        self.n_requests = 0
        flaky = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                flaky.n_requests += 1
                if flaky.statuses:
                    self.answer(flaky.statuses.pop(0), b"{}", {"retry-after": "0"})
                    return
                request = urllib.request.Request(target + self.path, body, method="POST")
                request.add_header("content-type", "application/json")
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                try:
                    with opener.open(request) as response:
                        self.answer(response.status, response.read(), {})
                except urllib.error.HTTPError as error:
                    self.answer(error.code, error.read(), {})

            def answer(self, status, body, headers):
                self.send_response(status)
                for key, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    @property
    def address(self):
        return "http://127.0.0.1:%d" % self.server.server_port
