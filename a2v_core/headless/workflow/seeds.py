"""One seed for all random numbers of a prompt in API format."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import WorkflowError
from .convert import ApiPrompt
from .overrides import specs_of
from .values import ObjectInfo
from .widgets import SEED_NAMES, options, type_of


def apply_seed(
    prompt: ApiPrompt, object_info: ObjectInfo, seed: int, fixed: Collection[tuple[str, str]] = ()
) -> None:
    """Write `seed` into every seed of `prompt`, in place, but for linked inputs and those in `fixed`.

    A seed is an integer input that is named so, or that has "control after generate". Raises WorkflowError
    where nothing takes it.
    """
    found = [
        (node_id, name)
        for node_id, node in prompt.items()
        for name, spec in specs_of(prompt, object_info, node_id).items()
        if type_of(spec) == "INT"
        and (name in SEED_NAMES or options(spec).get("control_after_generate"))
        and not isinstance(node["inputs"].get(name), list)
        and (node_id, name) not in fixed
    ]
    if not found:
        raise WorkflowError(
            "no node of this workflow takes a seed (an input 'seed' or 'noise_seed' that nothing is linked "
            "to and that is not set): leave the seeds out, or set the input that draws by name"
        )
    for node_id, name in found:
        prompt[node_id]["inputs"][name] = seed
