"""Values of formats that docs/openapi.json names: one that JSON Schema does not know, and one whose early days the
pretend clinic system refuses, as it may (422)."""
import datetime
import itertools
import re

import schemathesis
from hypothesis import strategies as st

AREAS = [11, 21, 31, 41, 51, 61, 71, 81, 85, 92]
MARKS = ["", " ", "-", "."]


@st.composite
def phones(draw) -> str:
    """Brazilian mobiles and landlines and some foreign numbers, in the spellings that people use."""
    if draw(st.booleans()):
        country, area = "55", str(draw(st.sampled_from(AREAS)))
        first = draw(st.sampled_from(["99", "98", "97", "3", "2"]))
    else:
        country, area = draw(st.sampled_from([("351", "91"), ("1", "202555"), ("44", "7700")]))
        first = ""
    length = {"55": 9 if first.startswith("9") else 8, "351": 7, "1": 4, "44": 6}[country]
    rest = first + draw(st.text("0123456789", min_size=length - len(first), max_size=length - len(first)))
    plus = draw(st.sampled_from(["", "+"])) if country == "55" else "+"
    if draw(st.booleans()) and country == "55":
        area = f"({area})"
    mark = draw(st.sampled_from(MARKS))
    return f"{plus}{country}{mark}{area}{mark}{rest[:-4]}{mark}{rest[-4:]}"


schemathesis.openapi.format("phone", phones())
schemathesis.openapi.format("date", st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 12, 31)).map(str))

KEY = "Idempotency-Key"
NUMBERS = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    """Each request has a key of its own, as the header's draft asks of callers: with another body a used one is 422."""
    headers = case.headers or {}
    key = headers.get(KEY)
    if isinstance(key, str) and re.fullmatch(r"[!#-+\-.-:<-\[\]-~]{1,200}", key):
        headers[KEY] = f"{key}-{next(NUMBERS)}"
