"""espeak-ng's library behind the line protocol of its program: text lines in, IPA lines out.

    python -m sirene_inference.espeak_process [--tie=CHARACTER] -v VOICE

A program of its own, so that the GPL library is never loaded into Sirene's processes.
"""

import argparse
import ctypes
import sys
from collections.abc import Iterator
from typing import BinaryIO

import espeakng_loader

# From espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
CHARS_UTF8 = 1
PHONEMES_IPA = 0x02
PHONEMES_TIE = 0x80


def load(voice: str) -> ctypes.CDLL:
    """The library, ready to speak with `voice`. Raises: ValueError."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int,
        ctypes.c_int,
    ]
    folder = espeakng_loader.get_data_path().encode()
    if library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, folder, INITIALIZE_DONT_EXIT) < 0:
        raise ValueError("espeak-ng's data could not be read")
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}")
    return library


def phonemes(library: ctypes.CDLL, line: bytes, mode: int) -> Iterator[bytes]:
    """Phonemes of each clause of the line; one empty clause for a line without any."""
    # The library moves the pointer on, clause by clause, and sets it to null at the end.
    rest = ctypes.c_char_p(line)
    while rest.value is not None:
        yield library.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, mode) or b""


def serve(library: ctypes.CDLL, mode: int, questions: BinaryIO, answers: BinaryIO) -> None:
    for line in questions:
        for clause in phonemes(library, line.strip(), mode):
            answers.write(clause.strip() + b"\n")
        answers.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tie")
    parser.add_argument("-v", dest="voice", required=True)
    arguments = parser.parse_args()
    mode = PHONEMES_IPA
    if arguments.tie:
        mode |= PHONEMES_TIE | ord(arguments.tie) << 8
    try:
        library = load(arguments.voice)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    serve(library, mode, sys.stdin.buffer, sys.stdout.buffer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
