"""The wiring diagram: unique subjects, one message type each, every stream declared once."""

from itertools import combinations

import pytest

from sirene_shared import subjects
from sirene_shared.names import ModelRef
from sirene_shared.subjects import BUCKETS, CONSUMERS, STREAMS, SUBJECTS, Bucket, Subject
from sirene_shared.wire import AboutModel

KOKORO = ModelRef("kokoro", "v1.0")


def test_no_subject_lies_inside_another() -> None:
    for one, other in combinations([subject.prefix for subject in SUBJECTS], 2):
        assert not f"{one}.".startswith(f"{other}.")
        assert not f"{other}.".startswith(f"{one}.")


def test_every_subject_carries_its_own_message_type_and_its_version() -> None:
    assert len({subject.message for subject in SUBJECTS}) == len(SUBJECTS)
    assert all(subject.prefix.startswith("sirene.v1.") for subject in SUBJECTS)


def test_every_declared_subject_and_bucket_is_in_the_lists() -> None:
    declared = vars(subjects).values()
    assert {s for s in declared if isinstance(s, Subject)} == set(SUBJECTS)
    assert {b for b in declared if isinstance(b, Bucket)} == set(BUCKETS)


def test_a_stream_keeps_exactly_the_subjects_that_name_it() -> None:
    kept = {stream.name: set(stream.subjects or ()) for stream in STREAMS}
    named: dict[str, set[str]] = {}
    for subject in SUBJECTS:
        if subject.stream:
            named.setdefault(subject.stream, set()).add(subject.all)
    assert kept == named


def test_every_command_has_one_consumer() -> None:
    filters = [consumer.filter_subject for consumer in CONSUMERS]
    commands = [subject.all for subject in SUBJECTS if subject.stream == subjects.COMMANDS]
    assert sorted(map(str, filters)) == sorted(commands)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_about_a_model_gives_the_model_back(subject: Subject) -> None:
    if issubclass(subject.message, AboutModel) and not subject.is_one:
        assert subject.ref(subject.of(KOKORO)) == KOKORO
