"""The HTML reports of AV-Align in a real browser: no complaint, whole tables, plots that are drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from a2v_core.metrics.__main__ import main
from a2v_core.metrics.sets.compare import MEASURES
from tests.browser.pictures import colours
from tests.browser.problems import watch

GOLDEN = Path(__file__).parents[1] / "golden" / "av_align"
NAMES = ("clip0_sync_12fps", "clip4_random_12fps", "clip6_sync_8fps", "clip7_silent_24fps")
CELLS = """[...document.querySelectorAll('table')].map((table) =>
    [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText.trim())))"""
DRAWN = """[...document.querySelectorAll('svg')].map((svg) => {
    const box = svg.getBoundingClientRect();
    const parts = [...svg.querySelectorAll('polygon, polyline, path, line, rect')];
    const within = parts.every((part) => {
        const one = part.getBoundingClientRect();
        return one.left > box.left - 2 && one.right < box.right + 2
            && one.top > box.top - 2 && one.bottom < box.bottom + 2;
    });
    return {width: box.width, height: box.height, parts: parts.length, within,
        text: [...svg.querySelectorAll('text')].map((text) => text.textContent)};
})"""

Table = list[list[str]]


def clips(folder: Path, *, sound: str | None = None) -> Path:
    """Four clips, a bad file and a name that HTML has to escape; `sound` replaces that of three clips."""
    folder.mkdir()
    for name in NAMES:
        given = sound if sound and "sync" in name else name
        target = name.replace("random", "<random> & 'co'")
        (folder / f"{target}.mp4").write_bytes((GOLDEN / f"{name}.mp4").read_bytes())
        (folder / f"{target}.wav").write_bytes((GOLDEN / f"{given}.wav").read_bytes())
    (folder / "broken.mp4").write_text("no video")
    return folder


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of `compare A B --out`, which holds the one of `score --out` for each side."""
    folder = tmp_path_factory.mktemp("reports")
    one, other = clips(folder / "one"), clips(folder / "other", sound="clip4_random_12fps")
    out = folder / "out"
    assert main(["compare", str(one), str(other), "--jobs", "1", "--out", str(out)]) == 3
    assert main(["score", str(one), "--jobs", "1", "--out", str(folder / "score")]) == 3
    return folder


def number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else f"{value:{form}}"


def span(low: float | None, high: float | None, form: str = ".3f") -> str:
    return "-" if low is None else f"{low:{form}} to {high:{form}}"


def show(tab: Page, path: Path) -> list[Table]:
    """Open a page with every plot unfolded; the cells of its tables."""
    tab.goto(path.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tables: list[Table] = tab.evaluate(CELLS)
    return tables


def test_the_report_of_a_set(tab: Page, compared: Path, tmp_path: Path) -> None:
    folder, problems = compared / "score", watch(tab)
    facts = json.loads((folder / "scores.json").read_text())
    summary, records = show(tab, folder / "report.html")
    assert problems == []
    rows = {row[0]: row[1:4] for row in summary[1:]}
    for title, name in (
        ("AV-Align, as published", "av_align"),
        ("AV-Align, trusted", "trusted"),
        ("onset-motion correlation", "correlation"),
        ("flicker, grey levels", "flicker"),
    ):
        score = facts["summary"][name]
        assert rows[title] == [number(score["mean"]), span(score["low"], score["high"]), str(score["count"])]
    assert records[1:] == [cells(clip) for clip in facts["clips"]]
    assert len(records) == 1 + len(NAMES)
    assert "clip4_<random> & 'co'_12fps.mp4" in [row[0] for row in records]
    assert "broken.mp4: cannot be read as sound or video" in tab.locator("body").inner_text()

    scatter, *timelines = tab.evaluate(DRAWN)
    assert len(timelines) == len(NAMES)
    assert scatter["width"] >= 300
    ground, frame, diagonal = 1, 1, 1
    points = sum(clip["trusted"] is not None for clip in facts["clips"])
    assert scatter["parts"] == ground + frame + diagonal + points
    for clip, plot in zip(facts["clips"], timelines, strict=True):
        assert plot["width"] >= 600
        assert plot["height"] >= 150
        assert plot["parts"] >= 5
        assert any(number(clip["av_align"]) in text for text in plot["text"])
    assert all(plot["within"] for plot in (scatter, *timelines))
    tab.locator("details").first.scroll_into_view_if_needed()
    tab.screenshot(path=tmp_path / "report.png")
    assert colours(tmp_path / "report.png") > 50
    assert problems == []


def cells(clip: dict[str, Any]) -> list[str]:
    """A row of the table of clips, from the JSON."""
    names = ("av_align", "chance", "trusted", "trusted_chance", "trusted_corrected", "trusted_p_value")
    counts = ("trusted_num_audio_peaks", "trusted_num_video_peaks", "trusted_num_matches")
    return [
        Path(clip["video"]).name,
        *(number(clip[name]) for name in names),
        *(str(clip[name]) for name in counts),
        number(clip["trusted_mean_lag_ms"], "+.0f"),
    ]


def test_the_page_of_a_comparison(tab: Page, compared: Path, tmp_path: Path) -> None:
    folder, problems = compared / "out", watch(tab)
    facts = json.loads((folder / "compare.json").read_text())
    table, names = show(tab, folder / "compare.html")
    assert [row[0] for row in table[1:]] == [title for title, _, _ in MEASURES]
    for row, (title, a, b, d) in zip(table[1:], facts["rows"], strict=True):
        assert row[:-1] == [
            title,
            number(a["mean"]),
            number(b["mean"]),
            number(d["difference"], "+.3f"),
            span(d["low"], d["high"], "+.3f"),
            number(d["p_value"]),
            str(d["count"]),
        ]
    assert table[3][-1] == "A: 1 the sound is silent. B: 1 the sound is silent"
    assert sorted(names[1:]) == sorted(
        [name, number(a), number(b), "-" if a is None or b is None else f"{b - a:+.3f}"]
        for name, a, b in facts["clips"]
    )
    text = tab.locator("body").inner_text()
    assert f"A is {compared / 'one'}\nB is {compared / 'other'}\n4 clips in both, 2 not readable." in text
    assert text.count("broken.mp4: cannot be read as sound or video") == 2
    (plot,) = tab.evaluate(DRAWN)
    assert plot["parts"] == 3 + sum(a is not None for _, a, _ in facts["clips"])
    assert plot["within"]
    tab.screenshot(path=tmp_path / "compare.png")
    assert problems == []


def test_a_narrow_window_needs_no_scrolling_sideways(tab: Page, compared: Path, tmp_path: Path) -> None:
    """A phone."""
    tab.set_viewport_size({"width": 390, "height": 844})
    for path in (compared / "score" / "report.html", compared / "out" / "compare.html"):
        show(tab, path)
        tab.screenshot(path=tmp_path / f"{path.stem}.png")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
