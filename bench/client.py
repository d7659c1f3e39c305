"""A cheap HTTP client: one connection per request, as gunicorn's sync worker closes it anyway."""

import http.client
import multiprocessing
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass
class Target:
    """One page of one server, with the cookies of a signed-in person."""

    name: str
    port: int
    path: str
    cookies: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str | None = None) -> tuple[float, int, bytes]:
        """Return (milliseconds, status, body) of one GET."""
        return self._send("GET", path or self.path, None, {})

    def post(self, path: str, fields: dict[str, object]) -> tuple[float, int, bytes]:
        """Return (milliseconds, status, body) of one POST of a form."""
        body = urlencode(fields, doseq=True)
        return self._send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def _send(self, method: str, path: str, body: str | None, more: dict[str, str]) -> tuple[float, int, bytes]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **self.headers, **more}
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return (time.perf_counter() - began) * 1000, response.status, content


def throughput(target: Target, *, clients: int = 4, seconds: float = 3.0) -> float:
    """Return requests a second of `clients` processes hammering one page."""
    context = multiprocessing.get_context("fork")
    counts = context.Array("i", clients)
    until = time.monotonic() + seconds

    def hammer(n: int) -> None:
        while time.monotonic() < until:
            if target.get()[1] == 200:
                counts[n] += 1

    began = time.monotonic()
    workers = [context.Process(target=hammer, args=(n,)) for n in range(clients)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - began)
