"""The numbers that are both a Brazilian number and a mobile of another country, exactly, out of libphonenumber's
regular expressions."""
from __future__ import annotations

import functools
from re import _parser as regex

import phonenumbers
from phonenumbers import PhoneMetadata

DIGITS = "0123456789"
# libphonenumber's pattern of Brazilian fixed lines names the 67 area codes; so does Anatel.
AREA_CODES = [
    code for code in range(10, 100)
    if phonenumbers.is_valid_number(phonenumbers.parse(f"+55{code}987654321"))
]

# A pattern is a tree of ("digits", set), ("all", parts) and ("any", alternatives). What is left of it after some
# digits is a set of stacks of such trees.
Stack = tuple


def tree(items) -> tuple:
    parts = []
    for kind, value in items:
        match str(kind):
            case "LITERAL":
                parts.append(("digits", frozenset(chr(value))))
            case "IN":
                allowed = set()
                for one, what in value:
                    match str(one):
                        case "LITERAL": allowed.add(chr(what))
                        case "RANGE": allowed |= {chr(code) for code in range(what[0], what[1] + 1)}
                        case "CATEGORY": allowed |= set(DIGITS)
                        case other: raise ValueError(other)
                parts.append(("digits", frozenset(allowed)))
            case "BRANCH":
                parts.append(("any", tuple(tree(branch) for branch in value[1])))
            case "SUBPATTERN":
                parts.append(tree(value[3]))
            case "MAX_REPEAT":
                least, most, inner = value[0], min(int(value[1]), 15), tree(value[2])
                more = ("all", ())
                for _ in range(most - least):
                    more = ("any", (("all", ()), ("all", (inner, more))))
                parts += [inner] * least + [more]
            case other:
                raise ValueError(other)
    return ("all", tuple(parts))


def opened(stacks: frozenset[Stack]) -> set[Stack]:
    """The stacks with digits on top, and the empty one where the pattern may end."""
    result, todo, seen = set(), list(stacks), set(stacks)
    while todo:
        stack = todo.pop()
        if not stack or stack[0][0] == "digits":
            result.add(stack)
            continue
        (kind, parts), rest = stack[0], stack[1:]
        for following in [parts + rest] if kind == "all" else [(part,) + rest for part in parts]:
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return result


def after(stacks: frozenset[Stack], digit: str) -> frozenset[Stack]:
    return frozenset(stack[1:] for stack in opened(stacks) if stack and digit in stack[0][1])


@functools.cache
def share(stacks: frozenset[Stack], left: int) -> str:
    """Whether "all", "some" or "none" of the ways to go on with so many digits fit."""
    if not stacks:
        return "none"
    if left == 0:
        return "all" if () in opened(stacks) else "none"
    shares = {share(after(stacks, digit), left - 1) for digit in DIGITS}
    return shares.pop() if len(shares) == 1 else "some"


def looks_brazilian(head: str, length: int) -> bool:
    """Whether a number of this length that begins so can be an area code and a subscriber number."""
    if len(head) < 2:
        return True
    if int(head[:2]) not in AREA_CODES:
        return False
    return len(head) < 3 or (head[2] == "9" if length == 11 else head[2] >= "2")


def collisions(length: int) -> list[tuple[int, int]]:
    """Ranges of numbers of 10 or 11 digits, sorted, ends left out."""
    heads: list[str] = []

    def walk(head: str, stacks: frozenset[Stack], left: int) -> None:
        if not looks_brazilian(head, length) or (found := share(stacks, left)) == "none":
            return
        if found == "all" and len(head) >= 3:
            heads.append(head)
            return
        for digit in DIGITS:
            walk(head + digit, after(stacks, digit), left - 1)

    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        left = length - len(str(code))
        patterns = []
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            if metadata and metadata.mobile and metadata.mobile.national_number_pattern:
                if left in (metadata.mobile.possible_length or metadata.general_desc.possible_length):
                    patterns.append(tree(regex.parse(metadata.mobile.national_number_pattern)))
        if patterns and code != 55:
            walk(str(code), frozenset({(("any", tuple(patterns)),)}), left)
    return joined((int(head) * 10 ** (length - len(head)), (int(head) + 1) * 10 ** (length - len(head)))
                  for head in heads)


def joined(ranges) -> list[tuple[int, int]]:
    result: list[list[int]] = []
    for start, end in sorted(ranges):
        if result and result[-1][1] >= start:
            result[-1][1] = max(end, result[-1][1])
        else:
            result.append([start, end])
    return [(start, end) for start, end in result]


def size(ranges) -> int:
    return sum(end - start for start, end in ranges)


def common(ranges, start: int, end: int) -> int:
    """How many numbers of a range stand in the ranges."""
    return sum(max(0, min(end, b) - max(start, a)) for a, b in ranges)


def rounded(exact, length: int, fewest: int = 4, most: int = 7, worth: float = 0.1) -> list[tuple[int, int]]:
    """The ranges rounded up to whole heads of `fewest` to `most` digits: the shortest heads of which at least `worth`
    collides. First and last seven digits."""
    found = []

    def walk(head: str) -> None:
        start, end = int(head) * 10 ** (length - len(head)), (int(head) + 1) * 10 ** (length - len(head))
        hit = common(exact, start, end)
        if hit == 0:
            return
        if len(head) == most or (len(head) >= fewest and hit >= worth * (end - start)):
            found.append((start, end))
            return
        for digit in DIGITS:
            walk(head + digit)

    for area in AREA_CODES:
        walk(str(area))
    unit = 10 ** (length - most)
    return [(start // unit, end // unit - 1) for start, end in joined(found)]


def swift(heads: list[tuple[int, int]]) -> str:
    """The rows of ForeignMobiles.swift."""
    lines, line = [], ""
    for first, last in heads:
        item = f"({grouped(first)}, {grouped(last)}),"
        if len(line) + len(item) > 105:
            lines.append(line)
            line = ""
        line += (" " if line else "") + item
    return "\n".join("        " + text for text in lines + [line])


def grouped(head: int) -> str:
    return f"{head:,}".replace(",", "_")


def codes_with_zero() -> set[int]:
    """The country codes whose national numbers may begin with 0."""
    found = set()
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
            kinds = [metadata.mobile, metadata.fixed_line] if region != "001" else [metadata.general_desc]
            for kind in kinds:
                if kind and kind.national_number_pattern:
                    pattern = after(frozenset({(tree(regex.parse(kind.national_number_pattern)),)}), "0")
                    if any(share(pattern, left) != "none" for left in range(1, 15)):
                        found.add(code)
    return found
