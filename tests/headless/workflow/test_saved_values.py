"""Widget values as files hold them: by position, by name, both, more than the server knows, or none."""

from __future__ import annotations

from typing import Any

import pytest

from a2v_core.headless.workflow.convert import to_api
from a2v_core.headless.workflow.overrides import apply_overrides

INFO: dict[str, Any] = {
    "Paint": {
        "input": {
            "required": {
                "image": ["IMAGE", {}],
                "width": ["INT", {"default": 8}],
                "seed": ["INT", {"default": 0}],
                "mode": [["fill", "line"], {}],
            },
            "optional": {"word": ["STRING", {"default": "none"}]},
        }
    },
    "VHS_VideoCombine": {
        "input": {
            "required": {
                "images": ["IMAGE", {}],
                "frame_rate": ["FLOAT", {"default": 8}],
                "format": [["image/gif", "video/h264-mp4"], {}],
                "save_output": ["BOOLEAN", {"default": True}],
            }
        }
    },
    "Curve": {"input": {"required": {"curve": ["CURVE", {}], "at": ["INT", {"default": 1}]}}},
}
POSITIONS = [640, 7, "fixed", "line", "end"]
NAMES = {"width": 640, "seed": 7, "control_after_generate": "fixed", "mode": "line", "word": "end"}
VALUES = {"width": 640, "seed": 7, "mode": "line", "word": "end"}
DEFAULTS = {"width": 8, "seed": 0, "mode": "fill", "word": "none"}


def sent(kind: str = "Paint", **node: Any) -> dict[str, Any]:
    """The inputs that one saved node of this kind is sent with."""
    prompt = to_api({"nodes": [{"id": 1, "type": kind, "mode": 0, **node}], "links": []}, INFO)
    inputs: dict[str, Any] = prompt["1"]["inputs"]
    return inputs


def shown(*names: str) -> list[dict[str, Any]]:
    """Sockets of widgets, as newer files show them."""
    return [{"name": name, "type": "STRING", "widget": {"name": name}, "link": None} for name in names]


def test_by_position() -> None:
    assert sent(widgets_values=POSITIONS) == VALUES


def test_by_name() -> None:
    assert sent(widgets_values_named=NAMES) == VALUES
    assert sent(widgets_values=None, widgets_values_named=NAMES) == VALUES
    assert sent(widgets_values=[], widgets_values_named=NAMES) == VALUES
    assert sent(widgets_values=POSITIONS, widgets_values_named=NAMES) == VALUES


@pytest.mark.parametrize("node", [{}, {"widgets_values": None}, {"widgets_values": {}}])
def test_no_values_are_defaults(node: dict[str, Any]) -> None:
    assert sent(**node) == DEFAULTS


def test_names_hold_where_the_definition_has_changed() -> None:
    """The file was saved when `word` stood first and `mode` was not there yet."""
    saved = ["end", 640, 7, "fixed"]
    names = {"word": "end", "width": 640, "seed": 7, "control_after_generate": "fixed"}
    assert sent(widgets_values=saved, widgets_values_named=names) == {**VALUES, "mode": "fill"}


def test_a_list_that_somebody_edited_counts_more_than_the_names() -> None:
    """The front end reads the list too, if nobody switched on its setting to read names."""
    assert sent(widgets_values=[320, *POSITIONS[1:]], widgets_values_named=NAMES) == {**VALUES, "width": 320}


def test_widgets_of_scripts_by_name() -> None:
    names = {
        **{"picker": "disc", "sizes": [1, 2], "options": {"a": 1}, "upload": "image", "press me": None},
        **{"$$canvas-image-preview": "x", "choose file to upload": "image", "videopreview": {"params": {}}},
    }
    assert sent(widgets_values_named={**NAMES, **names}) == {
        **VALUES,
        **{"picker": "disc", "sizes": {"__value__": [1, 2]}, "options": {"a": 1}},
    }


def test_widgets_of_scripts_that_the_sockets_show() -> None:
    """In the middle of the list: before 1.5x only the sockets tell what a value belongs to."""
    inputs = shown("width", "seed", "picker", "mode", "upload", "word")
    saved = [640, 7, "fixed", "disc", "line", "image", "end"]
    assert sent(inputs=inputs, widgets_values=saved) == {**VALUES, "picker": "disc"}


def test_a_socket_of_a_widget_that_saves_nothing_takes_no_value() -> None:
    inputs = shown("width", "seed", "player", "mode", "word")
    assert sent(inputs=inputs, widgets_values=POSITIONS) == VALUES


def test_values_that_nothing_names_are_left_out() -> None:
    assert sent(widgets_values=[*POSITIONS, "image", None, 3]) == VALUES


def test_null_in_a_list_is_sent_as_it_is() -> None:
    assert sent(widgets_values=[None, 7, "fixed", "line", "end"]) == {**VALUES, "width": None}


def test_the_dict_of_video_helper_suite() -> None:
    saved = {
        **{
            "frame_rate": 24,
            "format": "video/h264-mp4",
            "pix_fmt": "yuv420p",
            "crf": 19,
            "save_metadata": True,
        },
        **{"save_output": False, "videopreview": {"hidden": False, "params": {"filename": "a.mp4"}}},
    }
    expected = {name: value for name, value in saved.items() if name != "videopreview"}
    assert sent("VHS_VideoCombine", widgets_values=saved) == expected
    names = {"widgets_values_named": {"frame_rate": 1, "format": "image/gif"}}
    assert sent("VHS_VideoCombine", widgets_values=saved, **names) == expected
    assert sent("VHS_VideoCombine", widgets_values={"crf": 5}) == {
        **{"frame_rate": 8, "format": "image/gif", "save_output": True, "crf": 5}
    }


def test_a_dict_beside_links() -> None:
    """A link counts more than the value of its widget, also for a widget that a script made."""
    slots = shown("frame_rate", "crf")
    slots[0]["link"], slots[1]["link"] = 1, 2
    paint = {"id": 1, "type": "Paint", "mode": 0, "widgets_values": POSITIONS}
    combine = {"id": 2, "type": "VHS_VideoCombine", "mode": 0, "inputs": slots}
    combine["widgets_values"] = {"frame_rate": 24, "crf": 19, "format": "image/gif"}
    links = [[1, 1, 0, 2, 0, "FLOAT"], [2, 1, 1, 2, 1, "INT"]]
    inputs = to_api({"nodes": [paint, combine], "links": links}, INFO)["2"]["inputs"]
    assert (inputs["frame_rate"], inputs["crf"], inputs["format"]) == (["1", 0], ["1", 1], "image/gif")


def test_curves_say_what_they_are() -> None:
    points = [[0, 0], [1, 1]]
    curve = {"__type__": "CURVE", "__value__": points}
    assert sent("Curve", widgets_values=[points, 4]) == {"curve": curve, "at": 4}
    # Older front ends know no such widget: the input is a socket, and the list begins with `at`.
    sockets = [{"name": "curve", "type": "CURVE", "link": None}, *shown("at")]
    assert sent("Curve", inputs=sockets, widgets_values=[4]) == {"at": 4}


def test_primitives_have_one_value_however_it_is_saved() -> None:
    slots = [{"name": "width", "type": "INT", "widget": {"name": "width"}, "link": 1}]
    paint = {"id": 1, "type": "Paint", "mode": 0, "inputs": slots, "widgets_values": POSITIONS}
    links = [[1, 2, 0, 1, 0, "INT"]]
    for values in ([96, "fixed"], {"value": 96}):
        primitive = {"id": 2, "type": "PrimitiveNode", "mode": 0, "outputs": [{"type": "INT"}]}
        nodes = [paint, {**primitive, "widgets_values": values}]
        assert to_api({"nodes": nodes, "links": links}, INFO)["1"]["inputs"] == {**VALUES, "width": 96}


def test_widgets_of_scripts_can_be_set() -> None:
    saved = {"crf": 19, "pix_fmt": "yuv420p"}
    node = {"id": 1, "type": "VHS_VideoCombine", "mode": 0, "widgets_values": saved}
    prompt = to_api({"nodes": [node], "links": []}, INFO)
    apply_overrides(prompt, INFO, ["1.crf=30", "VHS_VideoCombine.pix_fmt=yuv444p"])
    assert (prompt["1"]["inputs"]["crf"], prompt["1"]["inputs"]["pix_fmt"]) == (30, "yuv444p")
