"""A postal service of ours that behaves badly: it speaks LetterXpress' third version over real HTTP.

`mood()` says for each request what goes wrong: nothing, refused before anything happened, accepted and answered with an
error, accepted and the line dropped, accepted long after the customer stopped waiting, or nonsense answered.
"""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

AUTH = {"username": "operator", "apikey": "secret", "mode": "live"}
LATE = 0.35  # seconds; tests wait 0.15 s for an answer
MOODS = ("fine", "500", "500 after accepting", "dropped after accepting", "late", "nonsense", "busy")


class LetterService(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Desk)
        self.jobs, self.faults, self.asked = {}, [], []
        self.mood = lambda method: "fine"
        self.lock, self.busy = threading.RLock(), 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v3"

    def settle(self):
        """Wait until nothing is being accepted any more, as minutes of waiting would."""
        until = time.monotonic() + 10
        while self.busy and time.monotonic() < until:
            time.sleep(0.01)

    def accepted(self, name):
        """Return the letters under this name that will be, or were, posted."""
        with self.lock:
            return [
                job for job in self.jobs.values() if job["filename_original"] == name and job["status"] != "canceled"
            ]

    def handle_error(self, request, client_address):
        pass  # a customer who stopped waiting


class _Desk(BaseHTTPRequestHandler):
    def do_POST(self):
        self._serve("POST")

    def do_GET(self):
        self._serve("GET")

    def do_DELETE(self):
        self._serve("DELETE")

    def log_message(self, format, *args):
        pass

    def _serve(self, method):
        service = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with service.lock:
            service.busy += 1
            service.asked.append((method, self.path))
            mood = service.mood(method)
        try:
            if body.get("auth") != AUTH or self.headers["Content-Type"] != "application/json":
                return self._answer(401, {"message": "Unauthorized."})
            if mood in ("500", "busy"):
                return self._answer(500 if mood == "500" else 429, {"message": mood})
            if mood == "late":
                time.sleep(LATE)
            with service.lock:
                status, data = getattr(self, f"_{method.lower()}")(urlsplit(self.path), body)
            if mood == "500 after accepting":
                return self._answer(500, {"message": mood})
            if mood == "dropped after accepting":
                return self.connection.close()
            if mood == "nonsense":
                return self._answer(200, ["what?"])
            return self._answer(status, {"status": status, "message": "OK", "data": _without_pdf(data)})
        finally:
            with service.lock:
                service.busy -= 1

    def _post(self, parts, body):
        letter = body["letter"]
        if hashlib.md5(letter["base64_file"].encode()).hexdigest() != letter["base64_file_checksum"]:
            return 400, {}
        job = {"id": 1000 + len(self.server.jobs), "status": "queue", "filename_original": letter["filename_original"]}
        job["pdf"] = base64.b64decode(letter["base64_file"])
        self.server.jobs[job["id"]] = job
        return 200, job

    def _get(self, parts, body):
        if wanted := parse_qs(parts.query).get("filter"):
            return 200, {"printjobs": [job for job in self.server.jobs.values() if job["status"] == wanted[0]]}
        job = self.server.jobs.get(int(parts.path.rpartition("/")[2]))
        return (200, job) if job else (404, {})

    def _delete(self, parts, body):
        job = self.server.jobs.get(int(parts.path.rpartition("/")[2]))
        if not job or job["status"] not in ("queue", "hold", "draft"):
            return 409, {}
        job["status"] = "canceled"
        return 200, job

    def _answer(self, status, said):
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _without_pdf(data):
    if rows := data.get("printjobs"):
        return {"printjobs": [_without_pdf(row) for row in rows]}
    return {name: value for name, value in data.items() if name != "pdf"}


@contextmanager
def open_service():
    """Serve until the block ends."""
    service = LetterService()
    threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
