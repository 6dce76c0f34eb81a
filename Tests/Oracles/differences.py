"""The deliberate differences: where Ponte and a judge answer differently, and why. One that fits no class fails the
run."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable

import phonenumbers

from phones import Case, judged

Answer = list[str]


@dataclass(frozen=True)
class Difference:
    name: str
    nome: str
    why: str
    porque: str
    example: str
    fits: Callable[..., bool]
    # Of a phone's example: the clinic's area code, and what the judge reads instead.
    context: tuple = ()


OLD = re.compile(r"55(\d\d)([6-9]\d{7})")
# Service numbers as libphonenumber holds them to be valid: 0800 with six or seven digits, 0300, 4004 …
NATIONWIDE = re.compile(r"55(300\d|400\d|4020|4370|4864)\d{4}")
SERVICE = re.compile(r"55(800|300|303|500|900)\d{6,7}")


def digits(text: str) -> str:
    return "".join(character for character in text if "0" <= character <= "9")


def valid(number: str) -> bool:
    return judged("+" + number) == number


def with_ninth(numbers: Answer) -> Answer:
    return [OLD.sub(r"55\g<1>9\2", number) if OLD.fullmatch(number) else number for number in numbers]


def repaired(repair: Callable[[str], str]) -> Callable[[Case, Answer, Answer], bool]:
    """Whether the judge reads what Ponte read once the text is repaired, mobiles of eight digits taken for what they
    are now."""
    def fits(case: Case, ours: Answer, judge: Answer) -> bool:
        text = repair(case.text)
        if text == case.text or not ours:
            return False
        found = judged(text)
        if found in ours:
            return len(ours) == 1
        # An old mobile: the judge knows it with its ninth digit alone.
        return len(ours) == 1 and is_old(ours[0]) and digits(text).endswith(ours[0][2:])
    return fits


def is_old(number: str) -> bool:
    return OLD.fullmatch(number) is not None and valid(with_ninth([number])[0])


def old_mobile(case: Case, ours: Answer, judge: Answer) -> bool:
    asked = [digits(question) for question in case.questions]
    return any(is_old(number) for number in ours) and [number for number in ours if not is_old(number)] == judge \
        and all(any(number[2:] in question for question in asked) for number in ours if is_old(number))


WORDS = re.compile(r"(?<=\d\d\d\d)[^\d]*?[^\d\s().+/\-\u00a0\u2011\u202c].*$", re.S)


def core(text: str) -> str:
    """A text without what stands before and after its number."""
    return WORDS.sub("", re.sub(r"^[^\d(+]+", "", text))


def without_trunk_zero(number: str) -> set[str]:
    """The number, and without a 0 after the country code."""
    codes = [length for length in (1, 2, 3) if int(number[:length] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
    return {number} | {number[:length] + number[length + 1:] for length in codes if number[length:length + 1] == "0"}


def without_plus(case: Case, ours: Answer, judge: Answer) -> bool:
    return judge == [] and len(ours) == 1 and "+" not in case.text and valid(ours[0]) \
        and ours[0] in without_trunk_zero(digits(core(case.text)))


def by_code_alone(case: Case, ours: Answer, judge: Answer) -> bool:
    return judge == [] and len(ours) == 1 and not ours[0].startswith("55") and not valid(ours[0]) \
        and ours[0] in without_trunk_zero(digits(core(case.text)).lstrip("0"))


def foreign_ways(case: Case, ours: Answer, judge: Answer) -> bool:
    return ours == [] and "+" in case.text and len(judge) == 1 and not judge[0].startswith("55") and len(judge[0]) <= 15


def too_long(case: Case, ours: Answer, judge: Answer) -> bool:
    return ours == [] and len(judge) == 1 and len(judge[0]) > 15


def local_trunk_zero(case: Case, ours: Answer, judge: Answer) -> bool:
    number = digits(case.text)
    return bool(case.area) and number.startswith("0") and ours == [f"55{case.area}{number[1:]}"] \
        and (valid(ours[0]) or is_old(ours[0]))


NUMBER_SIGNS = re.compile(r"(?<=\d)\+|[^\d+()\-./ \t_\u00a0]|[^\x00-\x7f\u00a0]")


def other_signs(case: Case, ours: Answer, judge: Answer) -> bool:
    """Letters, separators or digits of other scripts in the middle: whatever Ponte reads is a part between them."""
    if case.asked or not NUMBER_SIGNS.search(case.text):
        return False
    parts = [digits(part) for part in NUMBER_SIGNS.split(case.text)]
    return all(any(number.removeprefix("55") in part or number in part for part in parts)
               or any(number in without_trunk_zero(part) for part in parts) for number in ours)


def nationwide(case: Case, ours: Answer, judge: Answer) -> bool:
    if ours == [] and len(judge) == 1 and NATIONWIDE.fullmatch(judge[0]):
        return True
    # It would take the clinic's area code, or that of the number before it in the field.
    lost = [number for number in judge if number not in ours]
    return bool(case.asked) and ours == [number for number in judge if number in ours] and all(
        NATIONWIDE.fullmatch("55" + number[4:]) for number in lost)


def service(case: Case, ours: Answer, judge: Answer) -> bool:
    return ours == [] and len(judge) == 1 and SERVICE.fullmatch(judge[0]) is not None and (
        len(judge[0]) == 11 or re.match(r"0[1-9]", digits(case.text)) is not None)


def collect(case: Case, ours: Answer, judge: Answer) -> bool:
    return digits(case.text).lstrip("0").startswith("90") and len(judge) == 1 and judge[0].startswith("55")


def international_carrier(case: Case, ours: Answer, judge: Answer) -> bool:
    all_digits = digits(case.text)
    return all_digits.startswith("00") and len(judge) == 1 and judge[0] in without_trunk_zero(all_digits[4:].lstrip("0"))


def no_carrier(case: Case, ours: Answer, judge: Answer) -> bool:
    read = digits(core(case.text))
    return len(ours) == 1 and read.startswith("00") and ours[0] in without_trunk_zero(read[2:]) | {
        "55" + read[4:].lstrip("0")}


def foreign_trunk_zero(case: Case, ours: Answer, judge: Answer) -> bool:
    return judge == [] and len(ours) == 1 and "+" in case.text and valid(ours[0]) \
        and ours[0] in without_trunk_zero(digits(core(case.text)))


PHONES = [
    Difference(
        "mobile of eight digits", "celular de oito dígitos",
        "from before 2016; records and WhatsApp ids still have it so, libphonenumber holds it to be invalid",
        "de antes de 2016; cadastros e ids do WhatsApp ainda o trazem assim, a libphonenumber o tem por inválido",
        "31 8888-7777", old_mobile),
    Difference(
        "foreign number without +", "número estrangeiro sem +",
        "libphonenumber takes all digits without + for Brazilian",
        "a libphonenumber toma por brasileiro tudo o que vem sem +", "351 912 345 678", without_plus),
    Difference(
        "foreign number by its country code alone", "número estrangeiro só pelo código do país",
        "Ponte keeps no numbering plans of other countries: an assigned code and 7 to 15 digits will do (10 to 15 "
        "without +), so a mistyped Brazilian number can pass for foreign",
        "o Ponte não guarda planos de numeração de outros países: bastam um código existente e 7 a 15 dígitos (10 a "
        "15 sem +); por isso um número brasileiro mal digitado pode passar por estrangeiro",
        "+49 12 3456", by_code_alone),
    Difference(
        "nationwide number", "número nacional único",
        "4004-1234, 3003-1234 and the like belong to companies, have no area code, and in E.164 look like a landline "
        "of area code 55; kept out, and never given an area code",
        "4004-1234, 3003-1234 e semelhantes são de empresas, não têm DDD e em E.164 parecem um fixo do DDD 55; ficam "
        "de fora e nunca ganham DDD", "4004-1234", nationwide),
    Difference(
        "service number of six digits, or behind a carrier code", "número de serviço de seis dígitos, ou com operadora",
        "nobody's line; kept out", "não é linha de ninguém; fica de fora", "0800 123456", service),
    Difference(
        "00 without a carrier code", "00 sem operadora",
        "00 stands right before the country code, 0055 too; libphonenumber wants a carrier between them, and takes 55 "
        "for one",
        "00 vem logo antes do código do país, também em 0055; a libphonenumber quer uma operadora entre eles, e toma "
        "55 por uma", "0055 11 3333-4444", no_carrier),
    Difference(
        "zeros that fill up", "zeros de preenchimento", "000 or 055 before a Brazilian number",
        "000 ou 055 antes de um número brasileiro", "00011999999999",
        repaired(lambda text: re.sub(r"^\(?0+(?:(55)(?=[ (]*\d{2}[) ]*\d))?", r"\1", text))),
    Difference(
        "carrier code", "código de operadora",
        "any two digits after the trunk 0, and 0xx; libphonenumber knows a list of carriers",
        "quaisquer dois dígitos depois do 0, e 0xx; a libphonenumber tem uma lista de operadoras",
        "0 85 11 3333-4444", repaired(lambda text: re.sub(r"^(\(?)0 ?([1-9]\d|xx) ?(\(?)", r"\1\3", text))),
    Difference(
        "00 and a carrier code", "00 com operadora",
        "the other side of it: what libphonenumber skips as a carrier is a country's code",
        "o outro lado disso: o que a libphonenumber pula como operadora é o código de um país",
        "00 55 40 35524 4369", international_carrier),
    Difference(
        "trunk 0 after another country's code", "0 depois do código de outro país",
        "left out, but where numbers begin with 0; libphonenumber knows who has one",
        "sai, menos onde os números começam com 0; a libphonenumber sabe quem o tem", "+65 0 8542 4238",
        foreign_trunk_zero),
    Difference(
        "another country's own ways", "costumes de outro país",
        "a trunk 1 or 8 behind +1 and +7, company numbers of five digits; not read",
        "um 1 ou 8 de tronco depois de +1 e +7, números de empresa de cinco dígitos; não são lidos",
        "+7 8 979 675-70-75", foreign_ways),
    Difference(
        "+ before the area code", "+ antes do DDD", "there is no such country", "não há tal país", "+11 99999-9999",
        repaired(lambda text: text.replace("+", ""))),
    Difference(
        "words around it", "palavras em volta",
        "extensions, names, labels: the number alone is read; libphonenumber takes letters for keys",
        "ramais, nomes, rótulos: lê-se só o número; a libphonenumber toma letras por teclas", "11 3333-4444 r. 12",
        repaired(core)),
    Difference(
        "tabs", "tabulações", "are blanks; libphonenumber stops at them", "são espaços; a libphonenumber para neles",
        "11⇥3333-4444", repaired(lambda text: text.replace("\t", " "))),
    Difference(
        "trunk 0 before a local number", "0 antes de número sem DDD",
        "0 3333-4444 in a clinic with an area code is 3333-4444",
        "0 3333-4444 numa clínica com DDD é 3333-4444", "0 3333-4444", local_trunk_zero, (11, ("+55 11 03333-4444",))),
    Difference(
        "collect call", "chamada a cobrar",
        "90 is Turkey's code; libphonenumber takes it for a collect call's prefix",
        "90 é o código da Turquia; a libphonenumber o toma por prefixo de chamada a cobrar", "90 464 448 4965",
        collect),
    Difference(
        "more than 15 digits", "mais de 15 dígitos",
        "E.164 has no more; some German numbers of libphonenumber do",
        "o E.164 não tem mais; alguns números alemães da libphonenumber têm", "+49 3623 07494524632", too_long),
    Difference(
        "signs that no number has", "sinais que número nenhum tem",
        "letters, ; # and digits of other scripts part numbers; libphonenumber reads over them or stops",
        "letras, ; # e algarismos de outras escritas separam números; a libphonenumber lê por cima ou para",
        "11555*6/1599", other_signs),
]


def classify(differences: list[Difference], *facts) -> str | None:
    """The name of the first difference that fits; None is a fault, here or in Ponte."""
    return next((difference.name for difference in differences if difference.fits(*facts)), None)
