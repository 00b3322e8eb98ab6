"""Sources of models: Hugging Face, Google Drive, any web address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HubFile:
    """One file of a Hugging Face repository; repo_type "model", "dataset" or "space".

    `path` may leave out the folders that the file is in.
    """

    repo: str
    path: str
    revision: str = "main"
    repo_type: str = "model"


@dataclass(frozen=True)
class HubFolder:
    """A model in the diffusers layout: a whole Hugging Face repository."""

    repo: str
    revision: str = "main"
    repo_type: str = "model"


@dataclass(frozen=True)
class HubWithAdapter:
    """A model for pictures in the diffusers layout, and the motion adapter that makes it one for videos."""

    pictures: HubFolder
    adapter: HubFolder


@dataclass(frozen=True)
class DriveFile:
    """A file below a public Google Drive folder; `path` leads there from the folder."""

    folder: str
    path: str


@dataclass(frozen=True)
class WebFile:
    """A file at an http(s) address."""

    url: str


Source = HubFile | HubFolder | HubWithAdapter | DriveFile | WebFile
