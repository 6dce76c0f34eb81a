"""Sees the search find what is planted, in every spelling and in every kind of place, and nothing where nothing is."""
import base64
import json
import pathlib
import re
import sqlite3
import tempfile
import urllib.parse

import suite
from people import People
from searching import Searcher, folded


def spellings(kind: str, value: str) -> dict[str, str]:
    """A value as software writes it."""
    spelt = {"as it is": value, "percent-encoded": urllib.parse.quote(value, safe=""),
             "in a query": urllib.parse.urlencode({"term": value}), "in JSON": json.dumps({"x": value}),
             "JSON in JSON": json.dumps(json.dumps({"x": value})), "in JSON, not escaped": json.dumps(
                 {"x": value}, ensure_ascii=False),
             "in base64": base64.b64encode(value.encode()).decode(),
             "in base64url": base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
             "in hexadecimal": value.encode().hex(), "in HTML": "".join(f"&#{ord(c)};" for c in value),
             "percent-encoded twice": urllib.parse.quote(urllib.parse.quote(value, safe=""), safe="")}
    digits = re.sub(r"\D", "", value)
    match kind:
        case "name":
            spelt |= {"in capitals": value.upper(), "without accents": folded(value).title(),
                      "one word": f"no patient {value.split()[1]} here", "with underscores": value.replace(" ", "_"),
                      "with more spaces": value.replace(" ", "   ")}
        case "phone":
            area, number = digits[2:4], digits[4:]
            spelt |= {"E.164": f"+{digits}", "punctuated": f"+55 ({area}) {number[:5]}-{number[5:]}",
                      "national": f"{area}{number}", "national, punctuated": f"({area}) {number[:5]}-{number[5:]}",
                      "without its ninth digit": f"55{area}{number[1:]}", "without area": f"{number[:5]}-{number[5:]}",
                      "dotted": f"{area}.{number[:5]}.{number[5:]}", "in a list": f"200,{digits},17"}
        case "cpf":
            spelt |= {"punctuated": f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}",
                      "spaced": f"{digits[:3]} {digits[3:6]} {digits[6:9]} {digits[9:]}",
                      "in a URL": f"/p/{digits}/x"}
        case "birthday":
            year, month, day = value.split("-")
            spelt |= {"Brazilian": f"{day}/{month}/{year}", "dashes": f"{day}-{month}-{year}",
                      "dots": f"{day}.{month}.{year}", "compact": f"{year}{month}{day}", "a moment": f"{value}T00:00:00Z"}
        case "email":
            spelt |= {"in capitals": value.upper(), "in brackets": f"<{value}>", "mailto": f"mailto:{value}?x=1"}
        case "token":
            spelt |= {"Basic": "Basic " + base64.b64encode(f"user:{value}".encode()).decode(),
                      "in a URL": f"https://user:{value}@example.test/"}
    return spelt


def files(folder: pathlib.Path, text: str) -> dict[str, bytes]:
    """The kinds of places that the search reads, each with a text in it."""
    def log(**fields: object) -> bytes:
        line = {"time": "2026-01-31T10:00:00.000Z", "level": "info", "message": "request"} | fields
        return (json.dumps(line) + "\n").encode()

    database = folder / "planted.db"
    database.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE creates (id INTEGER PRIMARY KEY, made BLOB)")
    connection.execute("INSERT INTO creates (made) VALUES (?)", (text.encode(),))
    connection.commit()
    wal = (folder / "planted.db-wal").read_bytes()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return {
        "standard output": log(status=200, route=text), "standard error": f"Fatal error: {text}\n".encode(),
        "a log of text": f"2026-01-31T10:00:00.000Z info request status=200 id={text}\n".encode(),
        "metrics": f'ponte_requests_total{{tenant="a",path="{text}"}} 1\n'.encode(),
        "spans": json.dumps({"resourceSpans": [{"attributes": [{"value": {"stringValue": text}}]}]}).encode(),
        "a database": database.read_bytes(), "a write-ahead log": wal,
        "an answer": json.dumps({"type": "about:blank", "status": 422, "reasons": [f"no {text}"]}).encode(),
        "crash output": f"*** Program crashed ***\n\nrax 0x1  {text}\n".encode(),
        "a file of bytes": b"\x00\xff\xfe\x01" + text.encode() + b"\x00\x80",
    }


def places_that_are_not_missed(folder: pathlib.Path) -> list[str]:
    """Empties, then removes the places of each kind that a run must leave."""
    problems = []
    for pattern in suite.EXPECTED.values():
        for step in (lambda path: path.write_bytes(b""), pathlib.Path.unlink):
            for path in list(folder.glob(pattern)):
                step(path)
            if not any(f"({pattern})" in line for line in suite.missing(folder)):
                problems.append(f"not missed in a run of the tests: {pattern}")
    return problems


def a_run_of_the_tests() -> list[str]:
    """What is found in the folder that scripts/test leaves, and what is the runner's own."""
    people = People(seed=13, first=900)
    noted, sent = people.client(), people.client()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("ledger", "output", "tmp/ponte-1/tenants"):
            (folder / part).mkdir(parents=True)
        request = f"POST /clients HTTP/1.1\r\nX-API-Key: key-of-nobody\r\n\r\n{json.dumps(sent)}"
        lines = [{"kind": "name", "value": noted["name"]}, {"kind": "token", "value": "a-token-of-a-login"}]
        (folder / "ledger/mock-1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "ledger/sent-1.jsonl").write_text(json.dumps({"kind": "request", "value": request}))
        (folder / "output/tests.txt").write_text(
            f"◇ Test case passing 1 argument body → \"{noted['name']}\n{sent['cpf']}\" to finds(_:) started.\n"
            f"◇ Test finds() started.\nread {sent['email']}\n")
        (folder / "output/gateway-log-1.txt").write_text(f'{{"route":"/clients/{sent["phone"]}","key":"key-of-nobody"}}\n')
        (folder / "tmp/ponte-1/creates.db").write_bytes(b"\0\1" + noted["name"].encode() + b"\0a-token-of-a-login")
        (folder / "tmp/ponte-1/report.json").write_text(json.dumps({"about": sent["cpf"]}))
        # Tests write them for Ponte to read.
        for name in ("tenants/aurora.json", "server.json", "token.secret"):
            (folder / "tmp/ponte-1" / name).write_text(json.dumps(sent))
        # Whatever else a run leaves.
        for pattern in suite.EXPECTED.values():
            if not list(folder.glob(pattern)):
                (folder / pattern.replace("-*", "-1").replace("*", "ponte-1")).write_text("nothing of anybody\n")
        found = {str(finding) if isinstance(finding, str) else (finding.place, finding.line, finding.kind)
                 for finding in suite.run(folder)}
        missed = places_that_are_not_missed(folder)
    wanted = {("output/tests.txt", 4, "email"), ("output/gateway-log-1.txt", 1, "phone"),
              ("output/gateway-log-1.txt", 1, "token"), ("tmp/ponte-1/creates.db", 1, "name"),
              ("tmp/ponte-1/creates.db", 1, "token"), ("tmp/ponte-1/report.json", 1, "cpf")}
    return missed + [f"in a run of the tests: {place}" for place in found ^ wanted]


def run() -> list[str]:
    problems = []
    people = People(seed=11)
    client, secret = people.client(), people.secret()
    searcher = Searcher()
    values = {Searcher.MEMBERS[name]: value for name, value in client.items()} | {"token": secret}
    for kind, value in values.items():
        searcher.add(kind, value, rare=True)
    planted = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind, value in values.items():
            for spelling, text in spellings(kind, value).items():
                for place, data in files(folder, text).items():
                    planted += 1
                    if kind not in {finding.kind for finding in searcher.search(data, place)}:
                        problems.append(f"not found: a {kind} {spelling} in {place}")
        # Somebody else, and what looks like a finding and is none.
        stranger = People(seed=12, first=500).client()
        clean = [*map(str, stranger.values()), "2026-11-27T10:00:00Z", "8d6c993e-c2cc-11de-8d13-0010c6dffd0f",
                 "127.0.0.1:32839", "tenant=c-agenda-demo status=200 ms=12.5", "a" * 200, "GET /clients/{id}"]
        for text in clean:
            for place, data in files(folder, text).items():
                problems += [f"found though it is not there: {f}" for f in searcher.search(data, place)]
    problems += a_run_of_the_tests()
    print(f"{planted} planted values looked for")
    return problems
