#!/usr/bin/env python3
"""Holds a bill of materials, as scripts/sbom writes it, against CycloneDX's schema and against what must be in it.

    check_bom.py ponte.cdx.json
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# Of each group one must be there: what only a new build of Ponte mends, and what the system mends.
WANTED = [
    ("swift-runtime",), ("swift-foundation",), ("icu",), ("libdispatch",), ("swift-nio",), ("swift-crypto",),
    ("hummingbird",), ("grdb.swift",), ("libcurl4", "libcurl4t64", "libcurl.so.4"),
    ("libssl3", "libssl3t64", "libssl.so.3"), ("libsqlite3-0", "libsqlite3.so.0"),
]
# Resolved, and not in a program for Linux.
NOT_LINKED = ["swift-nio-transport-services"]


def faults(text):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        yield f"the schema refuses it: {error}"
    document = json.loads(text)
    components = {component["name"]: component for component in document["components"]}
    required = {name for name, component in components.items() if component.get("scope") == "required"}
    for names in WANTED:
        if not required.intersection(names):
            yield f"{' or '.join(names)} is not among what is required"
    for name in NOT_LINKED:
        if name in required:
            yield f"{name} is no part of the program"
    references = {component["bom-ref"]: component for component in document["components"]}
    if len(references) != len(document["components"]):
        yield "two components have one reference"
    for name, component in components.items():
        # Of a system without dpkg neither is known.
        if not name.startswith("lib") or ".so" not in name:
            for member in ("version", "licenses", "purl"):
                if not component.get(member):
                    yield f"{name} has no {member}"
    for dependency in document["dependencies"]:
        for reference in [dependency["ref"], *dependency.get("dependsOn", [])]:
            if reference != "ponte" and references.get(reference, {}).get("scope") != "required":
                yield f"{reference} is needed, and is no required component"
    needed = {reference for entry in document["dependencies"] for reference in entry.get("dependsOn", [])}
    for name in required:
        if components[name]["bom-ref"] not in needed:
            yield f"{name} is required, and nobody needs it"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    found = list(faults(text))
    for fault in found:
        print(f"bill of materials: {fault}")
    if found:
        sys.exit(1)
    print(f"bill of materials: {len(json.loads(text)['components'])} components, valid")


main()
