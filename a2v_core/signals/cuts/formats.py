"""Prompts with times as the texts that other nodes and programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import A2VError
from .prompts import PromptTrack


class Relay(NamedTuple):
    """What Prompt Relay takes: prompts joined by " | ", and their lengths in frames joined by ", "."""

    local_prompts: str
    segment_lengths: str


def prompt_relay(track: PromptTrack) -> Relay:
    """For PromptRelayEncode; the lengths add up to the video's frames. A2VError for a prompt with a "|"."""
    for prompt in track.prompts:
        if "|" in prompt.text:
            raise A2VError(
                f"Prompt Relay separates prompts by |, which this one holds: {prompt.text!r}; take it out"
            )
    texts = [_one_line(prompt.text) for prompt in track.prompts]
    return Relay(" | ".join(texts), ", ".join(str(prompt.frames) for prompt in track.prompts))


def timestamp_text(track: PromptTrack) -> str:
    """Lines `m:ss-m:ss: text`, the last one `m:ss+: text`; parts of a second only where they are needed."""
    lines = []
    for prompt in track.prompts:
        last = prompt.first + prompt.frames == track.axis.frames
        until = "+" if last else f"-{_minutes(track.end(prompt))}"
        lines.append(f"{_minutes(track.start(prompt))}{until}: {_one_line(prompt.text)}")
    return "\n".join(lines)


def fizz_text(track: PromptTrack) -> str:
    """Frame and prompt as FizzNodes' Prompt Schedule takes them: JSON pairs without the braces."""
    pairs = [f"{json.dumps(str(prompt.first))}: {_quoted(prompt.text)}" for prompt in track.prompts]
    return ",\n".join(pairs)


def deforum_text(track: PromptTrack) -> str:
    """Frame -> prompt as Deforum's JSON object."""
    return "{\n" + fizz_text(track) + "\n}"


def srt_text(track: PromptTrack) -> str:
    """SubRip subtitles; prompts without a text are left out."""
    shown = [prompt for prompt in track.prompts if prompt.text.strip()]
    return "\n".join(
        f"{number}\n{_clock(track.start(prompt))} --> {_clock(track.end(prompt))}\n{_one_line(prompt.text)}\n"
        for number, prompt in enumerate(shown, 1)
    )


def prompts_record(track: PromptTrack) -> dict[str, Any]:
    """JSON values: fps, frames, and `prompts` with first_frame, frames, start and end (s), text."""
    return {
        "fps": float(track.axis.fps),
        "frames": track.axis.frames,
        "prompts": [
            {
                "first_frame": prompt.first,
                "frames": prompt.frames,
                "start": round(track.start(prompt), 6),
                "end": round(track.end(prompt), 6),
                "text": prompt.text,
            }
            for prompt in track.prompts
        ],
    }


def relay_text(track: PromptTrack) -> str:
    """`prompt_relay` as two lines that name the widgets."""
    relay = prompt_relay(track)
    return f"local_prompts: {relay.local_prompts}\nsegment_lengths: {relay.segment_lengths}"


def json_text(track: PromptTrack) -> str:
    """`prompts_record` as text."""
    return json.dumps(prompts_record(track), indent=2, ensure_ascii=False)


PROMPT_FORMATS: dict[str, Callable[[PromptTrack], str]] = {
    "prompt relay": relay_text,
    "timestamps": timestamp_text,
    "fizz": fizz_text,
    "deforum": deforum_text,
    "srt": srt_text,
    "json": json_text,
}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _minutes(seconds: float) -> str:
    """m:ss, with thousandths where they are not 0."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    text = f"{minutes}:{rest // 1000:02d}"
    return text if rest % 1000 == 0 else f"{text}.{rest % 1000:03d}".rstrip("0")


def _clock(seconds: float) -> str:
    """hh:mm:ss,mmm."""
    thousandths = round(seconds * 1000)
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d},{rest % 1000:03d}"
