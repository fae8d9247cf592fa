"""Text in parts that fit a model."""

import pytest

from sirene_inference.passages import language_of, parts, passages

TEXT = "One is short. Two is a little longer, and has a clause. Three ends it."


def test_sentences_are_put_together_as_far_as_they_fit() -> None:
    assert list(passages(TEXT, "en", 400)) == [TEXT]
    assert list(passages(TEXT, "en", 60)) == [
        "One is short. Two is a little longer, and has a clause.",
        "Three ends it.",
    ]
    assert list(passages("你好。今天很好。", "zh", 100)) == ["你好。今天很好。"]


@pytest.mark.parametrize(
    ("text", "language", "spoken"),
    [
        ("Hello.", "", "en"),
        ("Bonjour.", "fr", "fr"),
        ("今天很好。", "", "zh"),
        ("今日はいい天気。", "", "ja"),
        ("今天很好。", "en", "en"),
    ],
)
def test_the_language_is_as_asked_or_as_the_script_tells(
    text: str, language: str, spoken: str
) -> None:
    assert language_of(text, language) == spoken


@pytest.mark.parametrize("limit", [10, 25, 40, 400])
def test_no_part_is_too_long_and_nothing_is_lost(limit: int) -> None:
    found = list(passages(TEXT, "en", limit))
    assert max(map(len, found)) <= limit
    assert "".join("".join(found).split()) == "".join(TEXT.split())


def test_a_long_sentence_is_cut_at_a_mark_or_else_a_space_or_else_anywhere() -> None:
    assert list(parts("a first half here, and a second one", 24)) == [
        "a first half here,",
        "and a second one",
    ]
    assert list(parts("no mark in these words", 12)) == ["no mark in", "these words"]
    assert list(parts("x" * 25, 10)) == ["x" * 10, "x" * 10, "x" * 5]
