"""torch's files from elsewhere: weights come out, and nothing in them ever runs."""

import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from sirene_inference import torch_file
from sirene_shared.errors import ModelDamaged

# torch says so of pickles that it then reads, or refuses.
pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol")


class Canary:
    """What runs where pickles are trusted: it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "I ran"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pt"


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_good_file_gives_its_tensors(path: Path, is_zip: bool) -> None:
    torch.save({"a": torch.arange(5)}, path, _use_new_zipfile_serialization=is_zip)
    assert torch.equal(torch_file.load(path)["a"], torch.arange(5))


@pytest.mark.parametrize("is_zip", [True, False])
def test_code_in_a_file_never_runs(path: Path, tmp_path: Path, is_zip: bool) -> None:
    trace = tmp_path / "trace"
    content = {"a": torch.ones(2), "b": Canary(trace)}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(ModelDamaged, match=r"'weights\.pt'"):
        torch_file.load(path)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ModelDamaged, match=r"'weights\.pt'"):
        torch_file.load(path)
    assert not trace.exists()
    torch.save(content, path)
    torch.load(path, weights_only=False)  # the canary does sing where it is let out
    assert trace.exists()


@pytest.mark.parametrize("content", [torch.ones(2), [torch.ones(2)], {1: torch.ones(2)}, {"a": 1}])
def test_what_is_no_tensors_by_name_is_refused(path: Path, content: object) -> None:
    torch.save(content, path)
    with pytest.raises(ModelDamaged, match="tensors by name"):
        torch_file.load(path)


def test_a_file_that_would_grow_is_refused(path: Path, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1 << 20)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(ModelDamaged, match=r"'weights\.pt'"):
        torch_file.load(path)


def test_mutations_end_in_tensors_or_in_a_refusal(path: Path) -> None:
    choice = random.Random(5)
    for is_zip in (True, False):
        content = {"a": torch.ones(4, 4), "b": torch.zeros(3)}
        torch.save(content, path, _use_new_zipfile_serialization=is_zip)
        whole = path.read_bytes()
        for _ in range(300):
            body = bytearray(whole)
            for _ in range(choice.randint(1, 4)):
                body[choice.randrange(len(body))] = choice.randrange(256)
            path.write_bytes(body[: choice.choice([len(body), choice.randrange(len(body))])])
            try:
                torch_file.load(path)
            except ModelDamaged as error:
                assert "'weights.pt'" in error.message  # noqa: PT017 - either end is good


def test_torch_loads_files_in_one_place_alone() -> None:
    """Elsewhere nobody would look for `weights_only`."""
    package = Path(torch_file.__file__).parent
    for module in package.rglob("*.py"):
        text = module.read_text()
        assert "weights_only=False" not in text
        assert "pickle.load" not in text
        assert "trust_remote_code" not in text
        if module.name != "torch_file.py":
            assert "torch.load(" not in text
