"""Qwen3-TTS in plain torch, with the published parameter names (arXiv 2601.15621).

A frame is 80 ms of sound: one code of each codebook. The talker writes a frame's first code, the
predictor the others; the codec turns frames into sound, and a clip into frames.
"""
