"""Speed and bytes as a pull tells them."""

from nats.aio.client import Client

from sirene_downloader.report import STALLED_S, Report, Speed
from sirene_downloader.states import States
from sirene_shared.messages import InstallState, Phase, PullCommand

COMMAND = PullCommand(model="voice", variant="small", job="job-1")


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def report(clock: Clock, *, seq: int = 0) -> Report:
    nc = Client()
    return Report(nc, States(nc.jetstream()), COMMAND, seq=seq, attempt=1, now=clock)


def test_a_steady_transfer_has_its_speed_from_the_first_measurement_on() -> None:
    speed = Speed(0.0)
    assert [speed.after(1000, second) for second in (1.0, 2.0, 3.0)] == [1000, 1000, 1000]


def test_the_speed_falls_when_nothing_comes_and_ends_at_zero() -> None:
    speed = Speed(0.0)
    before = speed.after(1000, 1.0)
    while_stalled = [speed.after(0, 1.0 + second) for second in (1, 2, STALLED_S)]
    assert before > while_stalled[0] > while_stalled[1] > while_stalled[2] == 0


def test_a_file_that_begins_anew_is_a_new_attempt() -> None:
    clock = Clock()
    told = report(clock)
    told.work_on("model.onnx", Phase.DOWNLOADING)
    told.expect(1000, 200)
    told.add(300)
    assert (told.transfer().done_bytes, told.transfer().attempt) == (500, 1)
    told.lose(500)
    assert (told.transfer().done_bytes, told.transfer().attempt) == (0, 2)
    clock.time += 1
    told.add(100)
    assert told.transfer().speed_bytes_s > 0


def test_the_time_left_is_told_only_while_bytes_come() -> None:
    clock = Clock()
    told = report(clock)
    told.work_on("model.onnx", Phase.DOWNLOADING)
    assert told.transfer().eta_s is None  # the sizes are not known
    told.expect(1000, 0)
    told.add(100)
    clock.time += 1
    assert told.transfer().eta_s == 9.0
    clock.time += STALLED_S
    assert told.transfer().eta_s is None


def test_what_was_here_already_is_no_speed() -> None:
    clock = Clock()
    told = report(clock)
    told.work_on("model.onnx", Phase.DOWNLOADING)
    told.expect(1000, 900)
    clock.time += 1
    assert told.transfer().speed_bytes_s == 0


def test_numbers_go_on_from_those_of_the_run_before() -> None:
    told = report(Clock(), seq=107)
    assert [told.last(InstallState.QUEUED).seq, told.last(InstallState.QUEUED).seq] == [108, 109]
