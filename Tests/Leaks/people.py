"""Patients and secrets that nobody could mistake for anything else: each word of a name is found alone."""
import datetime
import itertools
import random

VOWELS = "aeiouáéíõ"
CONSONANTS = "bcdfghjklmnpqrstvxz"


class People:
    def __init__(self, seed: int = 7, first: int = 1) -> None:
        self._dice = random.Random(seed)
        self._numbers = itertools.count(first)

    def word(self) -> str:
        syllables = [self._dice.choice(CONSONANTS) + self._dice.choice(VOWELS) for _ in range(4)]
        return "".join(syllables).capitalize()

    def secret(self) -> str:
        """32 letters and digits."""
        return "".join(self._dice.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=32))

    def client(self) -> dict:
        """A client with every member that the contract has."""
        number = next(self._numbers)
        name = f"{self.word()} {self.word()} {self.word()}"
        day = datetime.date(1931, 2, 3) + datetime.timedelta(days=137 * number)
        return {
            "name": name,
            "phone": f"5531{9_8412_0000 + 7919 * number}",
            "cpf": cpf(271_828_000 + 104_729 * number),
            "email": f"{self.word()}.{number}@{self.word()}.example.test".lower().translate(
                str.maketrans("áéíõ", "aeio")),
            "birthday": day.isoformat(),
            "description": f"Observação {self.word()} {self.word()}",
        }


def cpf(base: int) -> str:
    """Nine digits with their two check digits (modulo 11)."""
    digits = [int(c) for c in f"{base:09d}"]
    for _ in range(2):
        total = sum(digit * weight for digit, weight in zip(digits, range(len(digits) + 1, 1, -1)))
        digits.append(total * 10 % 11 % 10)
    return "".join(map(str, digits))
