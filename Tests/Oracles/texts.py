"""CPFs, days, e-mail addresses and names, judged by python-stdnum, datetime, email-validator and unicodedata."""
from __future__ import annotations

import datetime
import re
import unicodedata

import email_validator
from stdnum.br import cpf as stdnum_cpf

from differences import Difference
from phones import Numbers


def canonical(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# MARK: CPF


def cpf_cases(numbers: Numbers) -> list[tuple[str, int]]:
    """Texts, and whether lost zeros are restored (a JSON number)."""
    cases = [(str(digit) * 11, 0) for digit in range(10)]
    for _ in range(3000):
        base = numbers.random.choice(("", "0", "00", "0000")) + numbers.digits(9)
        base = base[:9]
        right = base + stdnum_cpf._calc_check_digits(base)
        wrong = base + numbers.digits(2)
        for whole in (right, wrong):
            a, b, c, d = whole[:3], whole[3:6], whole[6:9], whole[9:]
            cases += [(whole, 0), (f"{a}.{b}.{c}-{d}", 0), (f" {a} {b} {c} {d} ", 0)]
        a, b, c, d = right[:3], right[3:6], right[6:9], right[9:]
        cases += [(text, 0) for text in (
            f"{a}.{b}.{c}/{d}", f"{a}\u00a0{b}\u00a0{c}\u2011{d}", right[:-1], right + "0", f"CPF {right}", right + "x",
            right.replace("1", "\u0661"))]
        cases.append((right.lstrip("0"), 1))
    return cases


def cpf_judged(text: str, padded: int) -> list | None:
    number = stdnum_cpf.compact(text)
    if padded:
        number = number.zfill(11)
    if not re.fullmatch(r"[0-9]{11}", number):
        return None
    return [number, stdnum_cpf.format(number), stdnum_cpf.is_valid(number)]


CPFS = [
    Difference(
        "eleven equal digits", "onze dígitos iguais", "a filler that Receita Federal never gave; valid for python-stdnum",
        "preenchimento que a Receita Federal nunca deu; válido para o python-stdnum", "111.111.111-11",
        lambda text, padded, ours, judge: len(set(text)) == 1 and ours is not None and judge == [*ours[:2], True]),
    Difference(
        "slash", "barra", "123.456.789/00 is read; python-stdnum knows dots, hyphens and blanks",
        "123.456.789/00 é lido; o python-stdnum conhece ponto, hífen e espaço", "123.456.789/00",
        lambda text, padded, ours, judge: "/" in text and ours == cpf_judged(text.replace("/", "-"), padded)),
]

# MARK: Days

TODAY = datetime.date(2026, 11, 24)
PATTERNS = {
    "yyyy-MM-dd": "%Y-%m-%d", "dd-MM-yyyy": "%d-%m-%Y", "dd/MM/yyyy": "%d/%m/%Y", "MM/dd/yyyy": "%m/%d/%Y",
    "yyyyMMdd": "%Y%m%d", "ddMMyyyy": "%d%m%Y", "dd.MM.yyyy": "%d.%m.%Y", "yyyy/MM/dd": "%Y/%m/%d",
    "yyyy-MM-ddT00:00:00": "%Y-%m-%dT00:00:00", "dd/MM/yy": "%d/%m/%y", "yyMMdd": "%y%m%d", "yyyy-MM-dd*": "%Y-%m-%d",
    "dd/MM/yyyy*": "%d/%m/%Y",
}
TIMES = ["", "T02:00:00Z", "T23:59:59.999Z", "T00:00:00-03:00", "T00:00:00.000+0000", " 00:00", " 23:30:00",
         "T00:00:00+14:00"]


def written(pattern: str, year: int, month: int, day: int) -> str:
    """The parts of a day put into a pattern, whether they are a day or not."""
    for token, value in (("yyyy", f"{year:04}"), ("yy", f"{year % 100:02}"), ("MM", f"{month:02}"), ("dd", f"{day:02}")):
        pattern = pattern.replace(token, value, 1) if token != "yy" or "yy" in pattern else pattern
    return pattern.removesuffix("*")


def day_cases(numbers: Numbers) -> list[tuple[str, str, str]]:
    """Pattern, text, today."""
    pick, cases = numbers.random, []
    for pattern in PATTERNS:
        for _ in range(1700):
            year, month, day = pick.randint(1850, 2035), pick.randint(0, 13), pick.randint(0, 32)
            if pick.random() < 0.3:
                month, day = 2, pick.randint(28, 30)
            today = TODAY if pick.random() < 0.5 else TODAY - datetime.timedelta(days=pick.randint(0, 40000))
            text = written(pattern, year, month, day)
            if pattern.endswith("*"):
                text += pick.choice(TIMES)
            elif pick.random() < 0.1:
                # Something else than the pattern says.
                text = pick.choice((text + " ", text[:-1], text.replace("0", "", 1), text + "T00:00:00Z",
                                    text.replace("/", "-").replace("-", "."), "+" + text[1:], ""))
            cases.append((pattern, text, today.isoformat()))
    return cases


def latest(parsed: datetime.date, today: datetime.date) -> datetime.date | None:
    """The rule of two-digit years, out of datetime: the latest such day that is not in the future."""
    for year in range(today.year, today.year - 100, -1):
        if year % 100 == parsed.year % 100:
            try:
                day = parsed.replace(year=year)
            except ValueError:
                continue
            if day <= today:
                return day
            try:
                return parsed.replace(year=year - 100)
            except ValueError:
                return None
    return None


def day_judged(pattern: str, text: str, today: str) -> str | None:
    if pattern.endswith("*"):
        # The written day, whatever the zone: a date-time's own date.
        text = text[:len(written(pattern, 2000, 1, 1))]
    form, now = PATTERNS[pattern], datetime.date.fromisoformat(today)
    short = "%y" in form
    if short:
        # A year of its own for February 29; the rule finds the century.
        at = pattern.index("yy")
        if not re.fullmatch("[0-9]{2}", text[at:at + 2]):
            return None
        form, century = form.replace("%y", "%Y"), (20 if int(text[at:at + 2]) % 4 == 0 else 19)
        text = text[:at] + str(century) + text[at:]
    try:
        day = datetime.datetime.strptime(text, form).date()
    except ValueError:
        return None
    if short:
        return found.isoformat() if (found := latest(day, now)) else None
    return day.isoformat()


DAYS = [
    Difference(
        "day or month of one digit", "dia ou mês de um dígito",
        "1/5/1990 where the pattern says dd/MM/yyyy; strptime takes it, Ponte does not, since no system that we know "
        "of writes so", "1/5/1990 onde o padrão diz dd/MM/yyyy; o strptime aceita, o Ponte não, pois nenhum sistema "
        "que conhecemos escreve assim", "1/5/1990",
        lambda pattern, text, today, ours, judge: ours is None and len(text) < len(written(pattern, 2000, 1, 1))),
]

# MARK: E-mail


def email_cases(numbers: Numbers) -> list[str]:
    pick, cases = numbers.random, []
    locals_ = ["ana", "ana.teste", "Ana.Teste", "ana+clinica", "ana_teste", "o'brien", "josé", "ana..teste", ".ana",
               "ana.", "a" * 64, "a" * 65, '"ana teste"', '"ana"', "ana(x)", "ana\\", "", "ana teste", "用户",
               "ana\u0301", "a!#$%&'*/=?^`{|}~b", "ana,b", "ana<b", "ana@b"]
    domains = ["example.test", "Example.TEST", "mail.example.test", "example", "example..test", ".example.test",
               "example.test.", "-example.test", "example-.test", "ex_ample.test", "münchen.test", "xn--mnchen-3ya.test",
               "[127.0.0.1]", "127.0.0.1", "a" * 63 + ".test", "a" * 64 + ".test", "", "exa mple.test", "example.test>",
               "example.t", "example.123", "ex!ample.test", "例え.test"]
    for local in locals_:
        for domain in domains:
            for before, after in (("", ""), (" ", " "), ("\t", "\n"), ("", ";"), ("Ana <", ">")):
                cases.append(f"{before}{local}@{domain}{after}")
    alphabet = "abcXYZ019._-+@@ 'éß,;\u00a0"
    for _ in range(9000):
        cases.append("".join(pick.choice(alphabet) for _ in range(pick.randint(0, 14))))
    for _ in range(9000):
        cases.append("".join(pick.choice("abcXYZ019._-+") for _ in range(pick.randint(1, 12))) + "@"
                     + "".join(pick.choice("abc09.-") for _ in range(pick.randint(1, 12))) + ".test")
    return cases


def email_judged(text: str) -> str | None:
    """None where it is an address, else what is wrong."""
    try:
        email_validator.validate_email(text.strip(), check_deliverability=False, test_environment=True)
        return None
    except email_validator.EmailNotValidError as error:
        return str(error)


def refusal(*parts: str):
    return lambda text, ours, complaint: ours and complaint is not None and any(part in complaint for part in parts)


EMAILS = [
    Difference(
        "parts too long", "partes longas demais", "a local part above 64 bytes, a label above 63; 254 in all is the limit",
        "parte local acima de 64 bytes, rótulo acima de 63; o limite é 254 no total", "aaa…@example.test",
        refusal("too long", "so many characters")),
    Difference(
        "domain without a dot", "domínio sem ponto", "a@clinic is on record here and there; the vendor decides",
        "a@clinica existe em cadastros; quem decide é o sistema", "ana@example",
        refusal("is not valid. It should have a period", "top-level domain", "not within a valid top-level")),
    Difference(
        "unusual characters and dots", "caracteres e pontos incomuns",
        "dots in a row, at an end, quotes, brackets: records hold them, and a patient is not refused for them",
        "pontos seguidos ou nas pontas, aspas, colchetes: há em cadastros, e não se recusa um paciente por isso",
        "ana..teste@example.test",
        refusal("period", "characters", "Quoting", "quoted", "bracket", "hyphen", "cannot have two letters", "invalid",
                "IP address", "Unicode")),
]

# MARK: Names


def name_key(name: str) -> str:
    """Canonical caseless matching (Unicode, section 3.13, D145), blanks apart."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", " ".join(name.split())).casefold())
    return unicodedata.normalize("NFD", folded)


def name_pairs(numbers: Numbers) -> list[tuple[str, str]]:
    pick, pairs = numbers.random, []
    words = ["Ana", "João", "Conceição", "D'Ávila", "Müller", "Strauß", "Ñandú", "Łucja", "Ömer", "Ørsted", "Đặng",
             "da", "Teste", "Exemplo", "Ιωάννα", "Анна", "Ṩara", "Åsa", "5511999999999", "Ana-Maria", "O’Brien"]
    blanks = [" ", "  ", "\u00a0", "\t", " \u2003 "]
    for _ in range(12000):
        name = [pick.choice(words) for _ in range(pick.randint(1, 4))]
        other = list(name)
        for place, word in enumerate(other):
            change = pick.choice((str.upper, str.lower, str.title, str, str, str))
            other[place] = unicodedata.normalize(pick.choice(("NFC", "NFD")), change(word))
        if pick.random() < 0.4:
            place = pick.randrange(len(other))
            match pick.randrange(4):
                case 0: other[place] = pick.choice(words)
                case 1: other[place] = "".join(
                    letter for letter in unicodedata.normalize("NFD", other[place]) if not unicodedata.combining(letter))
                case 2: other[place] += "s"
                case _: other.reverse()
        edge = pick.choice(("", " ", "\n"))
        pairs.append((" ".join(name), edge + pick.choice(blanks).join(other) + edge))
    # Every letter of the alphabets that have case, and what its cases are.
    for code in range(0x41, 0x590):
        letter = chr(code)
        if unicodedata.category(letter)[0] == "L":
            pairs += [(f"a{letter}b", f"A{variant}B") for variant in
                      {letter.upper(), letter.lower(), letter.title(), letter.casefold()}]
    return pairs


NAMES = [
    Difference(
        "dotless i", "i sem pingo", "ı equals i, since systems that keep names in capitals write I for both",
        "ı é igual a i, pois sistemas que guardam nomes em maiúsculas escrevem I para os dois", "aıb, AIB",
        lambda a, b, ours: ours[0] == ours[1] and equal_with_a_dot(a, b)),
]


def equal_with_a_dot(a: str, b: str) -> bool:
    return name_key(a.replace("ı", "i")) == name_key(b.replace("ı", "i"))
