"""What Kokoro needs beside onnxruntime: its files, its phonemes, its chunks."""
