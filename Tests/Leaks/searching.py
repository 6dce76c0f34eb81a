"""Finds people and secrets in whatever was written, in every spelling that software gives them.

Not the values are spelt in many ways, but the text is read in many ways: as it is, and decoded (percent, JSON and HTML
escapes, base64, hexadecimal), twice over. What is left is compared by what it means: digits of phones and CPFs whatever
stands between them, words of names without case and accents, days whatever their order.
"""
import base64
import binascii
import datetime
import hashlib
import html
import json
import re
import unicodedata
import urllib.parse
from dataclasses import dataclass

KINDS = ["name", "phone", "cpf", "email", "birthday", "text", "token"]


@dataclass(frozen=True)
class Finding:
    place: str
    line: int
    kind: str
    #: How the text had to be read.
    reading: str
    value: str

    def __str__(self) -> str:
        """Says where and what, and of the value no more than tells one from another."""
        reading = f", {self.reading}" if self.reading else ""
        return f"{self.place}:{self.line}: a {self.kind} ({self.value[:1]}…, {len(self.value)} characters){reading}"


def folded(text: str) -> str:
    """Without case, accents and ligatures."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(text))


def is_date(text: str) -> datetime.date | None:
    for pattern in (r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)", r"(?P<d>\d\d)[/.-](?P<m>\d\d)[/.-](?P<y>\d{4})"):
        if match := re.fullmatch(pattern, text.strip()):
            try:
                return datetime.date(*(int(match[part]) for part in "ymd"))
            except ValueError:
                return None
    return None


class Searcher:
    """Values that must not be found.

    Some are too short or too common to be told from other text; they are left out and counted in `skipped`.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[tuple[list[str], str]]] = {}
        #: Single words that stand for somebody, each as it was given.
        self.lone: dict[str, str] = {}
        self.digits: dict[str, tuple[str, str]] = {}
        self.short_digits: dict[str, tuple[str, str]] = {}
        self.emails: dict[str, str] = {}
        self.days: dict[datetime.date, str] = {}
        self.tokens: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.digests: dict[str, tuple[str, str]] = {}
        self.counts = dict.fromkeys(KINDS, 0)
        self.skipped: dict[str, int] = {}
        self._known: set[tuple[str, str]] = set()

    # What is searched for

    def add(self, kind: str, value: str, rare: bool = False) -> None:
        """
        - rare: the words of a name mean nobody else, so that one alone is a finding.
        """
        value = value.strip()
        if (kind, value) in self._known:
            return
        self._known.add((kind, value))
        if getattr(self, f"_add_{kind}")(value, rare):
            self.counts[kind] += 1
        else:
            self.skipped[kind] = self.skipped.get(kind, 0) + 1

    def _add_name(self, value: str, rare: bool) -> bool:
        parts = words(value)
        if all(part.isdigit() for part in parts):
            return bool(parts) and self._add_phone(value, rare)
        if rare:
            for part in parts:
                if len(part) >= 5:
                    self.lone[part] = value
        # Names begin with capitals; what does not may be any words of a sentence.
        if not any(c.isupper() for c in value):
            return False
        if len(parts) == 1 and len(parts[0]) >= 8 and parts[0].isalpha():
            # A long word that is a whole name: only in its own case, or it could be any word.
            self.texts[value] = value
            return True
        if len(parts) < 2 or sum(map(len, parts)) < 8:
            return False
        self.names.setdefault(parts[0], []).append((parts, value))
        return True

    def _add_phone(self, value: str, rare: bool) -> bool:
        digits = re.sub(r"\D", "", value)
        if len(digits) < 10:
            return False
        self._digest(digits, "phone")
        forms = {digits}
        if digits.startswith("55") and len(digits) in (12, 13):
            national = digits[2:]
            forms |= {national, "0" + national}
            # With and without the ninth digit.
            if len(national) == 11:
                forms |= {national[:2] + national[3:], "55" + national[:2] + national[3:]}
            elif national[2] in "6789":
                forms |= {national[:2] + "9" + national[2:], "55" + national[:2] + "9" + national[2:]}
            self.short_digits[national[2:]] = ("phone", value)
        for form in forms:
            self.digits[form] = ("phone", value)
        return True

    def _add_cpf(self, value: str, rare: bool) -> bool:
        digits = re.sub(r"\D", "", value)
        # A row of one digit is nobody's, and stands in any long number.
        if len(digits) != 11 or len(set(digits)) == 1:
            return False
        self._digest(digits, "cpf")
        self.digits[digits] = ("cpf", value)
        # A system that takes it for a number.
        number = digits.lstrip("0")
        if 8 <= len(number) < 10:
            self.short_digits[number] = ("cpf", value)
        return True

    def _add_email(self, value: str, rare: bool) -> bool:
        if not re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@]+", value):
            return False
        self.emails[folded(value)] = value
        self._digest(value.lower(), "email")
        return True

    def _add_birthday(self, value: str, rare: bool) -> bool:
        day = is_date(value)
        # Days of these years are those of certificates, logs and tests of today.
        if day is None or day.year >= datetime.date.today().year:
            return False
        self.days[day] = value
        return True

    def _add_text(self, value: str, rare: bool) -> bool:
        if len(value) < 10 or not re.search(r"[^\W\d_]{4}", value):
            return False
        self.texts[value] = value
        return True

    def _add_token(self, value: str, rare: bool) -> bool:
        # "expired" is a word, whoever sends it as a token.
        if len(value) < 6 or (len(value) < 16 and value.isalpha()):
            return False
        self.tokens[value] = value
        self._digest(value, "token")
        # HTTP Basic: the user's name is no secret, the rest is.
        decoded = decoded_base64(value)
        if decoded and ":" in decoded and len(decoded.split(":", 1)[1]) >= 6:
            self.tokens[decoded.split(":", 1)[1]] = value
        return True

    def _digest(self, value: str, kind: str) -> None:
        """Without a key, a digest of a number is as good as the number. Callers' keys are kept as SHA-256 by design."""
        for name in ["md5", "sha1"] + (["sha256"] if kind != "token" else []):
            digest = hashlib.new(name, value.encode())
            self.digests[digest.hexdigest()] = (kind, value)

    def add_shaped(self, value: str) -> None:
        """A value of which only its look is known."""
        if "@" in value:
            self.add("email", value)
        elif is_date(value):
            self.add("birthday", value)
        elif re.fullmatch(r"[\d ().+/-]{8,24}", value.strip()):
            digits = re.sub(r"\D", "", value)
            self.add("cpf" if len(digits) == 11 and not value.strip().startswith(("(", "+")) else "phone", value)
            if len(digits) == 11:
                self.add("phone", "55" + digits)
        elif len(words(value)) >= 2:
            self.add("name", value)

    MEMBERS = {
        "name": "name", "phone": "phone", "cpf": "cpf", "email": "email", "birthday": "birthday",
        "description": "text", "image": "text",
    }

    def add_client(self, value: object) -> None:
        """The members of a client, as the contract calls them."""
        if isinstance(value, list):
            for element in value:
                self.add_client(element)
        if not isinstance(value, dict):
            return
        for name, member in value.items():
            for text in member if isinstance(member, list) else [member]:
                if isinstance(text, str) and name == "allPhones":
                    self.add("phone", text)
                elif isinstance(text, str) and name in self.MEMBERS:
                    self.add(self.MEMBERS[name], text)

    def add_request(self, text: str) -> None:
        """A request as it was sent: its search term, what stands for a key, and its body."""
        head, _, body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        for name, value in (line.split(":", 1) for line in lines[1:] if ":" in line):
            if name.lower() in ("x-api-key", "authorization"):
                self.add("token", value.strip().split(" ")[-1])
        target = lines[0].split(" ")[1] if lines[0].count(" ") >= 2 else ""
        query = urllib.parse.urlsplit(target).query if target.startswith("/") else ""
        for _, value in urllib.parse.parse_qsl(query):
            self.add_shaped(value)
        try:
            self.add_client(json.loads(body))
        except (ValueError, RecursionError):
            pass

    def add_line(self, line: str) -> None:
        """A line of a ledger: {"kind": …, "value": …}."""
        try:
            record = json.loads(line)
        except ValueError:
            return
        if record["kind"] == "request":
            self.add_request(record["value"])
        else:
            self.add(record["kind"], record["value"])

    # Searching

    def search(self, data: bytes, place: str) -> list[Finding]:
        findings: dict[tuple[str, str], Finding] = {}
        seen: set[str] = set()
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            # Ponte's own clock.
            line = re.sub(r'^\{"time":"[0-9T:.Z-]+",', "{", line)
            # Bytes of databases that are no text.
            line = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ufffd]+", " ", line)
            if line in seen:
                continue
            seen.add(line)
            for reading, text in readings(line):
                for kind, value in self._matches(text):
                    finding = Finding(place, number, kind, reading, value)
                    findings.setdefault((kind, value), finding)
        return list(findings.values())

    def _matches(self, text: str):
        for run in re.findall(r"\+?\(?\d[\d ().\-/\u00a0]{6,}\d", text):
            digits = re.sub(r"\D", "", run)
            for length in range(10, 15):
                for start in range(len(digits) - length + 1):
                    if found := self.digits.get(digits[start:start + length]):
                        yield found
        for run in re.findall(r"(?<![\w.-])(\d{8,9}|\d{4,5}[- .]\d{4})(?![\w-])", text):
            if found := self.short_digits.get(re.sub(r"\D", "", run)):
                yield found
        for sign in re.finditer("@", text):
            # What stands on both sides, of a length that addresses have.
            local = re.search(r"[^\s\"'<>,;()\[\]{}@=:/&?]+$", text[max(0, sign.start() - 80):sign.start()])
            host = re.match(r"[^\s\"'<>,;()\[\]{}@/&?:]+", text[sign.end():sign.end() + 120])
            for start in range(len(local[0]) if local and host else 0):
                if found := self.emails.get(folded(f"{local[0][start:]}@{host[0].rstrip('.')}")):
                    yield "email", found
        # Wherever they begin: in the bytes of a database a number may stand before them.
        for run in re.findall(r"(?=(\d{4}-\d\d-\d\d|\d\d[/.-]\d\d[/.-]\d{4})(?!\d))", text):
            if (day := is_date(run)) in self.days:
                yield "birthday", self.days[day]
        for run in re.findall(r"(?<![\w.-])(?:19|20)\d{6}(?![\w-])", text):
            if (day := is_date(f"{run[:4]}-{run[4:6]}-{run[6:]}")) in self.days:
                yield "birthday", self.days[day]
        for token, value in self.tokens.items():
            if token in text:
                yield "token", value
        for needle, value in self.texts.items():
            if needle in text:
                yield "text" if " " in needle else "name", value
        for run in re.findall(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32,64}(?![0-9a-fA-F])", text):
            if found := self.digests.get(run.lower()):
                yield found
        parts = words(text)
        for index, part in enumerate(parts):
            if part in self.lone:
                yield "name", self.lone[part]
            for name, value in self.names.get(part, []):
                if parts[index:index + len(name)] == name:
                    yield "name", value


def is_readable(text: str) -> bool:
    return len(text) >= 6 and sum(c.isprintable() or c in "\r\n\t" for c in text) >= 0.9 * len(text)


def decoded_base64(run: str) -> str | None:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return text if is_readable(text) else None


def decoded_hex(run: str) -> str | None:
    try:
        text = bytes.fromhex(run).decode()
    except ValueError:
        return None
    return text if is_readable(text) else None


def decodings(text: str):
    if "%" in text and (plain := urllib.parse.unquote_plus(text)) != text:
        yield "percent-encoded", plain
    if "\\" in text:
        plain = re.sub(r"\\u\{([0-9a-fA-F]{1,6})\}", lambda m: safe_chr(int(m[1], 16)), text)
        plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: safe_chr(int(m[1], 16)), plain)
        plain = re.sub(r"\\(.)", lambda m: {"n": " ", "r": " ", "t": " "}.get(m[1], m[1]), plain)
        yield "escaped", plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield "in HTML", plain
    for run in set(re.findall(r"[A-Za-z0-9+/_-]{8,}={0,2}", text)):
        # What stands before it may look like a part of it.
        for start in range(min(4, len(run) - 7)):
            if plain := decoded_base64(run[start:]):
                yield "in base64", plain
    for run in set(re.findall(r"[0-9a-fA-F]{12,}", text)):
        for start in range(2):
            if plain := decoded_hex(run[start:len(run) - (len(run) - start) % 2]):
                yield "in hexadecimal", plain


def safe_chr(number: int) -> str:
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else " "


def readings(text: str):
    """A line, and what it may be an encoding of, twice over."""
    yield "", text
    for outer, plain in decodings(text):
        yield outer, plain
        for inner, plainer in decodings(plain):
            yield f"{inner}, {outer}", plainer
