"""ONNX files from elsewhere: what refers to other files is refused before an engine sees it."""

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sirene_inference.onnx_file import read_model
from sirene_shared.errors import ModelDamaged
from sirene_shared.store import RECORD_NAME, InstallRecord, RecordedFile
from tests.support import piper_voice


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return piper_voice.build(tmp_path / "voice.onnx")


def external() -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "weight")
    onnx.external_data_helper.set_external_data(tensor, "../../etc/passwd")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    return tensor


def with_initializer() -> onnx.ModelProto:
    graph = helper.make_graph([], "g", [], [], initializer=[external()])
    return helper.make_model(graph)


def with_constant_in_a_branch() -> onnx.ModelProto:
    constant = helper.make_node("Constant", [], ["c"], value=external())
    branch = helper.make_graph([constant], "branch", [], [])
    choice = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    return helper.make_model(helper.make_graph([choice], "g", [], []))


def with_constant_in_a_function() -> onnx.ModelProto:
    constant = helper.make_node("Constant", [], ["c"], value=external())
    function = helper.make_function("d", "f", [], ["c"], [constant], [])
    return helper.make_model(helper.make_graph([], "g", [], []), functions=[function])


def test_a_plain_file_is_read_whole(graph: Path) -> None:
    assert read_model(graph, "voice.onnx") == graph.read_bytes()


@pytest.mark.parametrize(
    "model", [with_initializer, with_constant_in_a_branch, with_constant_in_a_function]
)
def test_a_tensor_that_lies_elsewhere_is_refused(tmp_path: Path, model: object) -> None:
    path = tmp_path / "voice.onnx"
    path.write_bytes(model().SerializeToString())  # type: ignore[operator]
    with pytest.raises(ModelDamaged, match="data in another file"):
        read_model(path, "voice.onnx")


def test_a_link_is_refused(graph: Path, tmp_path: Path) -> None:
    symbolic, hard = tmp_path / "symbolic.onnx", tmp_path / "hard.onnx"
    symbolic.symlink_to(graph)
    os.link(graph, hard)
    for path in (symbolic, hard, tmp_path / "absent.onnx"):
        with pytest.raises(ModelDamaged, match="plain file"):
            read_model(path, "voice.onnx")


def test_a_hard_link_of_what_the_record_names_is_read(graph: Path, tmp_path: Path) -> None:
    folder = tmp_path / "variant"
    folder.mkdir()
    os.link(graph, folder / "voice.onnx")
    sha256 = hashlib.sha256(graph.read_bytes()).hexdigest()
    for named, fits in ((sha256, True), ("0" * 64, False)):
        file = RecordedFile(path="voice.onnx", size=graph.stat().st_size, sha256=named)
        record = InstallRecord(
            model="piper",
            variant="one",
            manifest_digest="",
            revision="",
            files=(file,),
            installed_at=0.0,
            sirene_version="",
        )
        (folder / RECORD_NAME).write_bytes(msgspec.json.encode(record))
        if fits:
            assert read_model(folder / "voice.onnx", "voice.onnx") == graph.read_bytes()
        else:
            with pytest.raises(ModelDamaged, match="another name"):
                read_model(folder / "voice.onnx", "voice.onnx")


def test_a_cut_or_foreign_file_is_refused_by_its_name(graph: Path) -> None:
    whole = graph.read_bytes()
    for body in (whole[: len(whole) // 2], b"\x0f" * 100, b"\xff" * 100, b"<html>" * 50):
        graph.write_bytes(body)
        with pytest.raises(ModelDamaged, match=r"'voice\.onnx'"):
            read_model(graph, "voice.onnx")


def test_nothing_nests_for_ever(tmp_path: Path) -> None:
    def field(number: int, body: bytes) -> bytes:
        size, length = b"", len(body)
        while length > 127:
            size, length = size + bytes([length & 127 | 128]), length >> 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + body

    graph = b""
    for _ in range(5000):  # a graph in an attribute of a node of a graph
        graph = field(1, field(5, field(6, graph)))
    path = tmp_path / "deep.onnx"
    path.write_bytes(field(7, graph))
    with pytest.raises(ModelDamaged, match="not an ONNX file"):
        read_model(path, "deep.onnx")
