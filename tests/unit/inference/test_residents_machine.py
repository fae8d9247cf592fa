"""The decisions of the cache under random events in any order, against a plain model."""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.residents_machine import ResidentsMachine

# 5,000 examples in five runs of their own, so that they can be repeated one by one.
SEEDS = (1, 2, 3, 5, 8)


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


def test_any_order_of_events_keeps_the_promises() -> None:
    run_state_machine_as_test(ResidentsMachine, settings=profile(100))


@pytest.mark.slow
@pytest.mark.parametrize("number", SEEDS)
def test_five_thousand_orders_of_events_keep_the_promises(number: int) -> None:
    class Seeded(ResidentsMachine):
        pass

    run_state_machine_as_test(seed(number)(Seeded), settings=profile(1000))
