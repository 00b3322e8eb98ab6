"""AudioSet's names, tables of users, and map files in any encoding."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2v_core.errors import A2VError
from a2v_core.signals import parse_phrases
from a2v_core.signals.events import (
    AUDIOSET_LABELS,
    audioset_names,
    class_names,
    read_label_table,
    read_phrases,
)


def test_all_of_audiosets_names_are_there_with_their_notice() -> None:
    names = audioset_names()
    assert len(names) == len(set(names.values())) == 527
    assert names["/m/09x0r"] == "Speech"
    assert names["/m/05zppz"] == "Male speech, man speaking"
    assert names["/m/07hvw1"] == "Field recording"
    assert all(key.startswith(("/m/", "/t/", "/g/")) for key in names)
    notice = AUDIOSET_LABELS.with_name("audioset_labels.NOTICE.md").read_text(encoding="utf-8")
    assert "CC BY-SA 4.0" in notice
    assert "Google Inc." in notice


def test_labels_become_names_by_the_table_at_hand(tmp_path: Path) -> None:
    assert class_names(["/m/0bt9lr", "ball"]) == ("Dog", "ball")
    path = tmp_path / "class_labels_indices.csv"
    path.write_text('index,mid,display_name\n0,/m/0bt9lr,"Hund, bellend"\n', encoding="utf-16")
    assert class_names(["/m/0bt9lr", "/m/09x0r"], read_label_table(path)) == ("Hund, bellend", "/m/09x0r")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "columns index,mid,display_name"),
        ("", "columns"),
        ("index,mid,display_name\n0,/m/1,\n", "line 2 has no"),
    ],
)
def test_tables_of_another_kind_are_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(A2VError, match=says):
        read_label_table(path)
    with pytest.raises(A2VError, match="cannot be read"):
        read_label_table(tmp_path / "nowhere.csv")


MAP = """
# what the video shows
Dog: a dog barks at the camera   # in the garden
"Male speech, man speaking" = a man talks: loudly
Rain -> 'rain on a window'
*: {label} is heard
"""


def test_map_files_as_people_write_them() -> None:
    phrases = parse_phrases(MAP)
    assert len(phrases) == 4
    assert phrases.phrase("dog") == "a dog barks at the camera"
    assert phrases.phrase("Male speech, man speaking") == "a man talks: loudly"
    assert phrases.phrase("Rain") == "rain on a window"
    assert phrases.phrase("Church bell") == "church bell is heard"
    assert parse_phrases("").phrase("Dog") == "dog"
    assert parse_phrases('{"Dog": "a {label}", "*": "x"}').phrase("DOG") == "a dog"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_map_files_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_text("Dog: ein Hund h\xf6rt zu\r\n", encoding=encoding)
    assert read_phrases(path).phrase("Dog") == "ein Hund h\xf6rt zu"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Dog", "line 1 is 'Dog'; expected LABEL: PHRASE"),
        ("{", "is not JSON"),
        ('{"a": 1}', "values are texts"),
    ],
)
def test_what_is_no_map_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(A2VError, match=says):
        read_phrases(path)
    with pytest.raises(A2VError, match="cannot be read"):
        read_phrases(tmp_path / "nowhere.txt")
