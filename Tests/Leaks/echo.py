"""A clinic's system at its worst: whatever it is asked, its answer quotes the request, credentials included."""
import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUSES = [200, 400, 401, 403, 404, 409, 422, 429, 500, 502, 302, 201, 204]
#: Where systems put their words.
PLACES = ["message", "error", "detail", "mensagem", "erro", "msg", "reason", "errors", "diagnostics"]


class EchoSystem:
    """Listens on a free port until it is closed."""

    def __init__(self) -> None:
        turns = itertools.count()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode("utf-8", "replace")
                turn = next(turns)
                status = STATUSES[turn % len(STATUSES)]
                said = f"cannot do {self.command} {self.path} with {dict(self.headers.items())} and {body}"
                form = turn // len(STATUSES) % 4
                kind = "application/json"
                if form == 0:
                    text = json.dumps({place: said for place in PLACES}, ensure_ascii=False)
                elif form == 1:
                    kind, text = "text/html", f"<html><title>{said}</title><body>{said}</body></html>"
                elif form == 2:
                    # A session by JSON-RPC, an outcome by FHIR, a token by OAuth.
                    text = json.dumps({
                        "resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": said}],
                        "error": [said, said], "id": 1, "jsonrpc": "2.0", "access_token": said, "token": said,
                        "dados": {"itens": [{"codigo": said, "nomeCompleto": said}], "total": 1}})
                else:
                    text = "{\"broken\": \"" + said
                data = text.encode()
                self.send_response(status, said.encode("ascii", "replace").decode()[:200].replace("\n", " "))
                self.send_header("Content-Type", kind)
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                line = json.dumps(said)[1:400]
                for name in ("X-Error", "WWW-Authenticate", "Retry-After", "Set-Cookie", "ETag", "Location"):
                    self.send_header(name, "/" + line if name == "Location" else line)
                self.end_headers()
                if status != 204:
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # Callers who hang up are no news.
        self._server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
