"""Best Take (AV-Align): several videos of one sound -> the one that follows it best, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from comfy_api.latest import InputImpl, Types, io, ui
from torch import Tensor

from ..a2v_core.errors import A2VError, MediaError
from ..a2v_core.media import frame_rate
from ..a2v_core.metrics.alignment import HeardSound, hear_sound, trusted_score
from ..a2v_core.metrics.report import TakeStrip, takes_pixels
from ..a2v_core.metrics.takes import TakeScore, pick_best, pick_line, take_lines, take_score, verdict_of
from . import runtime
from .sockets import CATEGORY, search_words
from .sound import only_sound
from .sound_lengths import fps_input
from .sound_pictures import as_image
from .video_frames import Pixels, frames_of, motion_of

NODE = "Best Take (AV-Align)"
NOTHING = "No take can be scored, so none is picked: the first one is passed on."


class A2VBestTake(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VBestTake",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Of several videos that were made for one sound, such as with several seeds, gives the one "
                "whose motion follows the sound best, by the trusted AV-Align less chance. Says when "
                "another is as good within what the number can tell. A picked score is the highest of "
                "several and no measure of the model: the mean stands beside it."
            ),
            is_output_node=True,
            is_input_list=True,
            **search_words("pick best", "select video", "seeds", "rank", "choose take"),
            inputs=[
                io.MultiType.Input(
                    "takes",
                    types=[io.Image, io.Video],
                    tooltip=(
                        "A list: the frames of every take, or a VIDEO each. A single batch with all takes "
                        "one after the other goes with frames_per_take."
                    ),
                ),
                io.Audio.Input("audio", tooltip="The sound of all takes, starting with their first frame."),
                fps_input(),
                io.Int.Input(
                    "frames_per_take",
                    default=0,
                    min=0,
                    max=100_000,
                    tooltip=(
                        "0 = every entry of the list is a take. Otherwise the frames of an entry are cut "
                        "into takes of so many, such as those of a sampler's batch."
                    ),
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The frames of the best take."),
                io.Video.Output(display_name="video", tooltip="The best take with its sound."),
                io.Int.Output(display_name="index", tooltip="Which take it is, from 0."),
                io.Float.Output(
                    display_name="score",
                    tooltip=(
                        "Its trusted AV-Align, corrected for chance: the highest of all takes. NaN where "
                        "no take can be scored."
                    ),
                ),
                io.String.Output(
                    display_name="report",
                    tooltip=(
                        "The pick, ties, the mean of all takes, what the best of as many equal takes would "
                        "score, and a line for each."
                    ),
                ),
                io.Image.Output(display_name="picture", tooltip="Frames and score of every take."),
            ],
        )

    @classmethod
    def execute(
        cls, takes: list[Any], audio: list[Any], fps: list[float], frames_per_take: list[int]
    ) -> io.NodeOutput:
        sound = only_sound(_single(audio, "audio"), NODE)
        found = _takes(takes, _single(fps, "fps"), _single(frames_per_take, "frames_per_take"))
        heard = hear_sound(sound)
        scores = _scores(found, heard)
        pick = pick_best(scores)
        best = 0 if pick.best is None else list(scores).index(pick.best)
        lines = [NOTHING] if pick.best is None else []
        report = "\n".join([*lines, pick_line(pick), "", *take_lines(scores, pick)])
        strips = [
            TakeStrip(_words(name, score, verdict_of(pick, name, score)), name == pick.best, Pixels(frames))
            for (name, score), (frames, _) in zip(scores.items(), found, strict=True)
        ]
        picture = as_image(takes_pixels(_heading(pick.ties, scores), strips))
        frames, rate = found[best]
        components = Types.VideoComponents(
            images=frames,
            audio={"waveform": sound.samples[None], "sample_rate": sound.sample_rate},
            frame_rate=frame_rate(rate),
        )
        score = math.nan if pick.picked_score is None else pick.picked_score
        return io.NodeOutput(
            frames,
            InputImpl.VideoFromComponents(components),
            best,
            score,
            report,
            picture,
            ui=ui.PreviewText(report).as_dict() | ui.PreviewImage(picture).as_dict(),
        )


def _single(values: Sequence[Any], name: str) -> Any:
    """The value of an input that all takes have in common."""
    if len(values) != 1:
        raise MediaError(
            f"{NODE}: the input {name} has {len(values)} values; all takes have one in common. Connect a "
            "single one"
        )
    return values[0]


def _takes(entries: Sequence[Any], fps: float, length: int) -> list[tuple[Tensor, float]]:
    """Frames [F, H, W, 3] and fps of every take."""
    found = []
    for entry in entries:
        frames, rate = frames_of(entry, fps, NODE)
        if length and len(frames) % length:
            raise MediaError(
                f"{NODE}: {len(frames)} frames cannot be cut into takes of {length} (frames_per_take)"
            )
        found += [(part, rate) for part in frames.split(length or len(frames))]
    return found


def _scores(found: Sequence[tuple[Tensor, float]], heard: HeardSound) -> dict[str, TakeScore]:
    """The score of every take by its name; what is wrong with its frames is the reason that one has none."""
    progress = runtime.Progress(sum(len(frames) for frames, _ in found))
    scores, done = {}, 0
    for number, (frames, fps) in enumerate(found):
        try:
            score = take_score(trusted_score(motion_of(frames, fps, progress, done), heard))
        except A2VError as error:
            score = TakeScore(None, None, None, None, 0, str(error))
        scores[f"take {number}"] = score
        done += len(frames)
    return scores


def _heading(ties: Sequence[str], scores: dict[str, TakeScore]) -> str:
    text = f"{len(scores)} takes by corrected AV-Align"
    return f"{text}; the best one is not clearly better than {', '.join(ties)}" if ties else text


def _words(name: str, score: TakeScore, verdict: str) -> str:
    if score.corrected is None:
        return f"{name}: {verdict}"
    return f"{name}: {score.corrected:.2f}, {verdict}"
