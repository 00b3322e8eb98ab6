"""The pack's nodes: thin V3 wrappers around a2v_core. The only folder that imports ComfyUI."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .apply_audio_adapter import A2VApplyAudioAdapter
from .audio_mapper import A2VAudioMapper
from .audio_preview import A2VAudioPreview
from .av_align_score import A2VAVAlignScore
from .beats_encode import A2VBEATsEncode
from .best_take import A2VBestTake
from .cut_list import A2VCutList
from .folders import register_model_folders
from .load_audio import A2VLoadAudio
from .load_audio_adapter import A2VLoadAudioAdapter
from .load_audio_mapper import A2VLoadAudioMapper
from .load_beats import A2VLoadBEATs
from .load_demo_clip import A2VLoadDemoCLIP
from .load_t2v_model import A2VLoadT2VModel
from .scheduled_prompt import A2VScheduledPrompt
from .segment_of_audio import A2VSegmentOfAudio
from .sound_events import A2VSoundEvents
from .sound_schedule import A2VSoundSchedule
from .t2v_model_as_model import A2VT2VModelAsModel
from .t2v_sampler import A2VT2VSampler
from .temporal_context_pooling import A2VTemporalContextPooling
from .text_encode import A2VTextEncode
from .timed_prompts import A2VTimedPrompts

__all__ = ["A2VExtension", "comfy_entrypoint"]


class A2VExtension(ComfyExtension):
    """What ComfyUI asks for the list of nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The nodes in the order of the data: sound, features, tokens, video, score."""
        register_model_folders()
        return [
            A2VLoadAudio,
            A2VLoadBEATs,
            A2VBEATsEncode,
            A2VLoadAudioMapper,
            A2VAudioMapper,
            A2VTemporalContextPooling,
            A2VAudioPreview,
            A2VSoundSchedule,
            A2VLoadT2VModel,
            A2VT2VSampler,
            A2VT2VModelAsModel,
            A2VTextEncode,
            A2VScheduledPrompt,
            A2VLoadAudioAdapter,
            A2VApplyAudioAdapter,
            A2VLoadDemoCLIP,
            A2VSoundEvents,
            A2VTimedPrompts,
            A2VCutList,
            A2VSegmentOfAudio,
            A2VAVAlignScore,
            A2VBestTake,
        ]


async def comfy_entrypoint() -> A2VExtension:
    """ComfyUI's entry point; the pack's root hands it on."""
    return A2VExtension()
