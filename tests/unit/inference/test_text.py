"""Sentences and clauses."""

import pytest

from sirene_inference.text import MAX_SENTENCE_CHARACTERS, clauses, sentences


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Dr. Smith paid $3.50. He left!", "en-us", ["Dr. Smith paid $3.50.", "He left!"]),
        ("One line\n\nanother. And more", "en", ["One line", "another.", "And more"]),
        ("Olá. Tudo bem? Sim", "pt-br", ["Olá.", "Tudo bem?", "Sim"]),
        ("你好，世界。是吗？好", "cmn", ["你好，世界。", "是吗？", "好"]),
        ("  \n\t ", "en", []),
        ("", "", []),
    ],
)
def test_a_text_is_split_into_its_sentences(text: str, language: str, expected: list[str]) -> None:
    assert list(sentences(text, language)) == expected


@pytest.mark.parametrize("text", ["word, " * 300, "word " * 300, "x" * 2000, "字" * 2000])
def test_a_long_sentence_is_cut_and_nothing_is_lost(text: str) -> None:
    pieces = list(sentences(text, "en"))
    assert all(len(piece) <= MAX_SENTENCE_CHARACTERS for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text", ["." * 4096, "(" * 4096, "?!" * 2048, "A. " * 1365, "\"'" * 2048, "1. " * 1365]
)
def test_odd_texts_are_split_without_loss(text: str) -> None:
    assert "".join("".join(sentences(text, "en")).split()) == "".join(text.split())


def test_a_clause_keeps_its_mark() -> None:
    found = clauses('"Is it 3.50, or 12:30?" she asked; no: Dr. Who said "no…" — then left...')
    assert [tuple(clause) for clause in found] == [
        ('"Is it 3.50', ","),
        ("or 12:30", "?"),
        ("she asked", ";"),
        ("no", ":"),
        ('Dr. Who said "no', "."),
        ("", ";"),
        ("then left", "."),
    ]


def test_a_sentence_without_marks_is_one_clause() -> None:
    assert [tuple(clause) for clause in clauses("just words")] == [("just words", "")]
    assert list(clauses("")) == []
