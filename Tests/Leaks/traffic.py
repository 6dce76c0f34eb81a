"""What callers send to Ponte in the run: all operations, good and bad, with rare people and secrets everywhere."""
import http.client
import json
import random
import socket
import threading
import urllib.parse

from clinics import Clinic
from people import People

FAULTS = [
    "latency=50", "blackhole", "blackhole=before", "slicer=64", "bandwidth=100000", "slow-close=20", "reset=accept",
    "reset", "reset=before", "reset=headers", "reset-mid-body", "no-reply", "truncate", "close-idle", "bad-chunk",
    "random", "endless", "endless-headers", "gzip-bomb", "status=400", "status=401", "status=403", "status=409",
    "status=422", "status=429:1", "status=500", "status=503:1", "html=200", "html=500", "text-html", "empty",
    "bad-json", "latin1", "latin1=none", "windows-1252", "bom", "duplicate-key", "numbers-as-text",
]


class Traffic:
    """Calls one Ponte, and keeps what it answers that is no client."""

    def __init__(self, port: int, people: People, searcher) -> None:
        self.port = port
        self.people = people
        self.searcher = searcher
        self.lock = threading.Lock()
        #: Heads of all answers, and the bodies of those that are no client: to be searched.
        self.answers: list[str] = []
        self.statuses: dict[int, int] = {}
        #: Good answers by clinic and method.
        self.good: dict[tuple[str, str], int] = {}
        self.requests = 0

    def client(self) -> dict:
        """A new client, who must not be found in anything."""
        with self.lock:
            client = self.people.client()
            for name, kind in self.searcher.MEMBERS.items():
                if name in client:
                    self.searcher.add(kind, client[name], rare=True)
            return client

    def secret(self) -> str:
        with self.lock:
            secret = self.people.secret()
            self.searcher.add("token", secret)
            return secret

    # Calls

    def call(self, clinic: Clinic, method: str, path: str, body: object = None, headers: dict | None = None) -> tuple:
        """Status and body as JSON; 0 when the connection broke off."""
        sent = {"X-API-Key": clinic.key} | (headers or {})
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode("utf-8", "replace")
            self.keep(f"{status} {answer.reason} {json.dumps(answer.getheaders())}", "" if status == 200 else text)
        except (OSError, http.client.HTTPException):
            status, text = 0, ""
        finally:
            connection.close()
        with self.lock:
            self.requests += 1
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                self.good[clinic.id, method] = self.good.get((clinic.id, method), 0) + 1
        try:
            return status, json.loads(text)
        except ValueError:
            return status, None

    def raw(self, data: bytes) -> None:
        """Bytes that no client library sends."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                text = b""
                while more := connection.recv(65536):
                    text += more
                self.keep(text.decode("utf-8", "replace"), "")
        except OSError:
            pass
        with self.lock:
            self.requests += 1

    def keep(self, head: str, body: str) -> None:
        with self.lock:
            self.answers.append(head)
            if body:
                self.answers.append(body)

    # What is sent

    def everything(self, clinic: Clinic, faults: list[str], order) -> None:
        """- order: tells the mock to have a fault: `order(clinic, fault)`."""
        dice = random.Random(clinic.id)
        made = self.operations(clinic)
        self.bad_requests(clinic, made)
        for fault in faults:
            order(clinic, fault)
            client = self.client()
            calls = [
                lambda: self.call(clinic, "POST", "/clients", client),
                lambda: self.call(clinic, "GET", "/clients/search?term=" + client["phone"]),
                lambda: self.call(clinic, "GET", f"/clients/{made or 1001}"),
                lambda: self.call(clinic, "PATCH", f"/clients/{made or 1001}", {"name": client["name"]}),
                lambda: self.call(clinic, "GET", "/clients?limit=3"),
            ]
            dice.choice(calls)()
            self.call(clinic, "POST", "/clients", client)
            order(clinic, None)

    def operations(self, clinic: Clinic) -> str | None:
        """All five, with what can be right or wrong about them; the id of a client that was made."""
        client = self.client()
        self.call(clinic, "GET", "/clients?limit=4")
        _, made = self.call(clinic, "POST", "/clients", client, {"Idempotency-Key": f'"{self.secret()}"'})
        made = made.get("id") if isinstance(made, dict) else None
        self.call(clinic, "POST", "/clients", client)
        other = self.client()
        self.call(clinic, "POST", "/clients", dict(other, phone=client["phone"], cpf=client["cpf"]))
        # Some systems have room for less.
        self.call(clinic, "POST", "/clients", {"name": other["name"], "phone": other["phone"]})
        for term in [*client.values(), *other.values(), client["name"].split()[0], client["cpf"][:8]]:
            self.call(clinic, "GET", "/clients/search?term=" + urllib.parse.quote(term))
        for place in [made, other["name"], other["phone"], other["email"], other["cpf"], "..%2F" + other["cpf"]]:
            path = "/clients/" + (urllib.parse.quote(place, safe="%") if place else "1001")
            self.call(clinic, "GET", path)
            self.call(clinic, "PATCH", path, {"name": other["name"], "email": other["email"]})
        self.call(clinic, "PATCH", f"/clients/{made or 1001}", {"cpf": other["cpf"], "birthday": other["birthday"]})
        key = self.secret()
        for person in (client, other):
            self.call(clinic, "POST", "/clients", person, {"Idempotency-Key": key})
        return made

    def bad_requests(self, clinic: Clinic, made: str | None) -> None:
        client = self.client()
        name, phone, secret = client["name"], client["phone"], self.secret()
        quoted = urllib.parse.quote(name)
        # Keys that open nothing, in every place for a key and in others.
        for headers in (
            {"X-API-Key": secret}, {"X-API-Key": "", "Authorization": f"Bearer {secret}"},
            {"X-API-Key": "", "Authorization": f"Basic {secret}"}, {"X-API-Key": secret, "Authorization": phone},
        ):
            self.call(clinic, "GET", "/clients", headers=headers)
        self.call(clinic, "GET", f"/clients?key={secret}&api_key={secret}")
        # Paths and methods that are none.
        for path in (f"/{quoted}", f"/t/{quoted}/clients", f"/clients/{quoted}/{phone}", f"/clients/search/{phone}",
                     f"/health/{quoted}", f"/clients/search?{quoted}={phone}", f"/clients?limit={phone}",
                     f"/clients?offset={quoted}", f"/clients/search?term={phone}&term={quoted}", "/t/nobody/clients"):
            self.call(clinic, "GET", path)
        for method in ("DELETE", "PUT", "OPTIONS", phone):
            self.call(clinic, method, f"/clients/{phone}")
        # Bodies.
        text = json.dumps(client, ensure_ascii=False)
        bodies = [
            text[:-1], text + text, f"[{text}]", json.dumps(text), text.replace('"phone"', '"telefone"'),
            json.dumps({name: 1, phone: 2, client["email"]: 3, "name": name, "phone": phone}),
            json.dumps({"name": [name], "phone": {"number": phone}}),
            json.dumps(dict(client, phone=name, cpf=phone, email=name, birthday=phone)),
            json.dumps(dict(client, name=name + "\u0007", birthday="1931-13-41")),
            json.dumps(dict(client, cpf=client["cpf"][:-1], email=client["email"].replace("@", "#"))),
            json.dumps(dict(client, name=name * 400)), text.replace('"', "'"), "null", "",
        ]
        for body in bodies:
            for method, path in (("POST", "/clients"), ("PATCH", f"/clients/{made or 1001}")):
                self.call(clinic, method, path, body.encode())
        self.call(clinic, "POST", "/clients", text.encode("utf-16"))
        self.call(clinic, "POST", "/clients", text.encode() + b"\xff\xfe")
        self.call(clinic, "POST", "/clients", text.encode("latin-1"), {"Content-Type": "text/plain"})
        self.call(clinic, "POST", "/clients", text.encode(), {"Content-Type": f"text/{quoted}"})
        self.call(clinic, "POST", "/clients", (text + " " * (2 << 20)).encode())
        # Headers that get into logs elsewhere.
        header = {place: f"{phone} {secret}" for place in (
            "User-Agent", "Referer", "Cookie", "X-Forwarded-For", "Forwarded", "From", "X-Real-IP", "Idempotency-Key",
            "If-Match", "traceparent", "tracestate", "baggage", "Origin", "Accept-Language", "Via")}
        self.call(clinic, "GET", "/clients?limit=1", headers=header)
        for request_id in (phone, client["cpf"], client["email"], clinic.key, quoted, f"{phone}-1", "req-" + phone):
            self.call(clinic, "GET", "/clients?limit=1", headers={"X-Request-Id": request_id})
        self.call(clinic, "GET", "/clients", headers={"X-Request-Id": secret, "X-API-Key": secret})
        # What is no sound HTTP.
        head = f"GET /clients/{quoted} HTTP/1.1\r\nHost: {phone}\r\n"
        for data in (
            f"{name}\r\n\r\n", f"GET /{name} HTTP/1.1\r\n\r\n", f"GET {phone} HTTP/9.9\r\n\r\n", head + f"{name}\r\n\r\n",
            head + f"Content-Length: {phone}\r\n\r\n", head + f"Transfer-Encoding: {secret}\r\n\r\n",
            head + f"X-API-Key: {secret}\n\n", head + f"X: {secret}" * 3000 + "\r\n\r\n",
            head.replace("GET", "POST") + f"X-API-Key: {clinic.key}\r\nContent-Length: 900\r\n\r\n" + text,
            head.replace("GET", "POST") + "Transfer-Encoding: chunked\r\n\r\nzz" + phone + "\r\n" + text,
        ):
            self.raw(data.encode())
