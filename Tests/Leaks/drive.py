"""Runs the built Ponte under traffic that is full of rare people and secrets, and searches all that it writes."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import clinics
from clinics import Clinic
from echo import EchoSystem
from people import People
from searching import Finding, Searcher
from traffic import FAULTS, Traffic

#: Refusals and failures that the traffic must have brought about, or it proves little.
EXPECTED = {200, 400, 401, 404, 405, 413, 415, 422, 502, 504}


class Failure(Exception):
    pass


class Run:
    def __init__(self, ponte: pathlib.Path, folder: pathlib.Path) -> None:
        self.ponte = ponte
        self.folder = folder
        self.output = folder / "output"
        #: The working directory of every process: a core file would be here.
        self.work = folder / "work"
        for place in (self.output, self.work, folder / "tmp", folder / "ledger"):
            place.mkdir(parents=True)
        self.searcher = Searcher()
        self.people = People()
        self.processes: list[subprocess.Popen] = []
        self.environment = {
            name: value for name, value in os.environ.items() if name not in ("SWIFT_BACKTRACE", "PONTE_LEAKS")
        } | {"TMPDIR": str(folder / "tmp")}

    def start(self, name: str, arguments: list[str], ready: str, ledger: bool = False) -> tuple:
        """A process, and what the group of `ready` found in its output."""
        out, err = (self.output / f"{name}.{stream}" for stream in ("out", "err"))
        environment = self.environment | ({"PONTE_LEAKS": str(self.folder)} if ledger else {})
        process = subprocess.Popen(
            [self.ponte, *arguments], stdin=subprocess.DEVNULL, stdout=out.open("w"), stderr=err.open("w"),
            env=environment, cwd=self.work)
        self.processes.append(process)
        deadline = time.monotonic() + 60
        while not (found := re.search(ready, out.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} did not start: {err.read_text()[-500:]}")
            time.sleep(0.05)
        return process, found[1]

    def stop(self, process: subprocess.Popen, number: int = signal.SIGTERM) -> int:
        process.send_signal(number)
        try:
            return process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def run(ponte: pathlib.Path, keep: bool) -> list[Finding | str]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ponte-leaks-"))
    run = Run(ponte, folder)
    try:
        return drive(run)
    except Failure as failure:
        return [str(failure)]
    finally:
        run.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def drive(run: Run) -> list[Finding | str]:
    echo = EchoSystem()
    everyone = open_clinics(run, echo)
    run.environment |= clinics.environment(everyone)
    server = clinics.write(run.folder / "config", everyone, server_settings(run, "json"))
    problems: list[Finding | str] = commands(run, server, everyone)
    serve, port = run.start("serve", ["serve", "--config", str(server), "--port", "0"], LISTENING)
    traffic = Traffic(int(port), run.people, run.searcher)
    with ThreadPoolExecutor(8) as pool:
        jobs = []
        for index, clinic in enumerate(everyone):
            faults = FAULTS[index * 3 % len(FAULTS):][:3] if clinic.admin else []
            jobs.append(pool.submit(traffic.everything, clinic, faults, order))
        jobs.append(pool.submit(reloads, run, serve, traffic))
        for job in jobs:
            job.result()
    status_pages(run, traffic)
    # What `ps` shows.
    shutil.copy(f"/proc/{serve.pid}/cmdline", run.output / "cmdline.txt")
    # As it is while it is in use, with what is not yet in the database's own file.
    for path in (run.folder / "config").glob("creates.db*"):
        shutil.copy(path, run.output / f"in-use-{path.name}")
    if run.stop(serve) != 0:
        problems.append("serve did not end with 0")
    problems += crashes(run, everyone, traffic)
    (run.output / "answers.txt").write_text("\n".join(traffic.answers))
    echo.close()
    problems += coverage(traffic, everyone)
    for path in sorted((run.folder / "ledger").iterdir()):
        for line in path.read_text().splitlines():
            run.searcher.add_line(line)
    return problems + search(run, traffic)


LISTENING = r'"message":"listening".*"port":(\d+)'


def open_clinics(run: Run, echo: EchoSystem) -> list[Clinic]:
    everyone = []
    for dialect in clinics.dialects():
        arguments = ["mock", "--dialect", dialect, "--port", "0", "--patients", "40"]
        _, url = run.start(f"mock-{dialect}", arguments, r" at (http://\S+)\n", ledger=True)
        upstream = clinics.upstream(dialect) | {"baseURL": url}
        settings = dict(clinics.SETTINGS.get(dialect, {}))
        if dialect == "fhir-azure":
            settings["tokenURL"] = url + "/oauth2/v2.0/token"
        if settings:
            upstream["settings"] = settings
        secrets = clinics.CREDENTIALS.get(dialect, {"token": clinics.TOKEN})
        everyone.append(Clinic(
            f"c-{dialect}", run.people.secret(), dialect, upstream, secrets, re.match(r"http://[^/]+", url)[0]))
    for name, dialect in (("rest", "agenda-demo"), ("feegow", "feegow"), ("fhir", "fhir-nilo"), ("tryton", "gnuhealth")):
        upstream = clinics.upstream(dialect) | {"baseURL": echo.url}
        names = clinics.CREDENTIALS.get(dialect, {"token": ""})
        secrets = {name: run.people.secret() for name in names}
        everyone.append(Clinic(f"echo-{name}", run.people.secret(), None, upstream, secrets))
    for clinic in everyone:
        run.searcher.add("token", clinic.key)
        for name, value in clinic.secrets.items():
            if value != clinics.USER:
                run.searcher.add("token", value)
    return everyone


def server_settings(run: Run, form: str) -> dict:
    settings = {
        "log": {"level": "trace", "format": form}, "reload": {"every": "1s"}, "idempotency": {"database": "creates.db"},
        "limits": {"connectionsPerAddress": 1000},
    }
    schema = json.loads((clinics.ROOT / "Config/schema/server.schema.json").read_text())
    if "operator" in schema["properties"]:
        settings["operator"] = {"listen": {"port": 0}}
    return settings


def order(clinic: Clinic, fault: str | None) -> None:
    """Tells the clinic's mock to misbehave, or not to."""
    connection = http.client.HTTPConnection(clinic.admin.removeprefix("http://"), timeout=10)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        if fault is None:
            connection.request("DELETE", "/__mock/faults")
        else:
            name, _, argument = fault.partition("=")
            rule = {"fault": name} | ({"argument": argument} if argument else {})
            connection.request("POST", "/__mock/faults", json.dumps(rule))
        if (status := connection.getresponse().status) not in (200, 201):
            raise Failure(f"the mock does not know the fault {fault}: {status}")


def reloads(run: Run, serve: subprocess.Popen, traffic: Traffic) -> None:
    """Files that are wrong, with people and secrets where they do not belong, read again and again."""
    tenants = run.folder / "config" / "tenants"
    good = json.loads((tenants / "c-agenda-demo.json").read_text())
    for number in range(8):
        client, secret = traffic.client(), traffic.secret()
        wrong = json.loads(json.dumps(good)) | {"id": "wrong"}
        match number:
            case 0: wrong["upstream"]["credentials"]["password"] = secret
            case 1: wrong["upstream"]["credentials"]["password"] = {"value": secret}
            case 2: wrong["inbound"]["keys"][0]["sha256"] = secret
            case 3: wrong["inbound"]["keys"][0]["key"] = secret
            case 4: wrong["upstream"]["baseURL"] = f"https://{secret}:{secret}@example.test/{secret}"
            case 5: wrong["upstream"]["credentials"]["password"] = {"file": "/nonexistent/password"}
            case 6: wrong["upstream"]["baseURL"] += f"?token={secret}"
        text = json.dumps(wrong)
        (tenants / "wrong.json").write_text(text.replace("}", f' "{secret}"', 1) if number == 7 else text)
        serve.send_signal(signal.SIGHUP)
        time.sleep(0.4)
    commands(run, run.folder / "config" / "server.json", [], suffix="-wrong")
    (tenants / "wrong.json").unlink()
    # A new secret for one that was: the tenant is made anew.
    serve.send_signal(signal.SIGHUP)


def status_pages(run: Run, traffic: Traffic) -> None:
    """Health, metrics and status, on the port for callers and on the operator's where there is one."""
    log = (run.output / "serve.out").read_text()
    ports = {traffic.port} | {int(port) for port in re.findall(r'"port":(\d+)', log)}
    pages = []
    for port in sorted(ports):
        for path in ("/health/live", "/health/ready", "/metrics", "/status", "/", "/health/ready?verbose=1"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                connection.request("GET", path)
                answer = connection.getresponse()
                pages.append(f"{port}{path} {answer.status}\n{answer.read().decode('utf-8', 'replace')}")
    (run.output / "pages.txt").write_text("\n".join(pages))


def commands(run: Run, server: pathlib.Path, everyone: list[Clinic], suffix: str = "") -> list[str]:
    """Commands that read the configuration with its secrets, call systems, or explain themselves."""
    config = ["--config", str(server)]
    lines = [["check", *config], ["check", "--json", *config], ["audit", *config], ["audit", "--json", *config],
             ["explain", "wrong", *config]]
    for clinic in everyone:
        if clinic.dialect in (None, "agenda-demo", "feegow", "gnuhealth", "fhir-hapi", "simplybook"):
            lines += [["explain", clinic.id, *config], ["report", clinic.id, *config]]
            lines += [["report", clinic.id, "--live", *config], ["doctor", clinic.id, *config]]
    if everyone:
        lines.append(["--help"])
        text = subprocess.run([run.ponte, "--help"], capture_output=True, text=True, cwd=run.work).stdout
        lines += [[name, "--help"] for name in re.findall(r"^  ([a-z-]+) ", text, re.M)]
        if len(lines) < 20:
            return ["ponte --help names no commands"]
    for number, arguments in enumerate(lines):
        name = "-".join(part for part in arguments[:2] if "/" not in part).replace("--", "")
        with (run.output / f"command-{number}-{name}{suffix}.txt").open("w") as output:
            subprocess.run(
                [run.ponte, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=run.environment,
                cwd=run.work, timeout=120)
    return []


def crashes(run: Run, everyone: list[Clinic], traffic: Traffic) -> list[str]:
    """Ends it in every way in which a program crashes, while calls are under way."""
    problems = []
    server = clinics.write(run.folder / "config", everyone, server_settings(run, "text"))
    by_id = {clinic.id: clinic for clinic in everyone}
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGTRAP, signal.SIGBUS, signal.SIGFPE):
        name = f"crash-{number.name}"
        serve, port = run.start(name, ["serve", "--config", str(server), "--port", "0"], r"listening .*port=(\d+)")
        traffic.port = int(port)
        clinic = by_id["c-agenda-demo"]
        traffic.call(clinic, "GET", "/clients?limit=2")
        order(clinic, "blackhole")
        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                client = traffic.client()
                pool.submit(traffic.call, clinic, "POST", "/clients", client)
            time.sleep(0.2)
            if run.stop(serve, number) != -number:
                problems.append(f"{name}: it did not end by the signal")
        order(clinic, None)
        if re.search(r"Registers|Backtrac|^r[a-d]x ", (run.output / f"{name}.err").read_text(), re.M):
            problems.append(f"{name}: standard error shows registers or memory")
    if cores := [path.name for path in run.work.iterdir()]:
        problems.append(f"the processes left files behind: {cores}")
    return problems


def coverage(traffic: Traffic, everyone: list[Clinic]) -> list[str]:
    """Whether the traffic was what it is meant to be."""
    problems = []
    if missing := EXPECTED - set(traffic.statuses):
        problems.append(f"the traffic is too tame: no answer had the status {sorted(missing)}")
    for clinic in everyone:
        if clinic.admin and not any(traffic.good.get((clinic.id, method)) for method in ("GET", "POST")):
            problems.append(f"the traffic is too tame: {clinic.id} answered nothing well")
    return problems


def search(run: Run, traffic: Traffic) -> list[Finding | str]:
    """Everything that was written; and whether a value that is planted in each place is seen."""
    # Inputs hold what they must: the configuration's folder has files that Ponte wrote, and secrets that it read.
    places = [path for folder in (run.output, run.folder / "tmp", run.work) for path in folder.rglob("*")]
    places += list((run.folder / "config").glob("creates.db*"))
    places = sorted(path for path in places if path.is_file())
    planted = run.people.client()
    for name, kind in run.searcher.MEMBERS.items():
        if name in planted:
            run.searcher.add(kind, planted[name], rare=True)
    problems: list[Finding | str] = []
    size = 0
    for path in places:
        data = path.read_bytes()
        size += len(data)
        problems += run.searcher.search(data, str(path.relative_to(run.folder)))
        seen = run.searcher.search(data[-2000:] + json.dumps(planted).encode(), "planted")
        if not {"name", "phone", "cpf", "email", "birthday"} <= {finding.kind for finding in seen}:
            problems.append(f"{path.name}: what was planted there was not found")
    counts = ", ".join(f"{count} × {kind}" for kind, count in run.searcher.counts.items())
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(traffic.statuses.items()))
    print(f"{traffic.requests} requests, answered {answers}")
    print(f"searched {len(places)} places, {size >> 10} KiB, for {counts}; left out as too common: "
          f"{run.searcher.skipped or 'none'}")
    return problems
