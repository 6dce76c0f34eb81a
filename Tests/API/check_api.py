#!/usr/bin/env python3
"""Holds docs/openapi.json and the running program against each other, with Schemathesis.

Usage: check_api.py path/to/ponte [option of `schemathesis run` …]     (needs what requirements.txt names)
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
USERS = {"demo": "demo-key-not-for-production", "other": "other-key-not-for-production"}
CREDENTIALS = {"PONTE_DEMO_USER": "ponte", "PONTE_DEMO_PASSWORD": "senha-de-demonstracao"}


@contextlib.contextmanager
def running(command: list[str], ready: str, log: pathlib.Path):
    """Starts a program that ends with the block; yields what the group of `ready` finds in its output."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | CREDENTIALS)
    try:
        yield wait_for(process, re.compile(ready), log)
        if process.poll() is not None:
            sys.exit(f"{command[1]} ended by itself:\n{log.read_text()[-2000:]}")
        process.terminate()
        if process.wait(30) != 0:
            sys.exit(f"{command[1]} ended with status {process.returncode} when it was told to stop")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for(process: subprocess.Popen, ready: re.Pattern, log: pathlib.Path) -> str:
    while True:
        ended = process.poll() is not None
        if found := ready.search(log.read_text()):
            return found[1]
        if ended:
            sys.exit(f"it did not start:\n{log.read_text()}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


def tenant(name: str, key: str, url: str) -> dict:
    """The demo tenant, under another name, key and address."""
    file = json.loads((ROOT / "Config/tenants/demo.json").read_text())
    file["id"] = name
    file["inbound"]["keys"] = [{"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest()}]
    file["upstream"]["baseURL"] = url
    return file


def users() -> dict:
    """Who calls, each by one of the two ways to send a key, in the form of Web Fuzzing Commons."""
    headers = {
        "demo": {"name": "Authorization", "value": f"Bearer {USERS['demo']}"},
        "other": {"name": "X-API-Key", "value": USERS["other"]},
    }
    return {"auth": [{"name": name, "fixedHeaders": [header]} for name, header in headers.items()]}


def main() -> int:
    ponte, options = os.path.abspath(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "tenants").mkdir()
        shutil.copytree(ROOT / "Config/drivers", folder / "drivers")
        for file in ("schemathesis.toml", "formats.py"):
            shutil.copy(HERE / file, folder)
        (folder / "users.json").write_text(json.dumps(users()))
        (folder / "server.json").write_text("{}")
        for number, (user, key) in enumerate(USERS.items()):
            # Other patients in each, and none with the ids that the first one gives to new clients.
            command = [ponte, "mock", "--port", "0", "--seed", str(number), "--patients", str(150 - 50 * number)]
            url = stack.enter_context(running(command, r" at (http://[0-9.:]+)\n", folder / f"mock-{user}.log"))
            (folder / "tenants" / f"{user}.json").write_text(json.dumps(tenant(user, key, url)))
        command = [ponte, "serve", "--config", str(folder / "server.json"), "--port", "0"]
        port = stack.enter_context(running(command, r'"message":"listening".*"port":(\d+)', folder / "ponte.log"))
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
        command += [str(ROOT / "docs/openapi.json"), "--url", f"http://127.0.0.1:{port}", "--checks", "all", *options]
        return subprocess.run(command, cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main())
