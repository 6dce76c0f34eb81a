"""Phone numbers in every spelling, judged by libphonenumber (PyPI phonenumbers)."""
from __future__ import annotations

import random
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType, PhoneMetadata
from re import _parser as regex

import plan

MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
# Marks that copying brings along, and blanks and dashes beyond ASCII.
BLANK, DASH, MARK = "\u00a0", "\u2011", "\u202a"


@dataclass(frozen=True)
class Case:
    text: str
    area: int = 0
    # What the judge reads instead, where it cannot read the text: numbers apart, an area code in front.
    asked: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[str, ...]:
        return self.asked or (self.text,)


def judged(text: str) -> str | None:
    """The E.164 digits of a text that libphonenumber holds to be a valid number."""
    try:
        number = phonenumbers.parse(text, "BR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def is_foreign_mobile(digits: str) -> bool:
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return False
    return number.country_code != 55 and phonenumbers.number_type(number) in MOBILE


class Numbers:
    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def digits(self, count: int) -> str:
        return "".join(self.random.choice(plan.DIGITS) for _ in range(count))

    def subscriber(self, kind: str) -> str:
        match kind:
            case "mobile": return "9" + self.digits(8)
            case "landline": return self.random.choice("2345") + self.digits(7)
            case "oldMobile": return self.random.choice("6789") + self.digits(7)
            case "noLandline": return self.random.choice("01") + self.digits(7)
            case _: return self.random.choice("012345678") + self.digits(8)

    def fitting(self, pattern: str, length: int) -> str | None:
        """Digits of a length that a regular expression fits."""
        stacks = frozenset({(plan.tree(regex.parse(pattern)),)})
        text = ""
        for left in range(length, 0, -1):
            ways = [digit for digit in plan.DIGITS if plan.share(plan.after(stacks, digit), left - 1) != "none"]
            if not ways:
                return None
            text += (digit := self.random.choice(ways))
            stacks = plan.after(stacks, digit)
        return text

    def foreign(self) -> list[str]:
        """Digits of a valid mobile and a valid fixed line of every region but Brazil, country code included."""
        result = []
        for region in sorted(phonenumbers.SUPPORTED_REGIONS - {"BR"}):
            metadata = PhoneMetadata.metadata_for_region(region)
            for kind in (metadata.mobile, metadata.fixed_line):
                if kind and kind.national_number_pattern:
                    length = self.random.choice(kind.possible_length or metadata.general_desc.possible_length)
                    if number := self.fitting(kind.national_number_pattern, length):
                        result.append(f"{metadata.country_code}{number}")
        return result


CARRIERS = ["15", "21", "31", "41", "14", "12", "43", "24", "25", "99", "17", "32", "36", "85"]


def spellings(area: str, number: str, numbers: Numbers) -> list[str]:
    """How Brazilian clinics write a number."""
    head, tail = number[:-4], number[-4:]
    carrier = numbers.random.choice(CARRIERS)
    return [
        f"55{area}{number}", f"+55{area}{number}", f"0055{area}{number}", f"+55 {area} {head}-{tail}",
        f"+55 ({area}) {head}-{tail}", f"00 55 {area} {head} {tail}", f"55 {area} {head}.{tail}",
        f"+55 (0{area}) {head}-{tail}", f"+55 0{area} {head}{tail}", f"(55) {area} {head}-{tail}",
        f"{area}{number}", f"0{area}{number}", f"({area}) {head}-{tail}", f"({area}){head}{tail}",
        f"(0{area}) {head}-{tail}", f"{area} {head} {tail}", f"{area}.{head}.{tail}", f"{area}-{head}-{tail}",
        f"{area}/{head}-{tail}", f" {area}\t{head}-{tail} ", f"{area}{BLANK}{head}{DASH}{tail}",
        f"{MARK}+55{BLANK}{area}{BLANK}{head}{DASH}{tail}\u202c",
        f"0{carrier}{area}{number}", f"0 {carrier} {area} {head}-{tail}", f"(0{carrier}{area}) {head}-{tail}",
        f"0{carrier} ({area}) {head}-{tail}", f"0xx{area} {head}-{tail}", f"(0xx{area}) {head}-{tail}",
        f"+{area} {head}-{tail}", f"000{area}{number}", f"0{55}{area}{number}",
        f"({area}) {head}-{tail} ramal {tail[:2]}", f"{area} {head}-{tail} r. 7", f"({area}) {head}-{tail} x12",
        f"+55 {area} {head}-{tail} ext. 5", f"({area}) {head}-{tail} (Ana Teste)", f"{area}{number}#12",
        f"Tel: ({area}) {head}-{tail}", f"{area} {head}-{tail} whatsapp",
    ]


def brazilian(numbers: Numbers) -> list[Case]:
    cases = []
    for area in range(10, 100):
        for kind in ("mobile", "landline", "oldMobile", "noLandline", "noMobile"):
            for _ in range(3 if kind in ("mobile", "landline", "oldMobile") else 1):
                cases += [Case(text) for text in spellings(str(area), numbers.subscriber(kind), numbers)]
    return cases


def local(numbers: Numbers) -> list[Case]:
    """Numbers without an area code, in a clinic that has one and in one that has none."""
    cases = []
    for area in plan.AREA_CODES:
        for kind in ("mobile", "landline", "oldMobile", "noLandline", "noMobile"):
            for _ in range(3):
                number = numbers.subscriber(kind)
                head, tail = number[:-4], number[-4:]
                for text in (number, f"{head}-{tail}", f"{head} {tail}", f"{head}.{tail} ", f"0{number}"):
                    cases.append(Case(text, area, (f"+55 {area} {number}",)))
                cases.append(Case(f"{head}-{tail}"))
    return cases


def services(numbers: Numbers) -> list[Case]:
    cases = []
    for prefix in ("800", "300", "303", "500", "900"):
        for _ in range(60):
            seven, six = numbers.digits(7), numbers.digits(6)
            cases += [Case(text) for text in (
                f"0{prefix}{seven}", f"0{prefix} {seven[:3]} {seven[3:]}", f"0{prefix}-{seven}", f"+55{prefix}{seven}",
                f"55{prefix}{seven}", f"+55 0{prefix} {seven}", f"0{prefix} {six}", f"{prefix}{seven}")]
    for prefix in ("3003", "4003", "4004", "4007", "4020", "3000", "4864", "4370"):
        for _ in range(30):
            four, area = numbers.digits(4), numbers.random.choice(plan.AREA_CODES)
            cases += [Case(text, here) for here in (0, area) for text in (
                f"{prefix}{four}", f"{prefix}-{four}", f"+55 {prefix} {four}", f"55{prefix}{four}")]
            cases.append(Case(f"({area}) {prefix}-{four}"))
    return cases


def foreign(numbers: Numbers) -> list[Case]:
    cases = []
    for _ in range(6):
        for digits in numbers.foreign():
            spaced = phonenumbers.format_number(
                phonenumbers.parse("+" + digits), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            cases += [Case(text) for text in (
                f"+{digits}", f"00{digits}", digits, spaced, f"({spaced.split(' ')[0]}) {spaced.partition(' ')[2]}")]
    for code in range(1, 1000):
        cases += [Case(f"+{code}{numbers.digits(numbers.random.randint(4, 12))}") for _ in range(3)]
    return cases


def garbage(numbers: Numbers) -> list[Case]:
    cases = []
    alphabet = "0011234555556789999+()-./ x,;#*aé\u00a0\u0660\uff11"
    for _ in range(6000):
        cases.append(Case("".join(numbers.random.choice(alphabet) for _ in range(numbers.random.randint(0, 20)))))
    for _ in range(3000):
        cases.append(Case(numbers.digits(numbers.random.randint(0, 18))))
    return cases


SEPARATORS = [" / ", "/", "; ", ", ", ",", " | ", " ou ", " e ", "\n", " - ", "  ", " (Ana) "]


def several(numbers: Numbers) -> list[Case]:
    cases = []
    for _ in range(2500):
        pieces, area = [], ""
        for place in range(numbers.random.choice((2, 2, 2, 3))):
            kind = numbers.random.choice(("mobile", "landline"))
            number = numbers.subscriber(kind)
            head, tail = number[:-4], number[-4:]
            if place == 0 or numbers.random.random() < 0.6:
                area = str(numbers.random.choice(plan.AREA_CODES))
                text = numbers.random.choice((f"({area}) {head}-{tail}", f"{area} {head}-{tail}", f"{area}{number}",
                                              f"+55 {area} {head}{tail}", f"0{area} {head}-{tail}"))
            else:
                # The area code of the number before it.
                text = f"{head}-{tail}"
            pieces.append((text, f"+55 {area} {number}"))
        separator = numbers.random.choice(SEPARATORS)
        cases.append(Case(separator.join(text for text, _ in pieces), 0, tuple(asked for _, asked in pieces)))
    return cases


def everything(seed: int) -> list[Case]:
    numbers = Numbers(seed)
    cases = []
    for make in (brazilian, local, services, foreign, garbage, several):
        cases += make(numbers)
    return cases
