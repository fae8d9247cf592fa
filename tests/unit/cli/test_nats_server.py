"""Which nats-server is good enough."""

import pytest

from sirene_cli.nats_server import is_supported


@pytest.mark.parametrize(
    ("version", "is_good"),
    [
        ((2, 9, 10), False),
        ((2, 12, 11), False),
        ((2, 12, 12), True),
        ((2, 13, 9), False),
        ((2, 14, 2), False),
        ((2, 14, 3), True),
        ((2, 15, 1), True),
        ((3, 0, 0), True),
        ((0, 0, 0), False),
    ],
)
def test_servers_with_known_holes_are_not_used(
    version: tuple[int, int, int], is_good: bool
) -> None:
    assert is_supported(version) is is_good
