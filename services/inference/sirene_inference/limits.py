"""INFERENCE_MAX_MEMORY: how much models may take, for every device or for each its own."""

from collections.abc import Mapping

from sirene_shared.settings import parse_bytes

CPU, CUDA = "cpu", "cuda"
DEVICES = (CPU, CUDA)
AUTO, UNLIMITED = "auto", "unlimited"
# The rest is for the service, the page cache and speech itself; a GPU has only the last of these.
AUTO_PERCENT = {CPU: 80.0, CUDA: 90.0}


def parse_limits(text: str, totals: Mapping[str, int]) -> dict[str, int]:
    """`8GiB`, `75%`, `auto`, `unlimited`, or `cpu=8GiB,cuda=auto` -> bytes by device.

    totals: bytes of each device that is there; what is said of another is of no effect.
    Raises: ValueError.
    """
    limits = {}
    for part in text.split(","):
        device, _, amount = part.rpartition("=")
        if (device := device.strip()) and device not in DEVICES:
            raise ValueError(f"{device!r} is no device: there are {', '.join(DEVICES)}")
        amount = amount.strip().lower()
        _amount(amount, 1, CPU)
        for each in [device] if device else DEVICES:
            if each in totals and amount != UNLIMITED:
                limits[each] = _amount(amount, totals[each], each)
            elif each in limits:
                del limits[each]
    return limits


def _amount(text: str, total: int, device: str) -> int:
    if text == UNLIMITED:
        return total
    if text == AUTO:
        return int(total * AUTO_PERCENT[device] / 100)
    if text.endswith("%"):
        percent = float(text.removesuffix("%"))
        if not 0 < percent <= 100:
            raise ValueError(f"{text!r} is not above 0 % and at most 100 %")
        return int(total * percent / 100)
    if (count := parse_bytes(text)) <= 0:
        raise ValueError(f"{text!r} is not above 0")
    return count
