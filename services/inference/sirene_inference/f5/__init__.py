"""F5-TTS in plain torch, with the published parameter names (arXiv 2410.06885).

A transformer turns noise into the mel spectrogram of a text, as the voice of a reference would have
spoken it; Vocos turns that into sound.
"""
