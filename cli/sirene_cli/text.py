"""Values as people read them: bytes, durations, and foreign text made harmless for a terminal."""


def plain(value: str) -> str:
    """`value` on one line, with what could steer a terminal escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in value)


def size(count: float | None) -> str:
    """Bytes in decimal units, as hubs and disks count them; `-` when unknown."""
    if count is None:
        return "-"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float | None) -> str:
    """`8 s`, `3 min 20 s`, `2 h 05 min`; `-` when unknown."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
