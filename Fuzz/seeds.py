#!/usr/bin/env python3
"""Writes the first inputs of a fuzz target into a folder, from what the repository holds already.

Usage: Fuzz/seeds.py json|profile|tenant|phone|response|request folder
"""
import ast
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Between the parts of an input: JSON and HTTP have no use for it.
BREAK = b"\x1e"

TEXTS = [
    "11987654321", "+55 (11) 98765-4321", "0xx11 3333-4444", "5511987654321", "551187654321", "0055 21 2345-6789",
    "11 99999-9999 / 3333-4444", "(11) 98765-4321 ramal 12", "+351 912 345 678", "51987654321", "0800 123 4567",
    "4004-1234", "+1 415 555 2671", "123.456.789-00", "12345678900", "00000000000", "1990-02-28", "2000-02-29",
    "0001-01-01", "ana+x@example.test", "Ana  Teste", "ANA TESTE ÇÃO", "Straße İıſK", "\u00a0Ana\u0301 Teste\u200b",
    "10.0.0.0/8", "::ffff:192.0.2.1", "2001:db8::/32", "11-2345-6789;21-98765-4321,(31)3333-4444",
]
REQUESTS = [
    "GET /clients?limit=10&offset=0 HTTP/1.1\r\nHost: ponte.example.test\r\nX-API-Key: k\r\n\r\n",
    "GET /t/clinica-aurora/clients/search?term=%2B5511987654321 HTTP/1.1\r\nHost: a:8080\r\n"
    "X-Forwarded-For: 203.0.113.7, [2001:db8::1]:443, 10.0.0.2\r\n\r\n",
    "GET /api/v1/clients/a%2Fb%C3%A9 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET http://ponte.example.test/clients HTTP/1.1\r\nHost: ponte.example.test\r\nUpgrade: h2c\r\n\r\n",
    'POST /clients HTTP/1.1\r\nHost: a\r\nIdempotency-Key: "8e03978e-40d5 \\"x\\""\r\nContent-Length: 2\r\n'
    'Transfer-Encoding: chunked\r\n\r\n{"name":"Ana Teste","phone":"5511987654321","cpf":"123.456.789-00",'
    '"email":"ana@example.test","birthday":"1990-02-28","healthInsurance":"3","location":"1","outro":null}',
    'PATCH /clients/1 HTTP/1.1\r\nHost: a\r\nIdempotency-Key: abc\r\n\r\n{"name":"Ana Teste","email":null,"phone":"1"}',
    "GET /clients/search?term=+55+11+98765-4321&term=a+b@example.test&limit=1e3&%6Cimit=7 HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET /health/ready HTTP/1.1\r\nHost: a, b\r\n\r\n",
]
CALLS = {"list": 0, "search": 1, "get": 2, "create": 3, "update": 4}
# As ResponseTarget.swift counts them.
STATUSES = [200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 410, 412, 422, 429, 500, 502, 503, 504, 207, 304]


def compact(path):
    return json.dumps(json.loads(path.read_text()), ensure_ascii=False, separators=(",", ":")).encode()


def samples(folder):
    """Recorded answers, with what is expected of them."""
    for path in sorted((ROOT / "Tests/Fixtures" / folder).iterdir()):
        if ".out." in path.name or path.suffix not in (".json", ".html"):
            continue
        expected = path.with_name(path.name.split(".")[0] + ".out.json")
        facts = json.loads(expected.read_text()) if expected.exists() and ".in." in path.name else {}
        yield path.read_bytes(), facts


def systems():
    """The systems as the first byte of a response counts them."""
    drivers = ROOT / "Config/drivers"
    names = sorted(path.stem for path in drivers.glob("*.json"))
    return names + ["fhir-" + path.stem for path in sorted((drivers / "fhir").glob("*.json"))] + ["gnuhealth"]


def seeds_json():
    yield '{"nome":"Ana Teste","fones":["\\u00e7\\ud83d\\ude39",1,-2.5e3,true,null,{}],"a":{"a":"b"}}'.encode()
    yield b"/a~1b/0/m~0n"
    for name in systems():
        for body, _ in samples(name):
            if len(body) < 4096:
                yield body


def seeds_profile():
    for path in sorted((ROOT / "Config/drivers").rglob("*.json")):
        name = ("fhir-" if path.parent.name == "fhir" else "") + path.stem
        answers = [body for body, _ in samples(name)][:3]
        yield BREAK.join([compact(path)] + answers)


def seeds_tenant():
    for path in [ROOT / "Config/server.json", *sorted((ROOT / "Config/tenants").glob("*.json"))]:
        yield compact(path)
    # The documents of the schemas' tests, which have every member.
    known = {}
    for node in ast.parse((ROOT / "Tests/Schemas/check_schemas.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id in ("SHA", "SERVER", "TENANT"):
            code = compile(ast.Expression(node.value), "schemas", "eval")
            known[node.targets[0].id] = eval(code, {}, dict(known))  # pylint: disable=eval-used
    for name in ("SERVER", "TENANT"):
        yield json.dumps(known[name], ensure_ascii=False).encode()
    tenant = known["TENANT"]
    for driver, profile, credentials in [("fhir", "hapi", []), ("tryton", None, ["user", "password"])]:
        upstream = {"driver": driver, "baseURL": "https://api.example.test/gh",
                    "credentials": {name: {"env": name.upper()} for name in credentials}}
        upstream.update({"profile": profile} if profile else {"database": "gh"})
        yield json.dumps({**tenant, "upstream": upstream}, ensure_ascii=False).encode()


def seeds_phone():
    for text in TEXTS:
        yield text.encode()


def seeds_response():
    for number, name in enumerate(systems()):
        for body, facts in samples(name):
            call = CALLS.get(facts.get("call"), 0)
            status = facts.get("status", 200)
            status = STATUSES.index(status) if status in STATUSES else 0
            yield bytes([number, call, status, 0]) + body
            yield bytes([number, call | 0x80, status, 0]) + body
    for number in range(len(systems())):
        yield bytes([number, 2, 0, 2]) + '{"id":1,"nome":"José Çédille €"}'.encode("windows-1252", "replace")
        yield bytes([number, 0, 0, 7]) + '[{"id":1,"nome":"José"}]'.encode("utf-16")


def seeds_request():
    for text in REQUESTS:
        yield text.encode()


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(globals()["seeds_" + target]()):
        (folder / f"{number:04}").write_bytes(content)


main()
