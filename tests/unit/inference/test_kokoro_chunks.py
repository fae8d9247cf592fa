"""What Kokoro makes at a time."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from sirene_inference.kokoro.chunks import FEW_TOKENS, FIRST_TOKENS, MAX_TOKENS, Tokenizer, chunks
from sirene_inference.kokoro.files import MAX_TOKENS as PUBLISHED_LIMIT

VOCABULARY = {" ": 16, ",": 3, ".": 4, "a": 43, "b": 44, "\u0303": 17, "ç": 78, "ˈ": 156}
SPACE = (16,)


def clause(length: int, token: int = 43) -> tuple[int, ...]:
    return (token,) * length


def sizes(*sentences: list[tuple[int, ...]]) -> list[tuple[int, bool]]:
    return [(len(chunk.tokens), chunk.ends_sentence) for chunk in chunks(sentences, SPACE)]


def test_the_first_chunk_ends_with_the_first_clause_and_later_ones_grow() -> None:
    assert sizes([clause(20), clause(20), clause(20), clause(60)]) == [
        (20, False),
        (41, False),
        (60, True),
    ]


def test_a_clause_of_a_word_or_two_waits_for_the_next() -> None:
    assert sizes([clause(6), clause(40)]) == [(47, True)]


def test_short_sentences_are_spoken_together_and_longer_ones_alone() -> None:
    assert sizes([clause(5)], [clause(6)], [clause(7)]) == [(20, True)]
    assert sizes([clause(20)], [clause(30)]) == [(20, True), (30, True)]


def test_what_is_left_at_the_end_is_spoken_however_short() -> None:
    assert sizes([clause(20)], [clause(3)]) == [(20, True), (3, True)]


def test_a_clause_without_an_end_is_cut_at_a_space() -> None:
    words = ((43,) * 9 + SPACE) * 100
    made = list(chunks([[words]], SPACE))
    assert all(chunk.tokens[-1] in (*SPACE, 43) for chunk in made)
    assert all(len(chunk.tokens) % 10 in (0, 1) for chunk in made)
    assert sum(chunk.tokens.count(43) for chunk in made) == 900


def test_the_first_chunk_waits_for_no_further_sentence() -> None:
    def sentences() -> Iterator[list[tuple[int, ...]]]:
        yield [clause(20)]
        raise AssertionError("the second sentence was read too early")

    assert len(next(chunks(sentences(), SPACE)).tokens) == 20


@given(st.lists(st.lists(st.integers(1, 700), min_size=1, max_size=6), max_size=6))
def test_nothing_is_lost_and_no_chunk_is_too_large(lengths: list[list[int]]) -> None:
    sentences = [[clause(length) for length in sentence] for sentence in lengths]
    made = list(chunks(sentences, SPACE))
    assert sum(chunk.tokens.count(43) for chunk in made) == sum(map(sum, lengths))
    assert all(0 < len(c.tokens) <= MAX_TOKENS + FEW_TOKENS <= PUBLISHED_LIMIT for c in made)
    assert all(len(chunk.tokens) >= FEW_TOKENS for chunk in made[:-1])
    if made and lengths[0][0] <= FIRST_TOKENS:
        assert len(made[0].tokens) <= FIRST_TOKENS + MAX_TOKENS


def test_phonemes_become_the_tokens_of_each_clause() -> None:
    tokenizer = Tokenizer(VOCABULARY)
    assert tokenizer("aˈb, a.") == [(43, 156, 44, 3), (43, 4)]
    assert tokenizer("ãç") == [(43, 17, 78)]
    assert tokenizer.space == SPACE


def test_a_symbol_that_the_model_does_not_know_is_left_out() -> None:
    tokenizer = Tokenizer(VOCABULARY)
    assert tokenizer("aЖb") == [(43, 44)]
    assert tokenizer("Ж") == []


def test_marks_and_stress_alone_are_nothing_to_speak() -> None:
    assert Tokenizer(VOCABULARY)("ˈ,. ") == []
