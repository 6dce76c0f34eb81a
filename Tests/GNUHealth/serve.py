#!/usr/bin/env python3
"""Serves GNU Health from copies of a prepared SQLite database, on a free port of 127.0.0.1.

With a command: runs it with the address in PONTE_GNUHEALTH_URL, stops, and ends as the command ended. Without one:
prints the address and serves until it is interrupted. The copies go when it stops.

Beside the database "gh", `POST /__worlds` lends clinics of one's own to the conformance kit, with the people of the
body on record, counts the calls to each, and takes them back.

Usage: serve.py template.sqlite database [command…]     (in the environment that scripts/gnuhealth prepares)
"""
import collections
import datetime
import functools
import io
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

# Two by two black pixels.
PHOTO = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a730000000b49444154789c636040060000"
    "0e0001a99173b10000000049454e44ae426082")
# As many as the kit runs checks at once.
WORLDS = 4
EMPTIED = ["gnuhealth_patient", "gnuhealth_person_name", "party_identifier", "party_contact_mechanism", "party_address",
           "party_party", "ir_session", "res_user_login_attempt"]


class Worlds:
    """Databases that are lent out one after the other, and the web application with them."""

    def __init__(self, app, folder, template):
        self.app, self.folder, self.template = app, pathlib.Path(folder), template
        self.lock = threading.Lock()
        # All of them before the first call comes. A database is prepared by setting up the classes of Tryton's models
        # again, which all databases share: meanwhile their fields have no names, and whoever is served at that time
        # gets an AssertionError, or an error without a text.
        self.free = [self.prepare(number) for number in range(WORLDS)]
        # Ids and rows by the people who were asked for.
        self.snapshots = {}
        self.counts = collections.defaultdict(collections.Counter)
        # What a colleague is still to change before calls: the party and the changes, by database and kind of call.
        self.changes = {}

    def __call__(self, environ, start_response):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if not path.startswith("/__worlds"):
            self.before(path.strip("/"), body)
            return self.app(environ, start_response)
        try:
            answer = self.answer(method, path.split("/")[2:], body)
            status = "200 OK"
        except Exception as error:
            traceback.print_exc()
            answer, status = {"error": str(error)}, "500 Internal Server Error"
        content = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def answer(self, method, parts, body):
        if not parts:
            return self.lend(json.loads(body))
        name = parts[0]
        if method == "DELETE":
            with self.lock:
                self.free.append(name)
            return {}
        if parts[1] == "counts":
            return self.counts[name]
        if parts[1] == "expire":
            self.execute(name, ["delete from ir_session"])
            return {}
        if parts[1] == "colleague":
            asked = json.loads(body)
            self.changes[name, asked["before"]] = int(asked["id"]), asked["changes"]
            return {}
        return {"keepsakes": self.keepsakes(name, int(parts[2]))}

    def before(self, name, body):
        """Counts a call, and lets a colleague be faster."""
        kind = self.kind(body)
        if not kind:
            return
        self.counts[name][kind] += 1
        party, changes = self.changes.get((name, kind), (0, []))
        if changes:
            self.change(name, party, changes.pop(0))

    @staticmethod
    def kind(body):
        try:
            call = json.loads(body)
            method, parameters = call["method"], call["params"]
        except (ValueError, KeyError, TypeError):
            return None
        kind = {"common.db.login": "login", "model.party.party.create": "create",
                "model.party.party.write": "update"}.get(method)
        if method == "model.party.party.search_read":
            fields = [clause[0] for clause in parameters[0]]
            kind = "list" if fields == ["is_patient"] else "get" if "id" in fields else "search"
        return kind

    def lend(self, people):
        name = self.taken()
        key = json.dumps(people)
        self.execute(name, [f"delete from {table}" for table in EMPTIED])
        if key not in self.snapshots:
            ids = [self.record(name, person) for person in people]
            self.snapshots[key] = ids, self.rows(name)
        else:
            self.fill(name, self.snapshots[key][1])
        self.counts[name].clear()
        for before in [before for before in list(self.changes) if before[0] == name]:
            del self.changes[before]
        return {"database": name, "ids": self.snapshots[key][0]}

    def taken(self):
        for _ in range(1200):
            with self.lock:
                if self.free:
                    return self.free.pop()
            time.sleep(0.1)
        raise TimeoutError("nobody gave a world back")

    def prepare(self, number):
        from trytond.pool import Pool
        name = f"world{number}"
        shutil.copyfile(self.template, self.folder / f"{name}.sqlite")
        Pool(name).init()
        return name

    @staticmethod
    def rows(name):
        """What stands in the tables that a party fills: putting it there again is much faster than Tryton's create."""
        from trytond.transaction import Transaction
        with Transaction().start(name, 0, readonly=True) as transaction:
            cursor = transaction.connection.cursor()
            return [(table, cursor.execute(f"select * from {table}").fetchall()) for table in EMPTIED]

    @staticmethod
    def fill(name, tables):
        from trytond.transaction import Transaction
        with Transaction().start(name, 0) as transaction:
            cursor = transaction.connection.cursor()
            for table, rows in reversed(tables):
                for row in rows:
                    cursor.execute(f"insert into {table} values ({', '.join('?' * len(row))})", tuple(row))
            transaction.commit()

    def record(self, name, person):
        """Puts a person on record as a clinic may have: also with a number or CPF that Tryton would refuse today."""
        from trytond.pool import Pool
        from trytond.transaction import Transaction
        given, _, family = person["name"].partition(" ")
        phones = [(self.type(digits), self.spelling(digits)) for digits in person["phones"]]
        mechanisms = phones + ([("email", person["email"])] if person["email"] else [])
        with Transaction().start(name, 1) as transaction:
            party, = Pool(name).get("party.party").create([{
                "name": given, "lastname": family or None, "gender": "u", "fed_country": None, "is_person": True,
                "is_patient": True, "create_target": True, "photo": PHOTO if person["image"] else None,
                "dob": datetime.date.fromisoformat(person["birthday"]) if person["birthday"] else None,
                "contact_mechanisms": [("create", [{"type": "other", "value": value} for _, value in mechanisms])],
                "identifiers": [("create", [{"code": person["cpf"]}])] if person["cpf"] else None,
            }])
            cursor = transaction.connection.cursor()
            for kind, value in mechanisms:
                cursor.execute("update party_contact_mechanism set type = ? where party = ? and value = ?",
                               (kind, party.id, value))
            cursor.execute("update party_identifier set type = 'br_cpf' where party = ?", (party.id,))
            transaction.commit()
            return party.id

    def change(self, name, party_id, change):
        """Changes a party as its form does."""
        from trytond.pool import Pool
        from trytond.transaction import Transaction
        (member, value), = change.items()
        with Transaction().start(name, 1) as transaction:
            party = Pool(name).get("party.party")(party_id)
            if member == "name":
                given, _, family = value.partition(" ")
                values = {"name": given, "lastname": family or None}
            elif member == "birthday":
                values = {"dob": datetime.date.fromisoformat(value)}
            else:
                kinds = ["email"] if member == "email" else ["mobile", "phone"]
                text = value if member == "email" else self.spelling(value)
                known = [mechanism.id for mechanism in party.contact_mechanisms if mechanism.type in kinds][:1]
                values = {"contact_mechanisms": [
                    ("write", known, {"value": text}) if known
                    else ("create", [{"type": kinds[0], "value": text}])]}
            party.__class__.write([party], values)
            transaction.commit()

    @staticmethod
    def type(digits):
        return "phone" if re.fullmatch(r"55..[2-5].{7}", digits) else "mobile"

    @staticmethod
    def spelling(digits):
        import phonenumbers
        number = phonenumbers.parse("+" + digits)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @staticmethod
    def execute(name, statements):
        from trytond.transaction import Transaction
        with Transaction().start(name, 0) as transaction:
            cursor = transaction.connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            transaction.commit()

    @staticmethod
    def keepsakes(name, party_id):
        """What the contract has no name for."""
        from trytond.pool import Pool
        from trytond.transaction import Transaction
        with Transaction().start(name, 1, readonly=True):
            found = Pool(name).get("party.party").search([("id", "=", party_id)])
            return [[party.ref, party.code, party.federation_account, party.gender, bool(party.photo),
                     [mechanism.value for mechanism in party.contact_mechanisms if mechanism.type != "email"]]
                    for party in found]


def main():
    template, database, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="ponte-gnuhealth-") as folder:
        shutil.copyfile(template, pathlib.Path(folder) / f"{database}.sqlite")
        # Tryton waits five seconds for another one's write, which is little where the machine is busy.
        sqlite3.connect = functools.partial(sqlite3.connect, timeout=60)
        from trytond.config import config

        config.update_etc(None)
        config.set("database", "uri", "sqlite://")
        config.set("database", "path", folder)
        # One that is meant to be tried with wrong passwords, too.
        config.set("session", "max_attempt", "1000000")
        config.set("session", "max_attempt_ip_network", "1000000")
        from trytond.pool import Pool
        from trytond.wsgi import app
        from werkzeug.serving import WSGIRequestHandler, make_server

        Pool.start()
        Pool(database).init()

        class Handler(WSGIRequestHandler):
            # Connections are kept, as behind the web servers that clinics put before it.
            protocol_version = "HTTP/1.1"

            def log_request(self, *_):
                pass

        server = make_server(
            "127.0.0.1", 0, Worlds(app, folder, template), threaded=True, request_handler=Handler)
        address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            if command:
                return subprocess.run(command, env=os.environ | {"PONTE_GNUHEALTH_URL": address}).returncode
            print(address, flush=True)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            thread.join()
        except KeyboardInterrupt:
            pass
        finally:
            server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
