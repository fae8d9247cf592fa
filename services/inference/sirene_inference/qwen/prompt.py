"""What the talker is given before its first frame, and what it hears beside each frame after it.

Two ways, as upstream's own: a preset or designed voice gets the whole text ahead; a cloned one gets
the text token by token, a token a frame, the reference's frames being the first.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from sirene_inference.qwen.config import ModelConfig
from sirene_inference.qwen.talker import Talker
from sirene_inference.qwen.tokens import TextTokens


class Prompt(NamedTuple):
    ahead: Tensor
    """(1, positions, width)"""
    beside: Tensor
    """(1, frames, width): added to the first frames; `pad` to all later ones."""
    pad: Tensor
    """(1, 1, width)"""


class ClonedVoice(NamedTuple):
    speaker: Tensor
    """(width,)"""
    codes: Tensor | None
    """The reference's frames, (frames, groups); None: the voice alone, without its manner."""
    transcript: list[int]
    """Of the reference, as tokens."""


class Prompter:
    def __init__(self, talker: Talker, tokens: TextTokens, config: ModelConfig) -> None:
        self._talker, self._tokens, self._config = talker, tokens, config
        self._speech = config.talker_config

    def preset(self, text: str, speaker: str, language: str, instructions: str) -> Prompt:
        """speaker: empty for a voice that the instructions describe. language: empty for any."""
        voice = self._talker.codec([self._speech.spk_id[speaker]]) if speaker else None
        start = self._start(self._language_id(language, speaker), voice)
        _, end, pad = self._marks()
        spoken = torch.cat((self._talker.text(self._tokens(text)), end), dim=1)
        padded = self._talker.codec([self._speech.codec_pad_id]).expand(-1, spoken.shape[1], -1)
        go = pad + self._talker.codec([self._speech.codec_bos_id])
        parts = [*self._instructed(instructions), start, spoken + padded, go]
        return Prompt(torch.cat(parts, dim=1), pad, pad)

    def cloned(self, text: str, voice: ClonedVoice, language: str) -> Prompt:
        start = self._start(self._language_id(language, ""), voice.speaker.view(1, 1, -1))
        _, end, pad = self._marks()
        codes = self._talker.codec([self._speech.codec_bos_id])
        transcript = [] if voice.codes is None else voice.transcript
        if voice.codes is not None:
            codes = torch.cat((codes, self._talker.frames(voice.codes)), dim=1)
        spoken = torch.cat((self._talker.text([*transcript, *self._tokens(text)]), end), dim=1)
        lacking = codes.shape[1] - spoken.shape[1]
        if lacking >= 0:
            spoken = torch.cat((spoken, pad.expand(-1, lacking + 1, -1)), dim=1)
        ahead = torch.cat((start, spoken[:, : codes.shape[1]] + codes), dim=1)
        return Prompt(ahead, spoken[:, codes.shape[1] :], pad)

    def _instructed(self, instructions: str) -> list[Tensor]:
        if not instructions:
            return []
        start, end = self._config.im_start_token_id, self._config.im_end_token_id
        turn = [start, *self._tokens(f"user\n{instructions}"), end, *self._tokens("\n")]
        return [self._talker.text(turn)]

    def _start(self, language: int | None, speaker: Tensor | None) -> Tensor:
        """The role, and the control codes but the last, with what is laid over them."""
        speech = self._speech
        control = [speech.codec_nothink_id, speech.codec_think_bos_id]
        if language is not None:
            control = [speech.codec_think_id, speech.codec_think_bos_id, language]
        parts = [self._talker.codec([*control, speech.codec_think_eos_id])]
        if speaker is not None:
            parts.append(speaker)
        codes = torch.cat((*parts, self._talker.codec([speech.codec_pad_id])), dim=1)
        begin, _, pad = self._marks()
        over = torch.cat((pad.expand(-1, codes.shape[1] - 1, -1), begin), dim=1)
        role = [self._config.im_start_token_id, *self._tokens("assistant\n")]
        return torch.cat((self._talker.text(role), over + codes), dim=1)

    def _marks(self) -> tuple[Tensor, Tensor, Tensor]:
        """Begin, end and pad of the text."""
        config = self._config
        marks = [config.tts_bos_token_id, config.tts_eos_token_id, config.tts_pad_token_id]
        begin, end, pad = self._talker.text(marks).chunk(3, dim=1)
        return begin, end, pad

    def _language_id(self, language: str, speaker: str) -> int | None:
        """language: a name of the config's; a speaker of a dialect speaks it as his Chinese."""
        ids = self._speech.codec_language_id
        dialect = self._speech.spk_is_dialect.get(speaker)
        if language in ("", "chinese") and isinstance(dialect, str) and dialect in ids:
            return ids[dialect]
        return ids.get(language)
