"""Load T2V Model: a text-to-video model from models/a2v_t2v."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.backbones import FP8, load_t2v
from ..a2v_core.errors import A2VError
from . import downloads, folders, loaded, runtime
from .packages import check_package
from .sockets import CATEGORY, T2VModel, check_choice
from .t2v_model import ManagedT2V

DTYPES = ["auto", "fp32", "fp16", "bf16", FP8]


class A2VLoadT2VModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VLoadT2VModel",
            display_name="Load T2V Model",
            category=CATEGORY,
            description=(
                "Loads a text-to-video diffusion model (ModelScope 1.7b, Zeroscope v2, AnimateDiff, Wan 2.1 "
                "and 2.2) from a folder in models/a2v_t2v."
            ),
            inputs=[
                downloads.name_input(
                    folders.T2V_MODELS,
                    "model_name",
                    "Folder in models/a2v_t2v: in the diffusers layout (model_index.json, unet or "
                    "transformer, vae, text_encoder, tokenizer, scheduler), or AnimateDiff as two files, a "
                    "checkpoint of Stable Diffusion 1.5 and motion modules. Use the model that the "
                    "AudioMapper was trained for.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=DTYPES,
                    default="auto",
                    tooltip=(
                        "Precision. auto = what ComfyUI chooses for this machine (fp16 on most GPUs, fp32 "
                        "on the CPU). bf16 or fp32 if pictures come out black. fp8 = bf16 with half the "
                        "memory for the denoiser, a little less exact."
                    ),
                ),
                downloads.switch_input(),
                io.Combo.Input(
                    "lora_name",
                    options=[folders.NO_LORA, *folders.model_names(folders.LORAS), folders.BUNDLED],
                    default=folders.NO_LORA,
                    optional=True,
                    tooltip=(
                        "LoRA for the denoiser, from models/loras. A few-step one, such as T2V-Turbo's "
                        "unet_lora.pt for ModelScope: scheduler lcm, cfg 1, 4 to 8 steps in T2V Sampler. "
                        "The bundled one is for the bundled model: 2 to 4 steps."
                    ),
                ),
                io.Float.Input(
                    "lora_strength",
                    default=1.0,
                    min=-20.0,
                    max=20.0,
                    step=0.01,
                    optional=True,
                    tooltip="How much of the LoRA is added to the weights; 0 = nothing.",
                ),
            ],
            outputs=[T2VModel.Output(display_name="model", tooltip="For T2V Sampler.")],
        )

    @classmethod
    def validate_inputs(
        cls,
        model_name: str | None = None,
        dtype: str | None = None,
        download_if_missing: bool | None = False,
        lora_name: str | None = None,
    ) -> bool | str:
        found = downloads.check_model(folders.T2V_MODELS, model_name, download_if_missing)
        if found is True:
            found = check_choice("dtype", dtype, DTYPES)
        return folders.check_entry(folders.LORAS, lora_name) if found is True else found

    @classmethod
    def fingerprint_inputs(
        cls,
        model_name: str | None,
        dtype: str | None,
        download_if_missing: bool | None = None,
        lora_name: str | None = folders.NO_LORA,
        lora_strength: float | None = 1.0,
    ) -> str:
        model, lora = _model_stamp(model_name, dtype), _lora_stamp(lora_name)
        loaded.expect(model, f"{lora} | {lora_strength}")
        return f"{model} | {lora}"

    @classmethod
    def execute(
        cls,
        model_name: str,
        dtype: str,
        download_if_missing: bool = False,
        lora_name: str = folders.NO_LORA,
        lora_strength: float = 1.0,
    ) -> io.NodeOutput:
        check_package("diffusers")
        if dtype == FP8 and not runtime.has_fp8():
            raise A2VError("Load T2V Model: this device cannot hold fp8 weights; choose another dtype")
        folder = downloads.model_path(folders.T2V_MODELS, model_name, download_if_missing)

        def read() -> ManagedT2V:
            number = runtime.unet_dtype_name() if dtype == "auto" else dtype
            backbone = load_t2v(folder, number, tokenizer=folders.clip_tokenizer())
            if dtype == "auto":
                for network in backbone.parts()["vae"]:
                    network.to(runtime.vae_dtype())
            return ManagedT2V(backbone)

        def with_lora(model: ManagedT2V) -> ManagedT2V:
            without = lora_name == folders.NO_LORA or lora_strength == 0
            path = None if without else folders.model_path(folders.LORAS, lora_name)
            return model.with_lora(path, lora_strength)

        use = f"{_lora_stamp(lora_name)} | {lora_strength}"
        return io.NodeOutput(loaded.load(_model_stamp(model_name, dtype), use, read, with_lora))


def _model_stamp(name: str | None, dtype: str | None) -> str:
    return f"{name} | {folders.model_stamp(folders.T2V_MODELS, name)} | {dtype}"


def _lora_stamp(name: str | None) -> str:
    lora = None if name == folders.NO_LORA else name
    return f"{name} | {folders.model_stamp(folders.LORAS, lora)}"
