#!/usr/bin/env python3
"""Holds the JSON Schemas and the decoder against each other.

Mutates a sound document in every place, asks a JSON Schema validator and `ponte check` (`ponte replay --check` for
specs) for their verdicts, and fails where they differ, except where a schema cannot express the rule (BEYOND_SCHEMA).
All specs of the repository must be valid.

Usage: check_schemas.py path/to/ponte     (needs the Python package jsonschema)
"""
import concurrent.futures
import copy
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHA = "921b2420e0ad6a6e53d96f07f636bfed8e57f0bdc92abeb3173ec00ff4385bc6"

SERVER = {
    "listen": {"host": "127.0.0.1", "port": 8080, "plainHTTP": False, "trustedProxies": ["127.0.0.1", "fd00::/8"],
               "tls": {"certificateFile": "ponte.pem", "keyFile": "ponte.key"}},
    "pathPrefix": "/api/v1",
    "limits": {"bodyBytes": 1048576, "termLength": 512, "connectionsPerAddress": 64},
    "shutdown": {"grace": "20s", "delay": "0s"},
    "log": {"level": "info", "format": "json"},
    "engine": {"maxInFlight": 256},
    "reload": {"watch": True, "every": "5s"},
    "tenants": "tenants",
    "drivers": "drivers",
    "idempotency": {"database": "creates.db", "secret": {"env": "PONTE_SECRET"}},
    "secrets": {"openFiles": False},
    "operator": {"listen": {"host": "127.0.0.1", "port": 9180, "plainHTTP": False}},
}
TENANT = {
    "id": "clinica-aurora",
    "name": "Clínica Aurora",
    "disabled": False,
    "inbound": {"keys": [{"name": "clinia", "sha256": SHA, "expires": "2099-12-31"}], "allow": ["203.0.113.0/24"],
                "perMinute": 600},
    "upstream": {
        "driver": "rest",
        "profile": "agenda-demo",
        "baseURL": "https://api.example.test/v1",
        "addresses": ["private", "10.1.0.0/16", "fd00::/8"],
        "credentials": {"user": {"env": "USER_NAME"}, "password": {"file": "password.secret"}},
        "settings": {},
        "timeouts": {"connect": "3s", "call": "10s", "list": "2m", "connectionLifetime": "5m"},
        "limits": {"concurrent": 16, "queued": 100, "perSecond": 10},
        "retries": 1, "breaker": {"failures": 5, "openFor": "2s"},
        "tls": {"caFile": "ca.pem", "clientCertificateFile": "client.pem", "clientKeyFile": "client.key"},
        "http2": False,
        "maxBodyBytes": 1048576,
    },
    "clients": {
        "searchBy": ["phone", "cpf"],
        "country": "BR",
        "defaultAreaCode": 11,
        "cpfCheckDigits": False,
        "onDuplicate": "returnExisting",
        "listDetail": False,
        "scan": {"allowed": False, "maxRecords": 20000},
    },
    "idempotency": {"store": "sqlite", "keepFor": "24h"},
}
FHIR = {
    "name": "sample",
    "title": "Sample",
    "documentation": "https://fhir.example.test",
    "signIn": [{"style": "none"}, {"style": "header", "name": "X-API-Key"},
               {"style": "clientCredentials", "secretIn": "header"}],
    "settings": {"unit": {"description": "A unit.", "default": "1"}},
    "operations": ["list", "search", "get", "create", "update"],
    "mediaType": "application/fhir+json",
    "paths": {"search": "Patient", "read": "Patient/{id}", "create": "Patient", "update": "Patient/{id}",
              "metadata": "metadata"},
    "cpf": {"read": ["urn:a:1"], "write": "urn:a:2", "spelling": "digits", "search": ["digits"], "types": ["CPF"],
            "members": {"use": "official"}, "writesSystem": True},
    "phones": {"search": ["e164"], "write": "e164", "use": "mobile"},
    "emails": {"search": ["asGiven"]},
    "names": {"write": "text", "use": "official", "search": ["first"]},
    "search": {"method": "get", "strict": True, "noCache": False, "selfLink": "compare",
               "parameters": {"phone": ["phone"], "cpf": ["identifier"], "email": ["email"], "name": ["name"]}},
    "list": {"count": 100, "sort": "_id"},
    "create": {"style": "create", "ifNoneExist": True, "requires": ["cpf"], "uuidIdentifier": False,
               "members": {"gender": "unknown"}},
    "update": {"style": "put", "ifMatch": True, "attempts": 3},
    "metadata": True,
    "bareNotFound": False, "staleReads": "0s",
    "limits": {"concurrent": 8, "calls": 100, "per": "60s"},
}
TRYTON_TENANT = {
    **TENANT,
    "upstream": {
        "driver": "tryton",
        "database": "gh",
        "baseURL": "https://gh.example.test",
        "credentials": {"user": {"env": "USER_NAME"}, "password": {"file": "password.secret"}},
        "settings": {},
    },
}
EXCHANGE = {
    "request": "GET /api/pacientes/1",
    "query": {"pagina": "1"},
    "headers": {"Authorization": "Bearer x"},
    "body": {"codigo": 1},
    "answer": {"status": 200, "headers": {"ETag": "v1"}, "body": {"dados": {}}},
    "fault": "status=503",
    "optional": True,
}
SPEC = {
    "title": "A file",
    "tenant": {
        "profile": "agenda-demo",
        "profileChanges": {"update": {"style": "partial"}},
        "credentials": {"user": "x"},
        "settings": {},
        "timeouts": {"call": "1s"},
        "limits": {"concurrent": 2},
        "maxBodyBytes": 1024,
        "clients": {"onDuplicate": "reject"},
    },
    "server": {"limits": {"bodyBytes": 1024}},
    "records": {"ana": {"codigo": 1}},
    "specs": [
        {
            "title": "Scripted",
            "contract": "Um array JSON de objetos Client.",
            "rule": "A rule.",
            "always": [{"request": "POST /auth/login", "text": "x", "answer": {"text": "x"}}],
            "in": {"request": "POST /clients", "headers": {"X-API-Key": None}, "body": {"name": "x"}, "padding": 3},
            "upstream": [EXCHANGE, [{"request": "GET /a?b=c", "fault": ["reset", "latency=1"]}]],
            "out": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"id": "1"}},
            "next": {
                "title": "Next",
                "in": {"request": "GET /clients", "text": "x"},
                "out": {"status": 404, "problem": {"code": "no_such_client"}},
                "next": [{"in": "GET /clients", "out": {"broken": True}}],
            },
        },
        {
            "title": "By a dialect",
            "rule": "A rule.",
            "dialect": {"name": "feegow", "patients": 20, "staleReads": 300},
            "in": "GET /clients",
            "upstream": {"calls": {"list": 1}, "faults": [{"fault": "reset", "operation": "list", "times": 1}]},
            "out": {"status": 200, "text": "[]"},
        },
    ],
}
VALUES = [None, True, False, 0, -1, 1, 99, 1.5, 10**12, "", "x", "10s", "10", "1ms", "-5s", "a b", "BR", "rest", "tryton", "reject",
          "debug", "text", "\u0000", "a\nb", "Ç", "/a", "/a/", "/a/../b", SHA, SHA[:-1], "http://a.example.test",
          "http://u:p@a.example.test", "ftp://a", "http://a.example.test?x", [], ["phone"], ["phone", "phone"], ["x"],
          [1], {}, {"env": "A"}, {"file": "a"}, {"env": "A", "file": "a"}, {"env": "9A"}, {"value": "a"}, {"x": 1}]

# Enough for specs, whose own values are free JSON for the most part.
SPEC_VALUES = [None, True, -1, 1, 1.5, 10**12, "", "x", "\u0000", "GET /a", "reset", "feegow", [], ["x"], {}, {"x": 1}]

# Pointers at which the decoder rightly refuses more than the schema can say.
BEYOND_SCHEMA = {
    "/shutdown/grace", "/shutdown/delay", "/reload/every", "/upstream/timeouts/connect", "/upstream/timeouts/call",
    "/upstream/timeouts/list", "/upstream/timeouts/connectionLifetime", "/idempotency/keepFor",  # ranges of durations
    "/id",  # the file's name
    "/tenants", "/drivers",  # folders that exist
    "/upstream/profile",  # profiles that exist
    "/upstream/credentials/*", "/upstream/settings/*", "/upstream",  # what the profile names; that it has no address
    "/upstream/baseURL",  # hosts, ports and paths in detail
    "",  # repeated members
    "/name", "/signIn/1", "/signIn/2", "/signIn/0", "/signIn/*",  # the file's name; what belongs to a style; two of a kind
    "/signIn/0/name", "/signIn/2/name", "/signIn/0/secretIn", "/signIn/1/secretIn",
    "/paths/*", "/settings/*", "/update", "/create",  # paths in detail, names that Ponte has, styles that go together
    "/cpf/members/*", "/create/members/*", "/staleReads", "/limits/per",  # members that Ponte writes, ranges
    "/specs/0/upstream", "/specs/1/upstream",  # exchanges or numbers of calls, as the dialect wants
}


def is_beyond(pointer):
    return pointer in BEYOND_SCHEMA or pointer.rpartition("/")[0] + "/*" in BEYOND_SCHEMA


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], path + (name,))
    if isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], path + (index,))


def mutations(document, values):
    yield (), document
    for path in places(document):
        for value in values:
            yield path, put(document, path, value)
        if path:
            yield path, drop(document, path)
        if isinstance(at(document, path), dict):
            yield path + ("zzz",), put(document, path + ("zzz",), 1)
            yield path + ("$comment",), put(document, path + ("$comment",), "a remark")


def at(document, path):
    for step in path:
        document = document[step]
    return document


def put(document, path, value):
    if not path:
        return value
    document = copy.deepcopy(document)
    at(document, path[:-1])[path[-1]] = value
    return document


def drop(document, path):
    document = copy.deepcopy(document)
    parent = at(document, path[:-1])
    del parent[path[-1]]
    return document


class Decoder:
    """Asks `ponte check` about one document at a time, in a folder of its own."""

    def __init__(self, ponte, folder):
        self.ponte, self.server = ponte, folder / "server.json"
        self.files = {"server": self.server, "tenant": folder / "tenants/clinica-aurora.json",
                      "fhir-profile": folder / "drivers/fhir/sample.json"}
        (folder / "tenants").mkdir(parents=True)
        (folder / "drivers/fhir").mkdir(parents=True)
        shutil.copy(ROOT / "Config/drivers/agenda-demo.json", folder / "drivers")

    def report(self, kind, document):
        for file in self.files.values():
            file.unlink(missing_ok=True)
        self.server.write_text(json.dumps({"idempotency": SERVER["idempotency"]}))
        self.files[kind].write_text(json.dumps(document))
        command = [self.ponte, "check", "--json", "--without-secrets", "--config", str(self.server)]
        return json.loads(subprocess.run(command, capture_output=True, text=True).stdout)


def spec_reports(ponte, documents):
    """What `ponte replay --check` says of each document, all of them at once."""
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(documents):
            (pathlib.Path(folder) / f"{number}.json").write_text(json.dumps(document))
        command = [ponte, "replay", "--check", "--config", str(ROOT / "Config/server.json"), folder]
        lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    faults = [[] for _ in documents]
    for found in filter(None, (re.search(r"/(\d+)\.json:\d+:\d+: (/\S*|\(.*?\)): (.*)", line) for line in lines)):
        pointer = "" if found[2].startswith("(") else found[2]
        faults[int(found[1])].append({"pointer": pointer, "message": found[3]})
    return [{"ok": not each, "faults": each} for each in faults]


def check_specs(validator):
    """The repository's own specs, which only a validator has seen so far."""
    files = sorted((ROOT / "Specs").glob("*.json"))
    errors = [(file.name, error.json_path, error.message[:200])
              for file in files for error in validator.iter_errors(json.loads(file.read_text()))]
    for error in errors:
        print("NOT VALID", *error)
    return not errors and bool(files)


def main():
    ponte = os.path.abspath(sys.argv[1])
    sound, differences, cases = 0, [], []
    for kind, base in (("server", SERVER), ("tenant", TENANT), ("tenant", TRYTON_TENANT), ("fhir-profile", FHIR),
                       ("spec", SPEC)):
        schema = json.loads((ROOT / f"Config/schema/{kind}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        values = SPEC_VALUES if kind == "spec" else VALUES
        cases += [(kind, validator, path, document) for path, document in mutations(base, values)]
    specs = [case for case in cases if case[0] == "spec"]
    specs_are_valid = check_specs(specs[0][1])
    with tempfile.TemporaryDirectory() as folder:
        idle = queue.SimpleQueue()
        for number in range(os.cpu_count() or 1):
            idle.put(Decoder(ponte, pathlib.Path(folder) / str(number)))

        def ask(case):
            decoder = idle.get()
            try:
                return decoder.report(case[0], case[3])
            finally:
                idle.put(decoder)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            reports = list(pool.map(ask, cases[:-len(specs)])) + spec_reports(ponte, [case[3] for case in specs])
    for (kind, validator, path, document), report in zip(cases, reports):
        decoder, by_schema = report["ok"], validator.is_valid(document)
        sound += decoder and by_schema
        pointers = {fault["pointer"] for fault in report["faults"]}
        beyond = by_schema and not decoder and all(map(is_beyond, pointers))
        if decoder != by_schema and not beyond:
            messages = sorted(fault["message"] for fault in report["faults"])[:2]
            place = "/" + "/".join(map(str, path))
            differences.append((kind, place, at_or_none(document, path), decoder, by_schema, messages))
    for difference in differences:
        print("DIFFERENT", *difference)
    print(f"{len(cases)} documents, {sound} accepted by both, {len(differences)} differences")
    # A run in which one side accepts nothing would prove nothing.
    sys.exit(1 if differences or sound < 50 or not specs_are_valid else 0)


def at_or_none(document, path):
    try:
        return at(document, path)
    except (KeyError, IndexError, TypeError):
        return "(removed)"


if __name__ == "__main__":
    main()
