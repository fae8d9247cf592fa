"""Safetensors files from elsewhere: what does not lie as its header says is refused by name."""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sirene_inference import safetensors_file
from sirene_shared.errors import ModelDamaged

FLOATS = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def written(path: Path, header: Any, body: bytes = b"\0" * 8) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def test_a_good_file_gives_its_tensors(path: Path) -> None:
    tensors = {
        "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "b": torch.ones(3, dtype=torch.bfloat16),
        "nothing": torch.zeros(0),
        "one": torch.tensor(7),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    found = safetensors_file.load(path)
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        pytest.param({"a": FLOATS}, b"\0" * 4, id="cut"),
        pytest.param({"a": FLOATS}, b"\0" * 9, id="something behind the last tensor"),
        pytest.param({"a": FLOATS | {"shape": [3]}}, b"\0" * 8, id="larger than its place"),
        pytest.param({"a": FLOATS | {"shape": [1 << 40, 1 << 40]}}, b"\0" * 8, id="huge"),
        pytest.param({"a": FLOATS | {"shape": [-2]}}, b"\0" * 8, id="negative"),
        pytest.param({"a": FLOATS | {"dtype": "F33"}}, b"\0" * 8, id="unknown type"),
        pytest.param({"a": FLOATS | {"data_offsets": [8, 0]}}, b"\0" * 8, id="backwards"),
        pytest.param({"a": FLOATS | {"data_offsets": [8, 16]}}, b"\0" * 16, id="a gap"),
        pytest.param({"a": FLOATS, "b": FLOATS}, b"\0" * 8, id="an overlap"),
        pytest.param({"a": FLOATS | {"more": 1}}, b"\0" * 8, id="unknown field"),
        pytest.param({"a": [1]}, b"\0" * 8, id="no entry"),
        pytest.param({"__metadata__": {"a": 1}, "b": FLOATS}, b"\0" * 8, id="odd metadata"),
        pytest.param(b"[" * 100_000, b"", id="nested for ever"),
        pytest.param(b'{"a": ', b"\0" * 8, id="no JSON"),
        pytest.param(b"\xff\xfe{}", b"", id="no text"),
    ],
)
def test_a_header_that_does_not_hold_is_refused_by_the_files_name(
    path: Path, header: Any, body: bytes
) -> None:
    with pytest.raises(ModelDamaged, match=r"'model\.safetensors'"):
        safetensors_file.load(written(path, header, body))


def test_a_header_too_long_is_not_even_read(path: Path) -> None:
    with path.open("wb") as file:
        file.write((1 << 62).to_bytes(8, "little"))
        file.truncate(20 << 20)
    with pytest.raises(ModelDamaged, match="its header cannot have"):
        safetensors_file.load(path)
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    written(path, {f"t{n}": entry for n in range(20_001)}, b"")
    with pytest.raises(ModelDamaged, match="20001 tensors"):
        safetensors_file.load(path)


def test_a_link_or_no_file_is_refused(path: Path, tmp_path: Path) -> None:
    whole = written(tmp_path / "whole", {"a": FLOATS})
    for make in (lambda: path.symlink_to(whole), lambda: os.link(whole, path), path.mkdir):
        make()
        with pytest.raises(ModelDamaged, match="plain file"):
            safetensors_file.load(path)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelDamaged, match="plain file"):
        safetensors_file.load(path)


def test_a_thousand_mutations_end_in_tensors_or_in_a_refusal(path: Path) -> None:
    save_file({"a": torch.ones(4, 4), "b": torch.zeros(3)}, path)
    whole = path.read_bytes()
    choice, longest_s = random.Random(5), 0.0
    for _ in range(1000):
        body = bytearray(whole)
        for _ in range(choice.randint(1, 4)):
            body[choice.randrange(150)] = choice.randrange(256)
        path.write_bytes(body[: choice.choice([len(body), choice.randrange(len(body))])])
        began = time.process_time()
        try:
            safetensors_file.load(path)
        except ModelDamaged as error:
            assert "'model.safetensors'" in error.message  # noqa: PT017 - either end is good
        longest_s = max(longest_s, time.process_time() - began)
    assert longest_s < 0.1
