"""Digits that are a Brazilian number and a mobile of another country: what a record, a create and a term make of
them; and which country codes there are."""
from __future__ import annotations

import phonenumbers

import plan
from differences import Difference
from phones import Numbers, is_foreign_mobile, judged


def inside(heads: list[list[int]], number: str) -> bool:
    return any(first <= int(number[:7]) <= last for first, last in heads)


DIRECTION = [
    Difference(
        "rounded up", "arredondado",
        "the table of foreign mobiles holds whole heads of four to seven digits: in a create these are foreign, in a "
        "search both",
        "a tabela de celulares estrangeiros guarda começos inteiros de quatro a sete dígitos: no cadastro são "
        "estrangeiros, na busca são os dois", "45 3710 0000",
        lambda number, heads, draft, terms: inside(heads, number) and draft == number
        and terms == [number, "55" + number]),
]


def table_faults(ask) -> tuple[list[str], list[list[list[int]]], str]:
    """Whether the table holds every collision, exactly, and is the one that libphonenumber's metadata makes."""
    faults = []
    tables = ask([["heads"]])[0]
    notes = []
    for length, heads in zip((10, 11), tables):
        exact = plan.collisions(length)
        unit = 10 ** (length - 7)
        ranges = [(first * unit, (last + 1) * unit) for first, last in heads]
        for start, end in exact:
            if plan.common(ranges, start, end) != end - start:
                faults.append(f"the table of {length} digits lacks numbers from {start} to {end - 1}")
        if [tuple(row) for row in heads] != plan.rounded(exact, length):
            faults.append(f"the table of {length} digits is not the one that --table prints")
        notes.append(f"{length} digits: {len(heads)} ranges, {plan.size(exact):,} numbers and "
                     f"{plan.size(ranges) / plan.size(exact) - 1:.0%} more")
    return faults, tables, "; ".join(notes)


def country_faults(ask, numbers: Numbers) -> list[str]:
    """Whether every country code is known, no other, and 0 kept where numbers begin with it."""
    faults = []
    known = set(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    prefixes = {str(code)[:length] for code in known for length in (1, 2, 3)}
    zero = plan.codes_with_zero()
    questions, expected = [], []
    for code in range(1, 1000):
        rest = "2" + numbers.digits(2) + "2" + numbers.digits(6)
        if code in known - {55}:
            questions.append(["phone", f"+{code}{rest}", 0])
            expected.append(f"{code}{rest}")
            if code not in (1, 7):
                questions.append(["phone", f"+{code}0{rest}", 0])
                expected.append(f"{code}0{rest}" if code in zero else f"{code}{rest}")
        elif not any(str(code)[:length] in map(str, known) for length in (1, 2, 3)) and str(code) not in prefixes:
            # A + before a Brazilian number is passed over.
            questions.append(["phone", f"+{code}{rest}0", 0])
            expected.append(None)
    for question, want, got in zip(questions, expected, ask(questions)):
        if got != want:
            faults.append(f"{question[1]}: {got} instead of {want}")
    return faults


def samples(numbers: Numbers, tables) -> list[str]:
    texts = []
    for length, heads in zip((10, 11), tables):
        for start, end in plan.collisions(length):
            texts += [str(numbers.random.randrange(start, end)) for _ in range(20)]
        for first, last in heads:
            unit = 10 ** (length - 7)
            texts += [str(numbers.random.randrange(first * unit, (last + 1) * unit)) for _ in range(40)]
    for area in plan.AREA_CODES:
        for kind in ("mobile", "landline", "oldMobile"):
            texts += [f"{area}{numbers.subscriber(kind)}" for _ in range(60)]
    return texts


def questions(texts: list[str]) -> list[list]:
    return [question for text in texts for question in (["phones", text, 0], ["draft", text, 0], ["term", text, 0])]


def expected(number: str) -> tuple[list[str], str, list[str]]:
    """What a record, a create and a term must make of digits that are a Brazilian number."""
    brazilian = "55" + number
    if is_foreign_mobile(number):
        return [brazilian], number, [number, brazilian]
    return [brazilian], brazilian, [brazilian]


# MARK: Equality

NINTH = Difference(
    "ninth digit", "nono dígito", "a mobile with and without its ninth digit is one line; two for libphonenumber",
    "um celular com e sem o nono dígito é a mesma linha; para a libphonenumber, duas", "31 8888-7777, 31 98888-7777",
    lambda a, b: sorted((a, b), key=len)[0] == (long := sorted((a, b), key=len)[1])[:4] + long[5:]
    and long.startswith("55") and len(long) == 13 and long[4] == "9" and long[5] in "6789")


def pairs(numbers: Numbers) -> list[tuple[str, str]]:
    found = []
    foreign = numbers.foreign()
    for _ in range(700):
        area, other = (str(numbers.random.choice(plan.AREA_CODES)) for _ in range(2))
        eight = numbers.random.choice("23456789") + numbers.digits(7)
        place = numbers.random.randrange(8)
        changed = eight[:place] + str((int(eight[place]) + 1) % 10) + eight[place + 1:]
        cluster = [f"55{area}{eight}", f"55{area}9{eight}", f"55{other}{eight}", f"55{other}9{eight}",
                   f"55{area}{changed}", f"55{area}9{changed}", "55800" + eight[1:], numbers.random.choice(foreign)]
        found += [(a, b) for a in cluster for b in cluster]
    everything = [number for pair in found for number in pair]
    found += [tuple(numbers.random.choice(everything) for _ in range(2)) for _ in range(15000)]
    return [(a, b) for a, b in found if len(a) <= 15 and len(b) <= 15 and readable(a) and readable(b)]


def readable(number: str) -> bool:
    """Whether it is a number for both: valid for the judge, an old mobile taken for what it is now."""
    if judged("+" + number) == number:
        return True
    return len(number) == 12 and number.startswith("55") and number[4] in "6789" and judged(
        f"+{number[:4]}9{number[4:]}") is not None


def same(a: str, b: str) -> bool:
    return phonenumbers.is_number_match("+" + a, "+" + b) == phonenumbers.MatchType.EXACT_MATCH
