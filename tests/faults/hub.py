"""A model hub on this machine that holds one model, and counts what is fetched from it."""

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

COMMIT = "1" * 40
MODEL = "someone/tiny"


class Hub:
    """Serves the files in `folder` as the model someone/tiny; nobody is answered before `together` have asked."""

    def __init__(self, folder: Path, together: int) -> None:
        self.fetched: Counter[str] = Counter()
        self._folder = folder
        self._first = threading.Barrier(together)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def files(self) -> list[Path]:
        return sorted(path for path in self._folder.rglob("*") if path.is_file())

    def answer(self, path: str, fetch: bool) -> tuple[bytes, dict[str, str]] | None:
        """Return the body and the headers for a path, None if there is no such thing."""
        if path == f"/api/models/{MODEL}":
            self._first.wait(200)
        names = {str(file.relative_to(self._folder)): file for file in self.files()}
        if path.startswith(f"/api/models/{MODEL}"):
            listing: Any = {"id": MODEL, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
            if "/tree/" in path:
                listing = [
                    {"type": "file", "path": name, "size": file.stat().st_size, "oid": _sha1(file)}
                    for name, file in names.items()
                ]
            return json.dumps(listing).encode(), {"Content-Type": "application/json"}
        name = path.removeprefix(f"/{MODEL}/resolve/").partition("/")[2]
        if name not in names:
            return None
        if fetch:
            with self._lock:
                self.fetched[name] += 1
        return names[name].read_bytes(), {"ETag": f'"{_sha1(names[name])}"', "X-Repo-Commit": COMMIT}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(fetch=False)

    def do_GET(self) -> None:
        self._answer(fetch=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, *, fetch: bool) -> None:
        found = self.hub.answer(self.path.partition("?")[0], fetch)
        body, headers = found if found is not None else (b"", {"X-Error-Code": "EntryNotFound"})
        self.send_response(404 if found is None else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fetch:
            self.wfile.write(body)


def _sha1(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
