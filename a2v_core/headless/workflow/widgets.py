"""Which inputs of a node have a widget, and the default values of widgets.

Source: `useLitegraphService`, `scripts/widgets.ts` of ComfyUI_frontend 1.32 and 1.58.
"""

from __future__ import annotations

from typing import Any

from .graph import Node, Slot, ordered_slots

Spec = list[Any]
"""One input on the server's side: [type or list of options, options dict]."""

DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
CURVE = "CURVE"
WIDGET_TYPES = frozenset(
    {
        "INT",
        "FLOAT",
        "BOOLEAN",
        "STRING",
        "COMBO",
        "MARKDOWN",
        "TEXTAREA",
        "COLOR",
        "IMAGEUPLOAD",
        "CHART",
        "GALLERIA",
        DYNAMIC_COMBO,
    }
)
NEWER_WIDGET_TYPES = frozenset(
    {
        "BOUNDING_BOX",
        "BOUNDING_BOXES",
        "COLORS",
        "COMPOSITOR",
        CURVE,
        "LIGHT_INFO_PREVIEW",
        "PAINTER",
        "RANGE",
    }
    | {"VIDEO_EDIT"}
)
"""Widgets of front ends after 1.32; older ones have and save a plain socket."""
SEED_NAMES = frozenset({"seed", "noise_seed"})
DEFAULTS: dict[str, Any] = {
    "INT": 0,
    "FLOAT": 0,
    "BOOLEAN": False,
    "STRING": "",
    "MARKDOWN": "",
    "TEXTAREA": "",
}


def input_specs(definition: dict[str, Any]) -> dict[str, Spec]:
    """The inputs of a node's definition in the order of the definition, required ones first."""
    sections = definition.get("input") or {}
    order = definition.get("input_order") or {}
    specs: dict[str, Spec] = {}
    for section in ("required", "optional"):
        inputs = sections.get(section) or {}
        for name in [*order.get(section, []), *inputs]:
            if name in inputs and name not in specs:
                specs[name] = _as_spec(inputs[name])
    return specs


def options(spec: Spec) -> dict[str, Any]:
    """The options of an input, empty when it has none."""
    return spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}


def type_of(spec: Spec) -> str:
    """The input's type; an explicit list of choices is a COMBO."""
    return "COMBO" if isinstance(spec[0], list) else str(spec[0])


def is_widget(spec: Spec) -> bool:
    """Whether the front end gives this input a widget (it may have a socket as well)."""
    extra = options(spec)
    if extra.get("forceInput"):
        return False
    return type_of(spec) in WIDGET_TYPES or extra.get("widgetType") in WIDGET_TYPES or "socketless" in extra


def choices(spec: Spec) -> list[Any] | None:
    """The choices of a COMBO; None for another type."""
    if isinstance(spec[0], list):
        return spec[0]
    return list(options(spec).get("options") or []) if spec[0] == "COMBO" else None


def definition_slots(node: Node, definition: dict[str, Any]) -> list[Slot]:
    """The node's inputs in the front end's order: plain sockets first, then those with a widget."""
    specs = input_specs(definition)
    marked = {slot.name for slot in node.inputs if slot.widget}
    sockets = [name for name, spec in specs.items() if not (is_widget(spec) or name in marked)]
    names = sockets + [name for name in specs if name not in set(sockets)]
    return ordered_slots(names, node.inputs, {name: type_of(spec) for name, spec in specs.items()})


def default_of(spec: Spec) -> Any:
    """The default value of a widget."""
    extra = options(spec)
    if "default" in extra:
        return extra["default"]
    if type_of(spec) == DYNAMIC_COMBO:
        return next((option.get("key") for option in extra.get("options") or []), None)
    offered = choices(spec)
    if offered is not None:
        return offered[0] if offered else None
    return DEFAULTS.get(type_of(spec))


def dynamic_specs(specs: dict[str, Spec], values: dict[str, Any]) -> dict[str, Spec]:
    """`specs` plus the inputs that the chosen options of dynamic combos add, as "<combo>.<input>"."""
    found = dict(specs)
    pending = [name for name, spec in specs.items() if type_of(spec) == DYNAMIC_COMBO]
    while pending:
        name = pending.pop()
        for key, spec in chosen_inputs(found[name], values.get(name)).items():
            found[f"{name}.{key}"] = spec
            if type_of(spec) == DYNAMIC_COMBO:
                pending.append(f"{name}.{key}")
    return found


def chosen_inputs(spec: Spec, value: Any) -> dict[str, Spec]:
    """The inputs that a dynamic combo adds when `value` is chosen."""
    for option in options(spec).get("options") or []:
        if option.get("key") == value:
            return input_specs({"input": option.get("inputs") or {}})
    return {}


def helper_slots(name: str, spec: Spec) -> int:
    """How many helper widgets follow (control after generate): one for a number, two for a combo."""
    control = options(spec).get("control_after_generate")
    if type_of(spec) == "INT":
        return int(bool(name in SEED_NAMES if control is None else control))
    if type_of(spec) == "COMBO":
        return 2 if control else 0
    return 0


def _as_spec(raw: Any) -> Spec:
    return list(raw) if isinstance(raw, (list, tuple)) and raw else [str(raw), {}]
