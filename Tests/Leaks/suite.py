"""Searches what a run of all tests left behind (scripts/test): its output, Ponte's logs, the files that it wrote."""
import os
import pathlib
import re

from clinics import ROOT
from searching import Finding, Searcher, words

#: Where people and secrets of the tests stand as they are: these files are inputs.
SOURCES = ["Tests/**/*.swift", "Tests/Fixtures/**/*.json", "Specs/*.json"]
#: Members that hold names, in the contract and in clinics' systems.
NAMES = r'"(?:name|nome\w*|nome_\w+|text|full_name|fullName|Name|patient_?[nN]ame)"\s*:\s*"([^"\\]{8,80})"'
#: What tests write for Ponte to read, by its path below the folder of temporary files: configuration, specs, secrets and
#: certificates; and the made-up pairs of `ponte new`, the same for everybody. Whatever else is there is searched, JSON too.
INPUTS = re.compile(r"""
    [^/]+/server\.json | [^/]+/tenants/[^/]+\.json | [^/]+/drivers/.+\.json | spec-[^/]+\.json
    | pairs-[^/]+/[^/]+ | integrator-[^/]+/.+\.pairs/[^/]+ | (?:[^/]+/)*secrets/[^/]+ | (?:[^/]+/)*[\w-]+\.(?:secret|token)
    | (?:[^/]+/)*[^/]+\.(?:pem|key|crt|cnf|csr|srl)
""", re.X)
#: Kinds of places that every run of the tests leaves: where one is missing, a part of the search has come to nothing.
EXPECTED = {
    "the output of the tests": "output/tests.txt",
    "a gateway's log": "output/gateway-log-*.txt",
    "the output of serve": "output/serve-*.txt",
    "standard output of serve": "tmp/*/stdout",
    "standard output of commands": "output/command-stdout-*.txt",
    "standard error of commands": "output/command-stderr-*.txt",
    "metrics pages": "output/metrics-page-*.txt",
    "status pages": "output/status-page-*.txt",
    "operators' pages": "output/operators-page-*.txt",
    "a database": "tmp/*/*.db",
    "a write-ahead log": "tmp/*/*.db-wal",
}


def run(folder: pathlib.Path) -> list[Finding | str]:
    searcher = Searcher()
    ledgers = sorted((folder / "ledger").glob("*.jsonl"))
    for ledger in ledgers:
        for line in ledger.read_text("utf-8", "replace").splitlines():
            searcher.add_line(line)
    if not any(path.name.startswith("mock-") for path in ledgers) or not searcher.counts["token"]:
        return ["no test wrote down whom it made up: was PONTE_LEAKS set?"]
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            add_written(searcher, path.read_text("utf-8", "replace"))
    places = sorted(path for name in ("output", "tmp") for path in (folder / name).rglob("*") if path.is_file())
    findings: list[Finding | str] = [*missing(folder)]
    size = inputs = 0
    for path in places:
        if INPUTS.fullmatch(str(path.relative_to(folder)).removeprefix("tmp/")):
            inputs += 1
            continue
        if not os.access(path, os.R_OK):
            # Tests take away the rights to files, too.
            path.chmod(0o600)
        data = path.read_bytes()
        if path.name == "tests.txt":
            data = without_arguments(data)
        size += len(data)
        findings += searcher.search(data, str(path.relative_to(folder)))
    counts = ", ".join(f"{count} × {kind}" for kind, count in searcher.counts.items())
    print(f"searched {len(places) - inputs} places, {size >> 10} KiB, for {counts}; left out as too common: "
          f"{searcher.skipped}; inputs: {inputs}")
    return findings


def missing(folder: pathlib.Path) -> list[str]:
    """The kinds of places of which nothing is there."""
    return [f"nothing is there of {kind} ({pattern})" for kind, pattern in EXPECTED.items()
            if not any(path.stat().st_size for path in folder.glob(pattern))]


def add_written(searcher: Searcher, text: str) -> None:
    """What of a test's source or a fixture is somebody's, by its look."""
    for value in re.findall(r"[\w.+-]+@[\w-]+\.(?:test|com|example)(?:\.\w+)?", text):
        searcher.add("email", value)
    for value in re.findall(r'"(\d{3}\.\d{3}\.\d{3}-\d\d)"', text):
        searcher.add("cpf", value)
    for value in re.findall(r"(?<!\d)55[1-9]\d(?:9[6-9]\d{7}|[2-5]\d{7})(?!\d)", text):
        searcher.add("phone", value)
    for value in re.findall(r'[bB]irth\w*"?\s*:\s*"(\d{4}-\d\d-\d\d)"', text):
        searcher.add("birthday", value)
    for value in re.findall(NAMES, text):
        # Clinics have names too, and theirs may be printed.
        if value[0].isupper() and len(words(value)) >= 2 and not re.match(r"(?i)cl[ií]nica|another|the |a ", value):
            searcher.add("name", value)


def without_arguments(output: bytes) -> bytes:
    """The output of the tests, but for what their runner says when a case begins: it quotes the arguments, which are in
    the tests' source and did not come out of Ponte. Nothing else is left out; line numbers stay."""
    case = rb"^\xe2\x97\x87 Test case passing \d+ arguments? (?:(?!^[^ -~])[\s\S])*? to .* started\.$"
    plain = re.sub(rb"\x1b\[[0-9;]*m|\r$", b"", output, flags=re.M)
    return re.sub(case, lambda match: b"\n" * match[0].count(b"\n"), plain, flags=re.M)
