"""One file over a real connection: whole, in pieces, and everything that can go wrong on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from a2v_core.errors import CheckpointError
from a2v_core.models.disk import free_bytes
from a2v_core.models.errors import DownloadError, NotThereError
from a2v_core.models.remote import RemoteFile
from a2v_core.models.transfer import CHUNK, download, part_of
from tests.models.server import Server

BODY = bytes(range(256)) * 20_000  # 5 MB: several chunks
SUM = hashlib.sha256(BODY).hexdigest()


class Stop(Exception):
    """What a Cancel raises."""


def quiet(done: int, total: int | None) -> None:
    pass


def at(server: Server, **known: object) -> RemoteFile:
    return RemoteFile(f"{server.url}/model.pt", "model.pt", **known)  # type: ignore[arg-type]


def ranges(server: Server) -> list[str | None]:
    return [headers.get("Range") for headers in server.asked("/model.pt")]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_comes_whole_with_its_progress(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "model.pt"
    download(at(server, sha256=SUM), target, lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == BODY
    assert names(target.parent) == {"model.pt"}
    assert seen[0] == (0, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) >= len(BODY) // CHUNK


def test_dropped_connections_are_taken_up_where_they_broke(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY, cut=[1_000_000, 2_500_000, 500_000])
    download(at(server, sha256=SUM), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert ranges(server) == [None, "bytes=1000000-", "bytes=3500000-", "bytes=4000000-"]
    assert {headers.get("If-Range") for headers in server.asked("/model.pt")[1:]} == {'"v1"'}


def test_the_next_call_goes_on_after_a_stop(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    target = tmp_path / "model.pt"

    def stop(done: int, total: int | None) -> None:
        if done >= 2 * CHUNK:
            raise Stop

    with pytest.raises(Stop):
        download(at(server), target, stop)
    assert not target.exists()
    assert part_of(target).stat().st_size == 2 * CHUNK
    download(at(server), target, quiet)
    assert target.read_bytes() == BODY
    assert ranges(server) == [None, f"bytes={2 * CHUNK}-"]
    assert names(tmp_path) == {"model.pt"}


def test_a_file_that_changed_meanwhile_is_taken_from_its_start(server: Server, tmp_path: Path) -> None:
    old = server.add("/model.pt", b"x" * len(BODY), cut=[1_000_000])
    with pytest.raises(DownloadError, match="kept in"):
        download(at(server), tmp_path / "model.pt", quiet, attempts=0)
    old.body, old.etag = BODY, '"v2"'
    download(at(server), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert ranges(server)[-1] == "bytes=1000000-"


def test_without_a_version_nothing_is_patched_together(server: Server, tmp_path: Path) -> None:
    """A server that names no version: the rest may be of another file, unless a checksum will tell."""
    server.add("/model.pt", BODY, etag="", cut=[1_000_000])
    download(at(server), tmp_path / "model.pt", quiet)
    assert ranges(server) == [None, None]
    server.add("/model.pt", BODY, etag="", cut=[1_000_000])
    download(at(server, sha256=SUM), tmp_path / "other.pt", quiet)
    assert ranges(server)[2:] == [None, "bytes=1000000-"]
    assert (tmp_path / "other.pt").read_bytes() == (tmp_path / "model.pt").read_bytes() == BODY


def test_a_server_without_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY, ranges=False, cut=[3_000_000])
    download(at(server, sha256=SUM), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert ranges(server) == [None, "bytes=3000000-"]


def test_a_server_that_tells_no_length(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY, sized=False)
    seen: list[int | None] = []
    download(at(server), tmp_path / "model.pt", lambda done, total: seen.append(total))
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert set(seen) == {None}


def test_a_dropped_connection_shows_without_a_length_too(server: Server, tmp_path: Path) -> None:
    """The catalogue knows the size where the server does not say it."""
    server.add("/model.pt", BODY, sized=False, cut=[2_000_000])
    download(at(server, size=len(BODY)), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY


def test_a_whole_part_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    part_of(tmp_path / "model.pt").write_bytes(BODY)
    download(at(server, sha256=SUM), tmp_path / "model.pt", quiet)
    assert ranges(server) == [f"bytes={len(BODY)}-"]  # answered with 416
    part_of(tmp_path / "again.pt").write_bytes(BODY)
    download(at(server, sha256=SUM, size=len(BODY)), tmp_path / "again.pt", quiet)
    assert len(server.requests) == 1
    assert names(tmp_path) == {"model.pt", "again.pt"}


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    part_of(tmp_path / "model.pt").write_bytes(BODY + b"more")
    download(at(server, sha256=SUM), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY, status=[503])
    download(at(server), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert len(server.requests) == 2


def test_a_dead_connection_gives_up_and_keeps_what_came(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY, cut=[1_000_000, 0, 0])
    says = r"model\.pt broke off 2 times.*1,000,000 bytes are kept in .*model\.pt\.part for the next"
    with pytest.raises(DownloadError, match=says):
        download(at(server), tmp_path / "model.pt", quiet, attempts=2)
    assert part_of(tmp_path / "model.pt").read_bytes() == BODY[:1_000_000]
    assert not (tmp_path / "model.pt").exists()


def test_a_wrong_checksum_is_named_and_nothing_stands_there(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    with pytest.raises(DownloadError, match=rf"has the SHA-256 {SUM}, expected 0{{64}}.*kept as .*rejected"):
        download(at(server, sha256="0" * 64), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt.rejected").read_bytes() == BODY
    assert not (tmp_path / "model.pt").exists()
    assert not part_of(tmp_path / "model.pt").exists()
    download(at(server, sha256=SUM), tmp_path / "model.pt", quiet)
    assert ranges(server) == [None, None]


def test_a_wrong_size_is_seen_before_it_comes(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    with pytest.raises(DownloadError, match=r"has 5,120,000 bytes, expected 7: another file"):
        download(at(server, size=7), tmp_path / "model.pt", quiet)
    assert not (tmp_path / "model.pt").exists()


def test_small_files_are_checked_by_their_git_id(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", b"{}")
    download(at(server, git_sha1="9e26dfeeb6e641a33dae4961196235bdb965b21b"), tmp_path / "a.json", quiet)
    with pytest.raises(DownloadError, match="git blob id 9e26dfee"):
        download(at(server, git_sha1="0" * 40), tmp_path / "b.json", quiet)


@pytest.mark.parametrize(("status", "says"), [(401, "wants a login"), (403, "refuses"), (404, "no such")])
def test_refusals_are_not_asked_again(server: Server, tmp_path: Path, status: int, says: str) -> None:
    server.add("/model.pt", BODY, status=[status] * 2)
    with pytest.raises(NotThereError, match=says):
        download(at(server), tmp_path / "model.pt", quiet)
    assert len(server.requests) == 1
    assert not part_of(tmp_path / "model.pt").exists()


def test_a_web_page_is_no_model(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", b"<html>Sign in</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(DownloadError, match=r"sends a web page instead of model\.pt"):
        download(at(server), tmp_path / "model.pt", quiet)
    assert names(tmp_path) == set()


def test_redirects_are_followed_and_the_token_stays_behind(server: Server, tmp_path: Path) -> None:
    """Another host must not see it: 127.0.0.1 and localhost are two of them."""
    other = server.url.replace("127.0.0.1", "localhost")
    server.add("/model.pt", b"", redirect=f"{other}/cdn/model.pt", token="secret")
    server.add("/cdn/model.pt", BODY, cut=[1_000_000])
    download(at(server, headers={"Authorization": "Bearer secret"}), tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert {headers.get("Authorization") for headers in server.asked("/model.pt")} == {"Bearer secret"}
    assert [headers.get("Authorization") for headers in server.asked("/cdn/model.pt")] == [None, None]
    assert server.asked("/cdn/model.pt")[1]["Range"] == "bytes=1000000-"


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:9: the download of x\.pt broke off 1 times"):
        download(RemoteFile("http://127.0.0.1:9/x.pt", "x.pt"), tmp_path / "x.pt", quiet, attempts=1)


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.add("/model.pt", BODY)
    (tmp_path / "model.pt").mkdir()
    with pytest.raises(DownloadError, match=r"model\.pt: cannot be written"):
        download(at(server), tmp_path / "model.pt", quiet)


def test_a_file_of_this_disk_is_copied_and_checked(tmp_path: Path) -> None:
    source = tmp_path / "source.pt"
    source.write_bytes(BODY)
    file = RemoteFile(source.as_uri(), "source.pt", sha256=SUM, local=source)
    download(file, tmp_path / "model.pt", quiet)
    assert (tmp_path / "model.pt").read_bytes() == BODY
    assert source.exists()


def test_errors_are_not_taken_for_those_of_a_broken_model() -> None:
    assert not issubclass(DownloadError, CheckpointError)
    assert free_bytes(Path("/nowhere/at/all")) > 0
