#!/usr/bin/env python3
"""Serves GNU Health from a copy of a prepared SQLite database, on a free port of 127.0.0.1.

With a command: runs it with the address in PONTE_GNUHEALTH_URL, stops, and ends as the command ended. Without one:
prints the address and serves until it is interrupted. The database's copy goes when it stops.

Usage: serve.py template.sqlite database [command…]     (in the environment that scripts/gnuhealth prepares)
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading


def main():
    template, database, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="ponte-gnuhealth-") as folder:
        shutil.copyfile(template, pathlib.Path(folder) / f"{database}.sqlite")
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

        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
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
