"""What bench.speak tells of what it heard."""

from bench.speaking.heard import Heard, factor, first_s, in_turns
from bench.speaking.table import Pair, row


def test_speakers_take_turns_and_each_begins_as_often_as_the_other() -> None:
    spoken: list[str] = []

    def speaker(name: str) -> Heard:
        spoken.append(name)
        return Heard(float(len(spoken)), 1.0, 1.0)

    heard = in_turns({"a": lambda _: speaker("a"), "b": lambda _: speaker("b")}, "text", rounds=2)
    assert spoken == ["a", "b", "b", "a", "a", "b"]
    assert [one.first_s for one in heard["a"]] == [4.0, 5.0]
    assert [one.first_s for one in heard["b"]] == [3.0, 6.0]


def test_the_real_time_factor_is_that_of_each_round() -> None:
    found = [Heard(0.1, 1.0, 4.0), Heard(0.3, 3.0, 6.0), Heard(0.2, 9.0, 10.0)]
    assert first_s(found) == 0.2
    assert factor(found) == 0.5


def test_a_row_says_which_aims_were_met() -> None:
    peer, soon_but_slow = [Heard(1.0, 1.0, 2.0)], [Heard(0.4, 1.2, 2.0)]
    told = row(Pair("who", "short", peer, soon_but_slow, 0.5))
    assert told == (
        "| who | short | 2.0 s | 1,000 ms | 400 ms | 0.40 x | ≤ 0.50 x | met | 0.500 | 0.600"
        " | missed |"
    )
    later = row(Pair("who", "short", soon_but_slow, peer, 0.5))
    assert "2.50 x | ≤ 0.50 x | missed" in later
    assert later.endswith("| 0.600 | 0.500 | met |")
