"""Names of demonstration people, in several scripts."""

from collections.abc import Iterator
from itertools import count, product
from random import Random
from typing import NamedTuple


class Name(NamedTuple):
    """``key`` becomes the username, with a number where it is taken."""

    key: str
    display_name: str


CAST = [
    Name("ana", "Ana Silva"),
    Name("ben", "Ben Okafor"),
    Name("cleo", "Cleo Marchetti"),
    Name("meiling", "林美玲"),
    Name("sara", "سارة حداد"),
    Name("jonas", "Jonas Weiß"),
    Name("tomasz", "Tomasz Zieliński"),
    Name("priya", "Priya Raman"),
    Name("kofi", "Kofi Mensah"),
    Name("diego", "Diego Fuentes"),
    Name("maxi", "Maximiliane von Hohenberg-Schwarzenfels"),
    Name("lurdes", "Vovó Lurdes"),
]
"""Whom the conversations of the best-known chats name."""

_WESTERN = [
    (
        "Alice Amara Callum Erin Grace Harriet Isla Niamh Owen Rory",
        "Byrne Clarke Hughes Murphy Reid",
    ),
    (
        "Beatriz Caio Davi Helena Inês João Luana Rafael Tiago Vitória",
        "Almeida Costa Lima Moreira Souza",
    ),
    (
        "Anke Björn Emil Frieda Günther Hannah Lukas Mara Sönke Ute",
        "Bäcker Fuchs Köhler Schröder Vogt",
    ),
    (
        "Camille Élodie Gaël Hugo Léa Maël Noémie Rémi Théo Zoé",
        "Bernard Dubois Fournier Lefèvre Roux",
    ),
    (
        "Agnieszka Bartosz Ewa Kasia Łukasz Michał Ola Paweł Wanda Żaneta",
        "Dąbrowska Kowal Lis Nowak Wójcik",
    ),
    (
        "Adaeze Chidi Efua Kwame Lindiwe Ngozi Sipho Thabo Wanjiru Zola",
        "Achebe Boateng Dlamini Mwangi Osei",
    ),
    (
        "Aarav Anjali Deepa Ishaan Kavya Meera Nikhil Rohan Sunita Vikram",
        "Gupta Iyer Nair Patel Sharma",
    ),
]
_CHINESE = (
    "陈 chen 王 wang 李 li 张 zhang 周 zhou",
    "伟 wei 芳 fang 静 jing 磊 lei 晓燕 xiaoyan 子涵 zihan",
)
_ARABIC = (
    "ليلى layla عمر omar نور noor يوسف youssef هدى huda كريم karim",
    "منصور mansour العلي alali خليل khalil بركات barakat",
)
_PLAIN = str.maketrans("ÉéèëäãçíöõóúüôêñłŁńśźżŻąćęß", "EeeeaaciooouuoenlLnszzZaces")


def names(rng: Random) -> Iterator[Name]:
    """Without end, and never a key twice: the cast first, then everybody else."""
    yield from CAST
    others = [*_western(), *_chinese(), *_arabic()]
    rng.shuffle(others)
    yield from others
    for number in count(2):
        yield from (Name(f"{key}{number}", shown) for key, shown in others)


def _western() -> Iterator[Name]:
    for given, family in _WESTERN:
        for first, last in product(given.split(), family.split()):
            yield Name(f"{first}.{last}".translate(_PLAIN).lower(), f"{first} {last}")


def _chinese() -> Iterator[Name]:
    for (family, last), (given, first) in product(*map(_pairs, _CHINESE)):
        yield Name(f"{first}.{last}", family + given)


def _arabic() -> Iterator[Name]:
    for (given, first), (family, last) in product(*map(_pairs, _ARABIC)):
        yield Name(f"{first}.{last}", f"{given} {family}")


def _pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))
