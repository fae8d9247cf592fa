"""One speech: frame after frame of codes, each drawn when it is asked for."""

import torch
from torch import Tensor

from sirene_inference.qwen.config import GenerationConfig
from sirene_inference.qwen.prompt import Prompt
from sirene_inference.qwen.sampling import FirstCodes, Sampler
from sirene_inference.qwen.talker import Talker

# The upper codes of the talker's vocabulary control and are never spoken.
CONTROL_CODES = 1024


class Frames:
    def __init__(
        self,
        talker: Talker,
        prompt: Prompt,
        generation: GenerationConfig,
        *,
        seed: int,
        limit: int,
    ) -> None:
        """limit: how many frames at most, since a speech that misses its end would go on."""
        config = talker.config
        random = torch.Generator(talker.device).manual_seed(seed)
        self._first = Sampler(
            random,
            sample=generation.do_sample,
            temperature=generation.temperature,
            top_k=generation.top_k,
            top_p=generation.top_p,
        )
        self._other = Sampler(
            random,
            sample=generation.subtalker_dosample,
            temperature=generation.subtalker_temperature,
            top_k=generation.subtalker_top_k,
            top_p=generation.subtalker_top_p,
        )
        self._allowed = FirstCodes(
            generation.repetition_penalty,
            codes=config.vocab_size - CONTROL_CODES,
            end=config.codec_eos_token_id,
        )
        self._talker, self._prompt, self._limit = talker, prompt, limit
        self._sequence = talker.model.begin()
        self._next = prompt.ahead
        self._said: set[int] = set()
        self.count = 0

    @torch.inference_mode()
    def draw(self) -> Tensor | None:
        """The next frame, (groups,) int64; None at the end. Raises: Stopped."""
        if self.count >= self._limit:
            return None
        state = self._talker.model(self._next, self._sequence)[:, -1:]
        logits = self._talker.codec_head(state[:, 0]).float()
        first = self._first.draw(self._allowed.masked(logits, self._said, self.count))
        code = int(first)
        if code == self._talker.config.codec_eos_token_id:
            return None
        self._said.add(code)
        frame = self._others(state, first)
        beside = self._prompt.beside[:, self.count : self.count + 1]
        heard = beside if beside.shape[1] else self._prompt.pad
        self._next = self._talker.frames(frame[None]) + heard
        self.count += 1
        return frame

    def _others(self, state: Tensor, first: Tensor) -> Tensor:
        """state: (1, 1, width); first: (1,) -> the whole frame, (groups,)."""
        predictor = self._talker.code_predictor
        inner, sequence = predictor.small_to_mtp_projection, predictor.model.begin()
        spoken = self._talker.model.codec_embedding(first)[None]
        heads, embeddings = list(predictor.lm_head), list(predictor.model.codec_embedding)
        asked, codes = torch.cat((state, spoken), dim=1), [first]
        for group, head in enumerate(heads):
            seen = predictor.model(inner(asked), sequence)
            codes.append(self._other.draw(head(seen[:, -1])))
            if group + 1 < len(heads):
                asked = embeddings[group](codes[-1])[None]
        return torch.cat(codes)
