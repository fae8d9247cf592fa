"""Chinese characters into the sounds and tones that Kokoro knows."""

import pytest

from sirene_inference.kokoro import mandarin
from tests.support.kokoro_voice import VOCABULARY


@pytest.mark.parametrize(
    ("characters", "sounds"),
    [
        ("你好", "ni↓xau↓"),
        ("中国", "ꭧʊŋ→kwo↗"),
        ("我们", "wo↓mən"),  # the second syllable has no tone
        ("女人", "ny↓ɻən↗"),
        ("学生", "ɕɥe↗ʂəŋ→"),
        ("月云", "ɥe↘yn↗"),
        ("五一", "u↓i→"),
        ("吃饭", "ꭧʰɨ→fan↘"),
        ("银行", "in↗xaŋ↗"),  # the same character as in 行走, read otherwise
        ("行走", "ɕiŋ↗ʦou↓"),
        ("儿", "ɚ↗"),
    ],
)
def test_characters_sound_as_they_are_read(characters: str, sounds: str) -> None:
    assert mandarin.ipa(characters) == sounds


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("0", "零"),
        ("10", "十"),
        ("15", "十五"),
        ("40", "四十"),
        ("105", "一百零五"),
        ("115", "一百一十五"),
        ("1010", "一千零一十"),
        ("10005", "一万零五"),
        ("120000", "十二万"),
        ("300000001", "三亿零一"),
        ("3.14", "三点一四"),
        ("007", "零零七"),
        ("13800138000138", "一三八零零一三八零零零一三八"),
        ("第2个 3", "第二个 三"),
    ],
)
def test_numbers_are_spelt(written: str, spelt: str) -> None:
    assert mandarin.spelt_numbers(written) == spelt


def test_other_scripts_are_told_apart() -> None:
    assert mandarin.parts("我有 WiFi，和猫…") == ["我有", "WiFi，", "和猫"]


def test_every_sound_is_a_symbol_that_the_model_knows() -> None:
    sounds = {*mandarin.INITIALS.values(), *mandarin.FINALS.values(), *mandarin.TONES.values()}
    assert set("".join(sounds) + mandarin.BUZZED) <= set(VOCABULARY)
