"""docs/models.md says what the catalogue and the command say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from a2v_core.models.__main__ import main
from a2v_core.models.catalogue import CATALOGUE, KINDS
from a2v_core.places import place_called

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, its head left out."""
    section = PAGE.split(heading, 1)[1]
    found = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert found is not None
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in found[0].splitlines()[2:]]


def test_the_table_of_models() -> None:
    found = {row[0].strip("`"): row for row in rows("## The models that have a name")}
    assert list(found) == [model.name for model in CATALOGUE]
    for model in CATALOGUE:
        _, _, size, licence, checksum = found[model.name]
        assert (model.sha256 in checksum) if model.sha256 else not re.search(r"[0-9a-f]{64}", checksum)
        assert not model.size or size == f"{model.size:,} bytes"
        assert licence == "the same" or licence.split(":")[0].split(" (")[0] in model.licence


def test_the_table_of_places() -> None:
    found = {row[0].strip("`"): (row[1].strip("`"), row[3]) for row in rows("# Models")}
    places = {kind: place_called(kind) for kind in KINDS}
    assert found == {kind: (place.folder, place.node) for kind, place in places.items()}


def test_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fetch", "--help"])
    known = set(re.findall(r"--[a-z][a-z0-9-]+", capsys.readouterr().out))
    told = set(re.findall(r"--[a-z][a-z0-9-]+", PAGE)) - {"--base-model"}
    assert told <= known
    assert known - told <= {"--help"}
