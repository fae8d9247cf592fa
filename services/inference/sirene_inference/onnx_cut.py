"""An ONNX graph taken apart at one of its tensors, without decoding its weights.

Nodes and weights are moved as they are, by name, so the halves compute what the whole did; a
library would parse and copy everything, which takes longer than to load the model.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from sirene_inference.protobuf import encoded, fields, header, numbers

# Field numbers from onnx.proto3.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_NAME, GRAPH_WEIGHT, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_KIND, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_TEXT, ATTRIBUTE_INTS = 1, 3, 4, 8
ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS = 6, 11
TENSOR_DIMENSION, TENSOR_NAME = 1, 8
VALUE_NAME, VALUE_TYPE = 1, 2
FLOAT = 1


class Node(NamedTuple):
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: tuple[str, ...]
    """Its inputs, and what a graph inside of it takes from outside."""
    body: memoryview

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute of this name; None when there is none."""
        for field, value in fields(self.body):
            if field == NODE_ATTRIBUTE and isinstance(value, memoryview):
                found = list(fields(value))
                if _text(found, ATTRIBUTE_NAME) == name:
                    kept = (v for f, v in found if f in (ATTRIBUTE_INT, ATTRIBUTE_INTS))
                    return tuple(number for v in kept for number in numbers(v))
        return None

    def text(self, name: str) -> str:
        """An attribute of this name; empty when there is none."""
        for field, value in fields(self.body):
            if field == NODE_ATTRIBUTE and isinstance(value, memoryview):
                found = list(fields(value))
                if _text(found, ATTRIBUTE_NAME) == name:
                    return _text(found, ATTRIBUTE_TEXT)
        return ""


class Graph:
    """body: a model that read_model() has checked. Raises: IndexError, ValueError when what
    that does not look at is malformed, also later."""

    def __init__(self, body: bytes) -> None:
        self._around = [pair for pair in fields(memoryview(body)) if pair[0] != MODEL_GRAPH]
        self.nodes: list[Node] = []
        self.weights: dict[str, memoryview] = {}
        self.inputs: dict[str, memoryview] = {}
        self.outputs: dict[str, memoryview] = {}
        (graph,) = (value for field, value in fields(memoryview(body)) if field == MODEL_GRAPH)
        named = {
            GRAPH_WEIGHT: (self.weights, TENSOR_NAME),
            GRAPH_INPUT: (self.inputs, VALUE_NAME),
            GRAPH_OUTPUT: (self.outputs, VALUE_NAME),
        }
        if not isinstance(graph, memoryview):
            raise ValueError("the graph is a number")
        for field, value in fields(graph):
            if not isinstance(value, memoryview):
                continue
            if field == GRAPH_NODE:
                self.nodes.append(_node(value))
            elif field in named:
                table, name_field = named[field]
                table[_text(fields(value), name_field)] = value

    @cached_property
    def made_by(self) -> Mapping[str, Node]:
        return {output: node for node in self.nodes for output in node.outputs}

    def shape(self, weight: str) -> tuple[int, ...]:
        found = fields(self.weights[weight])
        return tuple(n for field, v in found if field == TENSOR_DIMENSION for n in numbers(v))

    def behind(self, outputs: Iterable[str], cut: Iterable[str] = ()) -> list[Node]:
        """The nodes that `outputs` are made by, in their order; none from before `cut`."""
        known, waiting, found = set(cut), list(outputs), set()
        while waiting:
            name = waiting.pop()
            if name in known:
                continue
            known.add(name)
            if node := self.made_by.get(name):
                found.add(id(node))
                waiting.extend(node.needs)
        return [node for node in self.nodes if id(node) in found]

    def part(self, output: str, cut: str = "") -> bytes:
        """A model that makes `output`, from the tensor `cut` instead of what that is made of."""
        nodes = self.behind([output], [cut])
        needed = {name for node in nodes for name in node.needs} | {output}
        kept: list[tuple[int, bytes | memoryview | int]] = [
            *((GRAPH_NODE, node.body) for node in nodes),
            (GRAPH_NAME, b"part"),
            *((GRAPH_WEIGHT, body) for name, body in self.weights.items() if name in needed),
            *((GRAPH_INPUT, body) for name, body in self.inputs.items() if name in needed),
            *((GRAPH_INPUT, _float_tensor(name)) for name in (cut,) if cut),
            (GRAPH_OUTPUT, self.outputs.get(output) or _float_tensor(output)),
        ]
        graph = [piece for field, body in kept for piece in encoded(field, body)]
        around = [piece for field, value in self._around for piece in encoded(field, value)]
        # The length goes before the pieces, which are joined once.
        length = sum(map(len, graph))
        return b"".join((*around, header(MODEL_GRAPH, length), *graph))


def _node(body: memoryview) -> Node:
    found = [(field, value) for field, value in fields(body) if isinstance(value, memoryview)]
    inputs, outputs = (
        tuple(str(value, "utf-8") for field, value in found if field == wanted)
        for wanted in (NODE_INPUT, NODE_OUTPUT)
    )
    inside = (name for field, value in found if field == NODE_ATTRIBUTE for name in _inside(value))
    return Node(_text(found, NODE_KIND), inputs, outputs, (*inputs, *inside), body)


def _text(
    found: Iterable[tuple[int, memoryview | int]] | Iterable[tuple[int, memoryview]], wanted: int
) -> str:
    for field, value in found:
        if field == wanted and isinstance(value, memoryview):
            return str(value, "utf-8")
    return ""


def _inside(attribute: memoryview) -> Iterator[str]:
    for field, value in fields(attribute):
        if field in (ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS) and isinstance(value, memoryview):
            for inner, node in fields(value):
                if inner == GRAPH_NODE and isinstance(node, memoryview):
                    yield from _node(node).needs
                elif inner == GRAPH_OUTPUT and isinstance(node, memoryview):
                    yield _text(fields(node), VALUE_NAME)


def _float_tensor(name: str) -> bytes:
    """What declares a tensor of floats: three dimensions of any size."""
    shape = b"".join(encoded(1, b"") * 3)
    tensor = b"".join((*encoded(1, FLOAT), *encoded(2, shape)))
    kind = b"".join(encoded(1, tensor))
    return b"".join((*encoded(VALUE_NAME, name.encode()), *encoded(VALUE_TYPE, kind)))
