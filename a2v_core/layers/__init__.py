"""Changes to the modules of a loaded model: how they compute, and how their weights are stored.

They know no model: the folder of a family in `backbones` says which of its modules are meant. Each keeps the
names and places of all weights, and they may be combined like this:

                oneDNN      fp8  offload bfloat16  compile checkpoint   keep
    oneDNN         =         =       =       =        =         =         =
    fp8                      =       =       =        =         =         =
    offload                          =       =        =         =         =
    bfloat16                                 =        =         =         =
    compile                                           =        (1)       (1)
    checkpoint                                                  =        (1)
    keep                                                                  =

    oneDNN      `use_onednn_layers`   fp8      `store_fp8`        offload     `offload_weights`
    bfloat16    `in_bfloat16`         compile  `compile_modules`  checkpoint  `checkpoint_modules`
    keep        `KeptOutputs.active`

"=": both do what they do alone; on the diagonal, the second time changes nothing. fp8 and bfloat16 change
results by rounding, the others by no more than float32 does. While bfloat16 lasts, the other changes to
weights, fp8 and offload, must not begin.
(1): on different modules both do what they do alone, also where one is inside the other, but a compiled
module runs uncompiled while one inside it is kept or checkpointed; on the same module the second raises
A2VError.

With gradients enabled, oneDNN, compile and keep have no effect; with gradients disabled, checkpoint has none.
`tests/layers/test_combinations.py` tests every cell.
"""

from __future__ import annotations

from .bfloat16 import in_bfloat16
from .compiled import compile_modules
from .forwards import Undo, is_replaced
from .kept_outputs import KeptOutputs
from .onednn import use_onednn_layers
from .recompute import checkpoint_modules
from .stored import fp8_tensors, full_weight, offload_weights, set_weight, store_fp8

__all__ = [
    "KeptOutputs",
    "Undo",
    "checkpoint_modules",
    "compile_modules",
    "fp8_tensors",
    "full_weight",
    "in_bfloat16",
    "is_replaced",
    "offload_weights",
    "set_weight",
    "store_fp8",
    "use_onednn_layers",
]
