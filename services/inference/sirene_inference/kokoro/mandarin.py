"""Mandarin into IPA: characters into pinyin by pypinyin, pinyin into sounds by a table.

espeak-ng reads Chinese as English letters, or without its tones, depending on its version.
"""

import re

INITIALS = {
    "": "", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l",
    "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ",
    "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
FINALS = {
    "a": "a", "ai": "ai", "an": "an", "ang": "aŋ", "ao": "au", "e": "ɤ", "ê": "ɛ", "ei": "ei",
    "en": "ən", "eng": "əŋ", "er": "ɚ", "i": "i", "ia": "ja", "ian": "jɛn", "iang": "jaŋ",
    "iao": "jau", "ie": "je", "in": "in", "ing": "iŋ", "iong": "jʊŋ", "io": "jɔ", "iou": "jou",
    "o": "wo", "ong": "ʊŋ", "ou": "ou", "u": "u", "ua": "wa", "uai": "wai", "uan": "wan",
    "uang": "waŋ", "uei": "wei", "uen": "wən", "ueng": "wəŋ", "uo": "wo", "v": "y", "van": "ɥɛn",
    "ve": "ɥe", "vn": "yn", "m": "m", "n": "n", "ng": "ŋ",
}  # fmt: skip
# The vowel of zhi, chi, shi, ri, zi, ci, si, which is written i.
BUZZED, BUZZING = "ɨ", frozenset({"zh", "ch", "sh", "r", "z", "c", "s"})
# Level, rising, dipping and falling; the neutral tone has no mark.
TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇]+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
DIGITS = "零一二三四五六七八九"
UNITS = (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10))
# Longer ones are read digit by digit, as telephone numbers are.
MAX_READ_DIGITS = 12


def ipa(characters: str) -> str:
    """Sounds of Chinese characters, each syllable followed by the arrow of its tone."""
    # Its dictionary takes a quarter of a second and 40 MB, which other languages do not need.
    from pypinyin import Style, lazy_pinyin

    initials = lazy_pinyin(characters, Style.INITIALS, strict=True)
    finals = lazy_pinyin(characters, Style.FINALS_TONE3, strict=True, neutral_tone_with_five=True)
    return "".join(map(_syllable, initials, finals))


def parts(text: str) -> list[str]:
    """`text` cut where Chinese characters begin and end; parts without a letter are left out."""
    found = re.split(f"({HAN.pattern})", text)
    return [part.strip() for part in found if any(map(str.isalnum, part))]


def spelt_numbers(text: str) -> str:
    """`text` with its numbers in Chinese characters."""
    return NUMBER.sub(lambda match: _number(match[0]), text)


def _syllable(initial: str, final: str) -> str:
    vowel, tone = final.rstrip("12345"), final[-1:]
    sound = BUZZED if vowel == "i" and initial in BUZZING else FINALS.get(vowel, "")
    return INITIALS.get(initial, "") + sound + TONES.get(tone, "")


def _number(written: str) -> str:
    whole, _, fraction = written.partition(".")
    if len(whole) > MAX_READ_DIGITS or (len(whole) > 1 and whole.startswith("0")):
        spoken = "".join(DIGITS[int(digit)] for digit in whole)
    else:
        spoken = _integer(int(whole))
    return spoken + ("点" + "".join(DIGITS[int(digit)] for digit in fraction) if fraction else "")


def _integer(value: int) -> str:
    if value < 10:
        return DIGITS[value]
    for unit, size in UNITS:
        if value >= size:
            head, rest = divmod(value, size)
            # 十五 is fifteen, but 一百一十五 a hundred and fifteen.
            spoken = ("" if unit == "十" and value < 20 else _integer(head)) + unit
            if not rest:
                return spoken
            gap = "零" if rest < size // 10 else ""
            return spoken + gap + _tail(rest)
    raise AssertionError(value)


def _tail(value: int) -> str:
    return "一" + _integer(value) if 10 <= value < 20 else _integer(value)
