#!/usr/bin/env python3
"""Holds Ponte's values against other people's libraries: phones against libphonenumber, CPFs against python-stdnum,
days against datetime, e-mail addresses against email-validator, names against unicodedata.

Where they differ, the difference must have a name (differences.py, direction.py, texts.py); one without fails the
run. The tables of docs/values.md and docs/values.pt-BR.md are made here and checked here.

Usage: check_values.py path/to/values-probe [--write | --table]
    --write    write the documents' tables anew
    --table    print the rows of ForeignMobiles.swift
Needs the Python packages in requirements.txt.
"""
from __future__ import annotations

import collections
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True

import direction
import phones
import plan
import texts
from differences import PHONES, Difference, classify

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 20261124
DOCUMENTS = {"docs/values.md": 0, "docs/values.pt-BR.md": 1}


class Probe:
    def __init__(self, path: str):
        self.path = path

    def __call__(self, questions: list[list]) -> list:
        lines = "".join(json.dumps(question) + "\n" for question in questions)
        run = subprocess.run([self.path], input=lines, capture_output=True, text=True, check=True)
        answers = [json.loads(line) for line in run.stdout.split("\n") if line]
        if len(answers) != len(questions):
            raise SystemExit(f"{len(questions)} questions, {len(answers)} answers")
        return answers


class Check:
    """One kind of value: how many questions, what differed by name, and what must not have."""

    def __init__(self, name: str, differences: list[Difference]):
        self.name, self.differences = name, differences
        self.asked = 0
        self.counts: collections.Counter[str] = collections.Counter()
        self.faults: list[str] = []
        self.notes: list[str] = []

    def compare(self, agree: bool, told: str, *facts) -> None:
        self.asked += 1
        if agree:
            return
        name = classify(self.differences, *facts)
        if name is None:
            self.faults.append(told)
        else:
            self.counts[name] += 1

    def report(self) -> None:
        print(f"{self.name}: {self.asked:,} compared, {self.asked - sum(self.counts.values()) - len(self.faults):,} "
              f"agree, {sum(self.counts.values()):,} differ by name, {len(self.faults)} without one")
        for note in self.notes:
            print(f"    {note}")
        for difference in self.differences:
            if not self.counts[difference.name]:
                self.faults.append(f"nothing differs by \"{difference.name}\": take it out")
        for fault in self.faults[:20]:
            print(f"    FAULT {fault}")

    def table(self, language: int) -> list[str]:
        lines = [("| {} compared | differ | for example | why |", "| {} comparados | diferem | por exemplo | por quê |")
                 [language].format(grouped(self.asked, language)), "| --- | --- | --- | --- |"]
        for difference in self.differences:
            name, why = ((difference.name, difference.why), (difference.nome, difference.porque))[language]
            count = grouped(self.counts[difference.name], language)
            lines.append(f"| {name} | {count} | `{difference.example}` | {why} |")
        return lines


def grouped(number: int, language: int) -> str:
    return f"{number:,}".replace(",", ".") if language else f"{number:,}"


def check_phones(ask: Probe) -> Check:
    check = Check("phones", PHONES)
    cases = phones.everything(SEED)
    for case, ours in zip(cases, ask([["phones", case.text, case.area] for case in cases])):
        judge: list[str] = []
        for text in case.questions:
            if (number := phones.judged(text)) and number not in judge:
                judge.append(number)
        check.compare(ours == judge, f"{case.text!r} (area code {case.area}): {ours}, judged {judge}",
                      case, ours, judge)
    for difference in PHONES:
        # The documents' examples are what they are said to be.
        case = phones.Case(difference.example.replace("⇥", "\t"), *difference.context)
        ours, judge = ask([["phones", case.text, case.area]])[0], list(filter(None, map(phones.judged, case.questions)))
        if ours == judge or classify(PHONES, case, ours, judge) != difference.name:
            check.faults.append(f"the example {case.text!r} does not show \"{difference.name}\": {ours}, judged {judge}")
    return check


def check_direction(ask: Probe) -> Check:
    check = Check("direction", direction.DIRECTION)
    numbers = phones.Numbers(SEED)
    faults, tables, note = direction.table_faults(ask)
    check.faults += faults + direction.country_faults(ask, numbers)
    check.notes.append(note)
    samples = direction.samples(numbers, tables)
    answers = ask(direction.questions(samples))
    for place, number in enumerate(samples):
        record, draft, terms = answers[3 * place:3 * place + 3]
        check.compare((record, draft, terms) == direction.expected(number),
                      f"{number}: record {record}, create {draft}, term {terms}",
                      number, tables[len(number) - 10], draft, terms)
        if record != ["55" + number]:
            check.faults.append(f"{number}: a record reads {record}")
    return check


def check_equality(ask: Probe) -> Check:
    check = Check("equality", [direction.NINTH])
    pairs = direction.pairs(phones.Numbers(SEED))
    for (a, b), ours in zip(pairs, ask([["equal", a, b] for a, b in pairs])):
        check.compare(ours == direction.same(a, b), f"{a} and {b}: {ours}", a, b)
        if direction.NINTH.fits(a, b) and not ours:
            check.faults.append(f"{a} and {b} are one line")
    return check


def check_cpfs(ask: Probe) -> Check:
    check = Check("cpf", texts.CPFS)
    cases = texts.cpf_cases(phones.Numbers(SEED))
    answers = ask([["cpf", text, padded] for text, padded in cases])
    strict = ask([["draftCPF", text, 1] for text, _ in cases])
    for (text, padded), ours, kept in zip(cases, answers, strict):
        judge = texts.cpf_judged(text, padded)
        check.compare(ours == judge, f"{text!r}: {ours}, judged {judge}", text, padded, ours, judge)
        # A tenant that demands check digits takes a create with a valid one and refuses the rest.
        if not padded and kept != (ours[0] if ours and ours[2] else None):
            check.faults.append(f"{text!r}: a create keeps {kept}")
    return check


def check_days(ask: Probe) -> Check:
    check = Check("days", texts.DAYS)
    cases = texts.day_cases(phones.Numbers(SEED))
    read = ask([["readDay", *case] for case in cases])
    for case, ours in zip(cases, read):
        judge = texts.day_judged(*case)
        check.compare(ours == judge, f"{case}: {ours}, judged {judge}", *case, ours, judge)
    # What was read is written as the judge writes it; what would not be read back is not written.
    days = [(pattern, day, today) for (pattern, _, today), day in zip(cases, read) if day]
    lines = ask([["writeDay", *day] for day in days])
    back = ask([["readDay", pattern, text or "", today] for (pattern, _, today), text in zip(days, lines)])
    for (pattern, day, today), text, again in zip(days, lines, back):
        want = texts.written(pattern, *map(int, day.split("-")))
        check.asked += 1
        if (text, again) != (want, day):
            check.faults.append(f"{day} as {pattern}: {text}, read back as {again}")
    others = [(pattern, day, texts.TODAY.isoformat()) for pattern, _, _ in cases if "yyyy" not in pattern
              for day in ("1900-01-01", "1926-11-24", "1926-11-25", "2026-11-24", "2026-11-25", "2030-01-01")]
    for (pattern, day, _), text in zip(others, ask([["writeDay", *day] for day in others])):
        if (text is not None) != ("1926-11-25" <= day <= "2026-11-24"):
            check.faults.append(f"{day} as {pattern}: {text}")
    return check


def check_emails(ask: Probe) -> Check:
    check = Check("e-mail", texts.EMAILS)
    cases = texts.email_cases(phones.Numbers(SEED))
    for text, ours in zip(cases, ask([["email", text] for text in cases])):
        complaint = texts.email_judged(text)
        check.compare(ours == (complaint is None), f"{text!r}: {ours}, judged {complaint}", text, ours, complaint)
    # Equality: without case, trimmed, canonical.
    for text, key in zip(cases, ask([["emailKey", text] for text in cases])):
        if texts.canonical(key) != texts.canonical(text.strip().lower()):
            check.faults.append(f"{text!r}: compared as {key!r}")
    return check


def check_names(ask: Probe) -> Check:
    check = Check("names", texts.NAMES)
    pairs = texts.name_pairs(phones.Numbers(SEED))
    keys = iter(ask([["nameKey", name] for pair in pairs for name in pair]))
    for a, b in pairs:
        ours = [texts.canonical(next(keys)) for _ in range(2)]
        judge = texts.name_key(a) == texts.name_key(b)
        check.compare((ours[0] == ours[1]) == judge, f"{a!r} and {b!r}: {ours}", a, b, ours)
    return check


def document(path: pathlib.Path, language: int, checks: list[Check], write: bool) -> list[str]:
    """Puts the tables between their marks, or says where they are not as they must be."""
    text = path.read_text(encoding="utf-8")
    for check in checks:
        start, end = f"<!-- {check.name}: made by Tests/Oracles/check_values.py --write -->", f"<!-- {check.name}: end -->"
        if start not in text or end not in text:
            return [f"{path.name} has no place for the table of {check.name}"]
        head, rest = text.split(start)
        text = "\n".join([head + start, *check.table(language), end + rest.split(end)[1]])
    if write:
        path.write_text(text, encoding="utf-8")
    elif text != path.read_text(encoding="utf-8"):
        return [f"{path.name} is out of date: run check_values.py with --write"]
    return []


def main(arguments: list[str]) -> int:
    if "--table" in arguments:
        for length in (10, 11):
            print(f"{length} digits:\n{plan.swift(plan.rounded(plan.collisions(length), length))}")
        return 0
    ask = Probe(arguments[0])
    checks = [run(ask) for run in (check_phones, check_direction, check_equality, check_cpfs, check_days, check_emails,
                                   check_names)]
    for check in checks:
        check.report()
    faults = sum(len(check.faults) for check in checks)
    for name, language in DOCUMENTS.items():
        for fault in document(ROOT / name, language, checks, "--write" in arguments):
            print(f"FAULT {fault}")
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
