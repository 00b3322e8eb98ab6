"""Graphs in which a sound steers any model."""

from __future__ import annotations

from .graph import BEATS, DEMO, DRAWN_LINKS, SOUND, Graph, Node, drawn

HEARD_EVENTS_LINKS = ("sound.AUDIO > events.audio", "beats.AUDIO_ENCODER > events.audio_encoder")
WATER: Node = ("A2VLoadAudio", 0, {"audio": "demo (bundled): water_drops.wav"})
CUT = {"fps": 16.0, "shortest": 1.0, "longest": 4.0, "lengths": "Wan (4n+1)"}


GRAPHS: dict[str, Graph] = {
    "A2VSoundSchedule": Graph(
        {
            "sound": SOUND,
            "schedule": ("A2VSoundSchedule", 1, {"fps": 12.0, "release": 0.3}),
            "text": ("PreviewAny", 2, {}),
        },
        ("sound.AUDIO > schedule.audio", "schedule.keyframes > text.source"),
        run=True,
        widths={"schedule": 560},
    ),
    "A2VScheduledPrompt": Graph(
        {
            "sound": SOUND,
            "load": ("A2VLoadT2VModel", 0, {"model_name": DEMO}),
            "core": ("A2VT2VModelAsModel", 0, {}),
            "schedule": ("A2VSoundSchedule", 1, {"fps": 12.0, "release": 1.2}),
            "rest": ("CLIPTextEncode", 2, {"text": "a video of a blue ball still"}),
            "hit": ("CLIPTextEncode", 2, {"text": "a video of a blue ball top"}),
            "negative": ("CLIPTextEncode", 2, {"text": ""}),
            "travel": ("A2VScheduledPrompt", 3, {}),
            "latents": ("EmptyLatentImage", 3, {"width": 64, "height": 64}),
            **drawn(3),
        },
        (
            "sound.AUDIO > schedule.audio",
            "load.model > core.t2v_model",
            "core.clip > rest.clip",
            "core.clip > hit.clip",
            "core.clip > negative.clip",
            "rest.CONDITIONING > travel.prompt_0",
            "hit.CONDITIONING > travel.prompt_1",
            "schedule.floats > travel.floats",
            "schedule.frames > latents.batch_size",
            "core.model > sampler.model",
            "travel.conditioning > sampler.positive",
            "latents.LATENT > sampler.latent_image",
            "core.vae > decode.vae",
            *DRAWN_LINKS,
        ),
        run=True,
        widths={"schedule": 420},
        heights={"rest": 110, "hit": 110, "negative": 90},
    ),
    "A2VSoundEvents": Graph(
        {"sound": SOUND, "beats": BEATS, "events": ("A2VSoundEvents", 1, {"phrases": "ball: a ball hits"})},
        HEARD_EVENTS_LINKS,
        run=True,
        widths={"events": 640},
        heights={"events": 640},
    ),
    "A2VTimedPrompts": Graph(
        {
            "sound": WATER,
            "beats": BEATS,
            "events": ("A2VSoundEvents", 1, {}),
            "prompts": (
                "A2VTimedPrompts",
                2,
                {
                    "phrases": "drop: a drop falls into water",
                    "template": "macro photo, {label}",
                    "quiet": "macro photo, still water",
                    "longest": 0.5,
                    "fps": 16.0,
                },
            ),
            "local": ("PreviewAny", 3, {}),
            "lengths": ("PreviewAny", 3, {}),
        },
        (
            *HEARD_EVENTS_LINKS,
            "events.events > prompts.events",
            "prompts.local_prompts > local.source",
            "prompts.segment_lengths > lengths.source",
        ),
        run=True,
        widths={"prompts": 420},
        heights={"prompts": 700, "local": 240, "lengths": 160},
    ),
    "A2VCutList": Graph(
        {"sound": WATER, "cut": ("A2VCutList", 1, CUT)},
        ("sound.AUDIO > cut.audio",),
        run=True,
        widths={"cut": 640},
        heights={"cut": 760},
    ),
    "A2VSegmentOfAudio": Graph(
        {
            "sound": WATER,
            "cut": ("A2VCutList", 1, CUT),
            "segment": ("A2VSegmentOfAudio", 2, {}),
            "play": ("PreviewAudio", 3, {}),
            "frames": ("PreviewAny", 3, {}),
        },
        (
            "sound.AUDIO > cut.audio",
            "sound.AUDIO > segment.audio",
            "cut.start > segment.start",
            "cut.frames > segment.frames",
            "cut.fps > segment.fps",
            "segment.audio > play.audio",
            "segment.frames > frames.source",
        ),
        run=True,
        widths={"cut": 420},
        heights={"cut": 640, "frames": 200},
    ),
}
