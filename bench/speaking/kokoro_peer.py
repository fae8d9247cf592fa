"""kokoro-onnx's create_stream, in its own environment: a text a line in, a measure a line out.

VENV/bin/python kokoro_peer.py MODEL.onnx VOICES.npz VOICE
"""

import asyncio
import json
import sys
import time

from kokoro_onnx import Kokoro  # type: ignore[import-not-found,unused-ignore]


async def main(graph: str, voices: str, voice: str) -> None:
    kokoro = Kokoro(graph, voices)
    print("ready", flush=True)
    for line in sys.stdin:
        began, first, samples = time.monotonic(), 0.0, 0
        async for piece, _ in kokoro.create_stream(json.loads(line), voice, lang="en-us"):
            first = first or time.monotonic() - began
            samples += len(piece)
        print(json.dumps([first, time.monotonic() - began, samples / 24_000]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
