"""Kokoro with a real espeak-ng: its phonemes, its voices, and what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sirene_inference.backends import Audio, kokoro
from sirene_inference.backends.kokoro import KokoroVoice
from sirene_inference.cancellation import Cancellation
from sirene_inference.kokoro.chunks import Tokenizer
from sirene_inference.kokoro.phonemes import LANGUAGES, Phonemizer, spoken_language
from sirene_shared.errors import InvalidRequest, ModelDamaged
from sirene_shared.manifest import load_catalogue
from sirene_shared.settings import repository_folder
from tests.support.kokoro_voice import SAMPLE_RATE, VOCABULARY, VOICES
from tests.support.models_volume import ModelsVolume

LONG = (
    "The first sentence, which has a clause or two, is not short; it goes on for a while. "
    "Then comes another one, and it is no shorter than the first one was, as you can hear. "
)


@pytest.fixture(scope="module")
def phonemizer() -> Iterator[Phonemizer]:
    one = Phonemizer()
    yield one
    one.close()


class Model:
    def __init__(self, folder: Path) -> None:
        volume = ModelsVolume(folder)
        self.ref = volume.add_kokoro("small")
        self.manifest = load_catalogue(volume.manifests)["kokoro"]
        self.folder = volume.root / "kokoro" / "small"
        paths = [file.path for file in self.manifest.variants["small"].file_list]
        self.files = {path: self.folder / path for path in paths}

    def load(self) -> KokoroVoice:
        return kokoro.load(self.files, self.manifest, "small", device="auto", threads=1)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path / "data")


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KokoroVoice]:
    loaded = Model(tmp_path_factory.mktemp("kokoro") / "data").load()
    yield loaded
    loaded.close()


def spoken(
    voice: KokoroVoice, text: str, *, name: str = "", language: str = "", speed: float = 1.0
) -> list[Audio]:
    pieces = voice.speak(
        text,
        voice=name,
        language=language,
        speed=speed,
        seed=None,
        cancelled=Cancellation(),
    )
    return list(pieces)


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("a", "Hello world, the judge.", "həlˈO wˈɜɹld, ðə ʤˈʌʤ."),
        ("a", "A better bottle", "ə bˈɛTəɹ bˈɑTᵊl"),
        ("a", "choosing boys, out there", "ʧˈuzɪŋ bˈYz, ˈWt ðˈɛɹ"),
        ("b", "Hello world, go there.", "həlˈQ wˈɜːld, ɡˌQ ðˈɛː."),
        ("f", "Bonjour, ça va ?", "bɔ̃ʒˈuʁ, sa vˈa?"),
        ("e", "Hola, chico.", "ˈola, ʧˈiko."),
        ("i", "Ciao, pizza!", "ʧˈao, pˈiʦːa!"),
        ("p", "a nação", "a nasˈɐ̃ʊ̃"),
        ("j", "つくえ、しんぶん。", "ʦɯkɯe̞, ɕiuɴbɯɴ."),
        ("z", "你好，我有 3 本书。", "ni↓xau↓, wo↓jou↓ san→ pən↓ʂu→."),
        ("z", "我有 WiFi。", "wo↓jou↓ wˈI fˌI."),
    ],
)
def test_phonemes_are_the_ones_of_the_models_training(
    phonemizer: Phonemizer, key: str, text: str, expected: str
) -> None:
    assert phonemizer.phonemes(text, key) == expected


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "The quick brown fox jumps over the lazy dog, and 1,234 vixens measure joy."),
        ("b", "The quick brown fox jumps over the lazy dog, and 1,234 vixens measure joy."),
        ("e", "El veloz murciélago hindú comía feliz cardillo y kiwi; ¿qué tal la cigüeña?"),
        ("f", "Portez ce vieux whisky au juge blond qui fume ; un bon vin blanc, œuf, peur."),
        ("h", "नमस्ते दुनिया। आज मौसम बहुत अच्छा है।"),
        ("i", "Quel vituperabile xenofobo zelante assaggia il whisky ed esclama: alleluja!"),
        ("p", "Luís argüia à Júlia que brações, fé, chá, óxido, pôr, zângão eram palavras."),
        ("k", "안녕하세요, 오늘은 날씨가 정말 좋아요."),
        ("z", "今天天气很好，我们去公园散步吧。二〇二五年，一共是123个人！"),
    ],
)
def test_nothing_of_a_language_is_left_out(phonemizer: Phonemizer, key: str, text: str) -> None:
    phonemes = phonemizer.phonemes(text, key)
    tokens = sum(map(len, Tokenizer(VOCABULARY)(phonemes)))
    spaces_between_clauses = sum(phonemes.count(f"{mark} ") for mark in ",;:.!?")
    assert tokens >= len(phonemes) - spaces_between_clauses
    assert tokens > 20


def test_japanese_with_kanji_is_refused_and_in_kana_is_spoken(voice: KokoroVoice) -> None:
    with pytest.raises(InvalidRequest, match="kana") as caught:
        spoken(voice, "今日はいい天気です。", name="jf_alpha")
    assert caught.value.param == "input"
    assert spoken(voice, "きょうはいいてんきです。", name="jf_alpha")


@pytest.mark.parametrize(
    ("voice_name", "wanted", "key"),
    [
        ("af_heart", "", "a"),
        ("ff_siwis", "", "f"),
        ("my_own", "", "a"),
        ("bm_george", "en", "b"),
        ("bm_george", "en-US", "a"),
        ("af_heart", "en_GB", "b"),
        ("af_heart", "fr-CA", "f"),
        ("af_heart", "cmn", "z"),
        ("jf_alpha", "ko", "k"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_voices_own(
    voice_name: str, wanted: str, key: str
) -> None:
    assert spoken_language(voice_name, wanted) == key


def test_a_language_that_it_does_not_know_is_refused(voice: KokoroVoice) -> None:
    with pytest.raises(InvalidRequest, match="'sv'") as caught:
        spoken(voice, "Hej.", language="sv")
    assert caught.value.param == "language"
    assert "fr" in caught.value.hint


def test_every_voice_of_the_shipped_manifest_has_its_file_and_a_language_that_is_spoken() -> None:
    variant = load_catalogue(repository_folder("manifests"))["kokoro"].variants["v1.0"]
    voices = {voice.id: voice for voice in variant.voices}
    paths = {file.path for file in variant.file_list}
    assert {f"voices/{name}.bin" for name in voices} == {p for p in paths if p.endswith(".bin")}
    assert len(voices) == 54
    assert all(file.size and file.sha256 for file in variant.file_list)
    for name, voice in voices.items():
        assert spoken_language(name, voice.language) == name[0]
    assert set(LANGUAGES) - {"k"} == {name[0] for name in voices}


def test_voices_speed_and_text_are_heard(voice: KokoroVoice) -> None:
    assert voice.voices == tuple(sorted(VOICES))
    said = {name: np.concatenate(spoken(voice, LONG, name=name, language="en")) for name in VOICES}
    spectra = [spectrum(audio) for audio in said.values()]
    for index, one in enumerate(spectra):
        for other in spectra[:index]:
            assert np.abs(one - other).sum() > 0.1 * one.sum()
    slow, fast = (
        sum(map(len, spoken(voice, LONG, speed=speed))) / SAMPLE_RATE for speed in (0.5, 2.0)
    )
    assert 3 < slow / fast < 5
    one, other = spoken(voice, "Seven swans."), spoken(voice, "Seven swims.")
    assert abs(spectrum(one[0]) - spectrum(other[0])).max() > 0


def spectrum(audio: Audio) -> Audio:
    """The mean magnitude of 100 ms pieces."""
    pieces = audio[: len(audio) // 2400 * 2400].reshape(-1, 2400)
    mean: Audio = np.abs(np.fft.rfft(pieces)).mean(axis=0)
    return mean


def test_the_first_piece_is_a_clause_and_the_others_are_longer(voice: KokoroVoice) -> None:
    first, *others = (len(piece) / SAMPLE_RATE for piece in spoken(voice, LONG))
    assert first < 3
    assert max(others) > 1.5 * first


def test_a_text_of_many_pages_is_never_too_long_for_the_model(voice: KokoroVoice) -> None:
    pieces = spoken(voice, "antidisestablishmentarianism " * 60)
    assert max(map(len, pieces)) / SAMPLE_RATE < 60
    assert len(pieces) > 4


@pytest.mark.parametrize("name", ["tokenizer.json", "voices/ff_siwis.bin", "model.onnx"])
def test_a_cut_file_is_called_by_its_name(model: Model, name: str) -> None:
    body = model.files[name].read_bytes()
    model.files[name].write_bytes(body[: len(body) // 2])
    with pytest.raises(ModelDamaged, match=name.rpartition("/")[2]):
        model.load()


def test_a_graph_of_another_family_is_refused(model: Model, tmp_path: Path) -> None:
    other = ModelsVolume(tmp_path / "other")
    other.add_piper("voice")
    graph = other.root / "piper" / "voice" / "model.onnx"
    model.files["model.onnx"].write_bytes(graph.read_bytes())
    with pytest.raises(ModelDamaged, match=r"model\.onnx.*input_lengths"):
        model.load()
