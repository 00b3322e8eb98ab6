"""Nodes that exist in the front end only: left out, followed by name, or refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.workflow.convert import to_api

INFO: dict[str, Any] = {
    "Make": {"input": {"required": {"width": ["INT", {"default": 8}]}}, "output": ["IMAGE"]},
    "Turn": {"input": {"required": {"image": ["IMAGE", {}]}}, "output": ["IMAGE"]},
    "Save": {"input": {"required": {"images": ["IMAGE", {}]}}, "output": []},
}


class Drawn:
    """A saved graph, drawn node by node."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []
        self.numbers = itertools.count(1)

    def add(
        self, kind: str, *sources: int, outputs: int = 1, values: object = None, mode: int = 0, **more: Any
    ) -> int:
        """A node whose inputs hang on the first outputs of `sources`; 0 is the input of a subgraph."""
        number = next(self.numbers)
        slots = []
        for at, source in enumerate(sources):
            link = len(self.links) + 1
            self.links.append([link, source or -10, 0, number, at, "IMAGE"])
            name = {"Save": "images", "SetNode": "*"}.get(kind, "image")
            slots.append({"name": name, "type": "IMAGE", "link": link})
        made = [{"name": "IMAGE", "type": "IMAGE", "links": []}] * outputs
        node = {"id": number, "type": kind, "mode": mode, "inputs": slots, "outputs": made}
        self.nodes.append({**node, "widgets_values": values, **more})
        return number

    def saved(self, **more: Any) -> dict[str, Any]:
        return {"nodes": self.nodes, "links": self.links, **more}

    def subgraph(self, name: str, out: int | None = None) -> dict[str, Any]:
        """This graph as the definition of a subgraph with one input and, from node `out`, one output."""
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        if out is not None:
            self.links.append([len(self.links) + 1, out, 0, -20, 0, "IMAGE"])
        links = [dict(zip(keys, link, strict=True)) for link in self.links]
        slot = {"name": "image", "type": "IMAGE", "linkIds": []}
        return {"id": name, "nodes": self.nodes, "links": links, "inputs": [slot], "outputs": [slot]}


@pytest.mark.parametrize("kinds", [("SetNode", "GetNode"), ("easy setNode", "easy getNode")])
@pytest.mark.parametrize("mode", [0, 2, 4])
def test_set_and_get(kinds: tuple[str, str], mode: int) -> None:
    """Whatever the mode of the Set node, as in the front end."""
    drawn = Drawn()
    make = drawn.add("Make", values=[3])
    drawn.add(kinds[0], make, values=["picture"], mode=mode)
    save = drawn.add("Save", drawn.add(kinds[1], values=["picture"]))
    prompt = to_api(drawn.saved(), INFO)
    assert prompt[str(save)]["inputs"] == {"images": [str(make), 0]}
    assert set(prompt) == {str(make), str(save)}


@pytest.mark.parametrize(
    "values", [["a"], {"Constant": "a"}, {"widgets_values": None, "widgets_values_named": {"Constant": "a"}}]
)
def test_names_as_lists_and_by_name(values: Any) -> None:
    drawn = Drawn()
    make = drawn.add("Make")
    more = values if isinstance(values, dict) and "widgets_values" in values else {"widgets_values": values}
    drawn.add("SetNode", make, **more)
    save = drawn.add("Save", drawn.add("GetNode", **more))
    assert to_api(drawn.saved(), INFO)[str(save)]["inputs"] == {"images": [str(make), 0]}


def test_a_chain_with_everything_between() -> None:
    """Set, Get, a bypassed node, reroutes of core and of a pack, Set again, Get again."""
    drawn = Drawn()
    make = drawn.add("Make")
    drawn.add("SetNode", make, values=["one"])
    bypassed = drawn.add("Turn", drawn.add("GetNode", values=["one"]), mode=4)
    around = drawn.add("Reroute (rgthree)", drawn.add("Reroute", bypassed))
    drawn.add("SetNode", around, values=["two"])
    save = drawn.add("Save", drawn.add("GetNode", values=["two"]))
    assert to_api(drawn.saved(), INFO)[str(save)]["inputs"] == {"images": [str(make), 0]}


def test_a_get_that_is_muted_or_bypassed_gives_nothing() -> None:
    drawn = Drawn()
    drawn.add("SetNode", drawn.add("Make"), values=["a"])
    for mode in (2, 4):
        drawn.add("Save", drawn.add("GetNode", values=["a"], mode=mode))
    prompt = to_api(drawn.saved(), INFO)
    assert [node["inputs"] for node in prompt.values() if node["class_type"] == "Save"] == [{}, {}]


def test_a_muted_reroute_hands_nothing_on() -> None:
    drawn = Drawn()
    save = drawn.add("Save", drawn.add("Reroute", drawn.add("Make"), mode=2))
    assert to_api(drawn.saved(), INFO)[str(save)]["inputs"] == {}


def test_through_two_levels_of_subgraphs() -> None:
    """A Get two levels down finds the Set of its own instance's surroundings, at every instance."""
    inner, middle, root = Drawn(), Drawn(), Drawn()
    turn = inner.add("Turn", inner.add("GetNode", values=["deep"]))
    middle.add("SetNode", middle.add("Turn", 0), values=["middle"])
    instance = middle.add("inner", 0)
    make, other = root.add("Make"), root.add("Make")
    root.add("SetNode", other, values=["deep"])
    for _ in range(2):
        root.add("Save", root.add("middle", make))
    definitions = {"subgraphs": [inner.subgraph("inner", turn), middle.subgraph("middle", instance)]}
    prompt = to_api(root.saved(definitions=definitions), INFO)
    found = [node["inputs"]["image"] for key, node in prompt.items() if key.count(":") == 2]
    assert found == [[str(other), 0], [str(other), 0]]


def test_a_set_inside_is_not_seen_from_outside() -> None:
    inner, root = Drawn(), Drawn()
    inner.add("SetNode", inner.add("Turn", 0), values=["hidden"])
    root.add("inner", root.add("Make"))
    root.add("Save", root.add("GetNode", values=["hidden"]))
    with pytest.raises(
        WorkflowError, match=r"asks for 'hidden', but no SetNode of that name .*\(there: none\)"
    ):
        to_api(root.saved(definitions={"subgraphs": [inner.subgraph("inner")]}), INFO)


def test_names_that_mean_several_outside() -> None:
    inner, middle, root = Drawn(), Drawn(), Drawn()
    turn = inner.add("Turn", inner.add("GetNode", values=["a"]))
    middle.add("SetNode", middle.add("Turn", 0), values=["a"])
    instance = middle.add("inner", 0)
    root.add("SetNode", root.add("Make"), values=["a"])
    root.add("Save", root.add("middle", root.add("Make")))
    definitions = {"subgraphs": [inner.subgraph("inner", turn), middle.subgraph("middle", instance)]}
    with pytest.raises(WorkflowError, match="several SetNode nodes around it have that name"):
        to_api(root.saved(definitions=definitions), INFO)


@pytest.mark.parametrize(("kind", "there"), [("GetNode", "SetNode"), ("easy getNode", "easy setNode")])
def test_a_name_that_nobody_set(kind: str, there: str) -> None:
    drawn = Drawn()
    drawn.add(there, drawn.add("Make"), values=["sound"])
    drawn.add("Save", drawn.add(kind, values=["suond"]))
    with pytest.raises(WorkflowError, match=rf"\({kind}\) asks for 'suond', but no {there} .*there: sound"):
        to_api(drawn.saved(), INFO)


def test_a_name_that_is_set_from_itself_is_a_circle() -> None:
    drawn = Drawn()
    get = drawn.add("GetNode", values=["a"])
    drawn.add("SetNode", get, values=["a"])
    drawn.add("Save", get)
    with pytest.raises(WorkflowError, match="circle"):
        to_api(drawn.saved(), INFO)


def test_an_unused_get_without_its_set_does_not_matter() -> None:
    drawn = Drawn()
    drawn.add("Save", drawn.add("Make"))
    drawn.add("GetNode", values=["gone"])
    assert len(to_api(drawn.saved(), INFO)) == 2


@pytest.mark.parametrize(
    "kind", ["Bookmark (rgthree)", "Label (rgthree)", "Any Panel (of some pack)", "Note"]
)
def test_nodes_without_sockets_are_left_out(kind: str) -> None:
    drawn = Drawn()
    drawn.add("Save", drawn.add("Make"))
    drawn.add(kind, outputs=0, values=["1", 1])
    assert {node["class_type"] for node in to_api(drawn.saved(), INFO).values()} == {"Make", "Save"}


def test_switches_of_packs_are_left_out() -> None:
    drawn = Drawn()
    make = drawn.add("Make")
    drawn.add("Save", make)
    drawn.add("Fast Muter (rgthree)", make, drawn.add("Node Collector (rgthree)", make))
    drawn.add("Fast Groups Bypasser (rgthree)")
    assert {node["class_type"] for node in to_api(drawn.saved(), INFO).values()} == {"Make", "Save"}


@pytest.mark.parametrize("feeds", [True, False])
def test_other_unknown_nodes_with_sockets_are_refused(feeds: bool) -> None:
    drawn = Drawn()
    unknown = drawn.add("Some Tunnel (of a pack)", drawn.add("Make"))
    drawn.add("Save", unknown if feeds else drawn.add("Make"))
    with pytest.raises(WorkflowError, match=r"does not know these node types:\n  Some Tunnel \(of a pack\)"):
        to_api(drawn.saved(), INFO)


def test_an_unknown_node_with_nothing_but_widgets_is_refused() -> None:
    """Newer files show a socket for every widget that the server defines."""
    drawn = Drawn()
    drawn.add("Save", drawn.add("Make"))
    slot = {"name": "path", "type": "STRING", "widget": {"name": "path"}, "link": None}
    drawn.add("WriteReport", outputs=0, inputs=[slot])
    with pytest.raises(WorkflowError, match="WriteReport"):
        to_api(drawn.saved(), INFO)


def test_what_the_server_knows_is_sent() -> None:
    """A server may define a node of the name that a front end's node of some pack has."""
    drawn = Drawn()
    save = drawn.add("Save", drawn.add("GetNode"))
    info = INFO | {"GetNode": {"input": {}, "output": ["IMAGE"]}}
    assert to_api(drawn.saved(), info)[str(save)]["inputs"] == {"images": ["1", 0]}
