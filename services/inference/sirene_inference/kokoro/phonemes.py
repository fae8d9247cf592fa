"""Text into the phonemes that Kokoro was trained on, by espeak-ng and a table for each language.

The model's own phonemes come from misaki, a library of its authors that needs spaCy and others.
espeak-ng's differ by a few symbols, mapped here (see docs/models.md for what it cannot read).
"""

import re
import threading
import unicodedata
from typing import NamedTuple

from sirene_inference.espeak import Espeak
from sirene_inference.kokoro import mandarin
from sirene_inference.text import clauses
from sirene_shared.errors import InvalidRequest

Replacements = tuple[tuple[str, str], ...]

# Diphthongs and affricates are single symbols to the model.
EVERYWHERE: Replacements = (
    *(("a^ɪ", "I"), ("a^ʊ", "W"), ("e^ɪ", "A"), ("ɔ^ɪ", "Y"), ("o^ʊ", "O"), ("ə^ʊ", "Q")),
    *(("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"), ("d^z", "ʣ"), ("t^s", "ʦ"), ("d^ʑ", "ʥ"), ("t^ɕ", "ʨ")),
)
ENGLISH: Replacements = (
    *(("ə^l", "ᵊl"), ("r", "ɹ"), ("ɐ", "ə"), ("e", "A"), ("ʔ", "t"), ("x", "k"), ("ç", "k")),
    *(("ɬ", "l"), ("ʲ", ""), ("\u0303", "")),
    ("o", "ɔ"),  # what versions before 1.52 write
)
AMERICAN: Replacements = (
    *(("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("ː", "")),
)
BRITISH: Replacements = (("e^ə", "ɛː"), ("i^ə", "ɪə"), ("iə", "ɪə"))
JAPANESE: Replacements = (("^ᵝ", ""), ("\u0303", "ɴ"), ("ˈ", ""), ("ˌ", ""))
SYLLABIC = re.compile("(\\S)\u0329")
KANJI = re.compile("[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


class Language(NamedTuple):
    tag: str
    espeak: str
    replacements: Replacements = ()


# By the letter that a voice's name begins with. No voice was trained on Korean: any may be asked
# to try, and speaks it with its own accent.
LANGUAGES = {
    "a": Language("en-us", "en-us", ENGLISH + AMERICAN),
    "b": Language("en-gb", "en-gb", BRITISH + ENGLISH),
    "e": Language("es", "es"),
    "f": Language("fr", "fr-fr"),
    "h": Language("hi", "hi"),
    "i": Language("it", "it"),
    "j": Language("ja", "ja", JAPANESE),
    "p": Language("pt", "pt-br"),
    "z": Language("zh", ""),
    "k": Language("ko", "ko", (("q", "k"), ("ɫ", "l"))),
}
SAME = {"cmn": "zh"}


def spoken_language(voice: str, wanted: str) -> str:
    """The key in LANGUAGES of what `voice` is to speak. wanted: a language tag, or empty.

    Raises: InvalidRequest.
    """
    own = voice[:1] if voice[:1] in LANGUAGES else "a"
    if not wanted:
        return own
    tag = wanted.lower().replace("_", "-")
    family = tag.split("-")[0]
    family = SAME.get(family, family)
    of_family = [key for key, known in LANGUAGES.items() if known.tag.split("-")[0] == family]
    if not of_family:
        tags = ", ".join(sorted({known.tag for known in LANGUAGES.values()}))
        raise InvalidRequest(
            f"this model does not speak {wanted[:20]!r}",
            hint=f"It speaks {tags}.",
            param="language",
        )
    exact = [key for key in of_family if LANGUAGES[key].tag == tag]
    return (exact or ([own] if own in of_family else of_family))[0]


class Phonemizer:
    """Phonemes in any of the languages; an espeak-ng for each starts when it is first needed."""

    def __init__(self) -> None:
        self._espeaks: dict[str, Espeak] = {}
        self._lock = threading.Lock()

    def prepare(self, key: str) -> None:
        """Start what `key` needs ahead. Raises: BackendMissing."""
        self._espeak(key if LANGUAGES[key].espeak else "a")

    def phonemes(self, sentence: str, key: str) -> str:
        """Phonemes with the marks between clauses, NFC. key: of LANGUAGES.

        Raises: InvalidRequest (Japanese with kanji), SpeechFailed, BackendMissing.
        """
        language = LANGUAGES[key]
        if language.tag == "zh":
            return self._mandarin(sentence)
        if language.tag == "ja" and KANJI.search(sentence):
            raise InvalidRequest(
                "Japanese is read from kana only: espeak-ng does not know how kanji are read",
                hint="Write the text in hiragana or katakana.",
                param="input",
            )
        raw = self._espeak(key).phonemize(sentence)
        return _mapped(raw, language.replacements)

    def close(self) -> None:
        with self._lock:
            for espeak in self._espeaks.values():
                espeak.close()
            self._espeaks.clear()

    def _mandarin(self, sentence: str) -> str:
        """Chinese by its characters; what else there is, as English."""
        spoken = []
        for clause in clauses(mandarin.spelt_numbers(sentence)):
            parts = [
                mandarin.ipa(part) if mandarin.HAN.fullmatch(part) else self.phonemes(part, "a")
                for part in mandarin.parts(clause.text)
            ]
            if sound := " ".join(filter(None, parts)):
                spoken.append(sound + clause.mark)
        return " ".join(spoken)

    def _espeak(self, key: str) -> Espeak:
        with self._lock:
            if key not in self._espeaks:
                self._espeaks[key] = Espeak(LANGUAGES[key].espeak, ties=True)
            return self._espeaks[key]


def _mapped(raw: str, replacements: Replacements) -> str:
    """raw, replacements: in NFD."""
    phonemes = raw
    for old, new in (*EVERYWHERE, *replacements):
        phonemes = phonemes.replace(unicodedata.normalize("NFD", old), new)
    phonemes = SYLLABIC.sub(r"ᵊ\1", phonemes)
    return unicodedata.normalize("NFC", phonemes.replace("^", "").replace("-", ""))
