"""Objects of a real S3 server: few requests, and every trouble either overcome or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2v_core.stores import Damaged, Store, StoredFile, StoreError, Unreachable, at_hand, check_place
from tests.stores.proxy import SECONDS, Trouble
from tests.stores.server import S3

DATA = bytes(range(256)) * 400


@pytest.fixture
def one(s3: S3, tmp_path: Path) -> StoredFile:
    """An object that no test has read."""
    prefix = tmp_path.name
    s3.put(f"{prefix}/a b#1.bin", DATA)
    files = s3.store(tmp_path / "cache").files(f"s3://clips/{prefix}")
    assert list(files) == ["a b#1.bin"]
    s3.proxy.forget()
    return files["a b#1.bin"]


def read(file: StoredFile) -> bytes:
    with at_hand(file) as path:
        return path.read_bytes()


def test_a_listing_is_a_request_a_page(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")  # of the server: 1000 else
    for number in range(31):
        s3.put(f"many/{number % 3}/{number:04d}.bin", b"%d" % number)
    files = s3.store(tmp_path).files("s3://clips/many")
    assert (s3.proxy.listings(), s3.proxy.gets(), s3.proxy.others()) == (4, [], [])
    assert list(files) == sorted(f"{n % 3}/{n:04d}.bin" for n in range(31))
    assert read(files["1/0010.bin"]) == b"10"
    assert s3.proxy.gets() == ["/clips/many/1/0010.bin"]


def test_an_object_is_one_get_and_then_none(s3: S3, one: StoredFile) -> None:
    assert (str(one), one.size) == (f"s3://clips/{Path(str(one)).parent.name}/a b#1.bin", len(DATA))
    for _ in range(2):
        assert read(one) == DATA
        assert [r.method for r in s3.proxy.requests] == ["GET"]


@pytest.mark.parametrize(("kind", "gets"), [("refuse", 3), ("cut", 3), ("wait", 1), ("change", 2)])
def test_troubles_that_pass(s3: S3, one: StoredFile, kind: str, gets: int) -> None:
    s3.proxy.troubles.append(Trouble(kind, "#1.bin", gets - 1 or 1))  # type: ignore[arg-type]
    assert read(one) == DATA
    assert len(s3.proxy.gets()) == gets


@pytest.mark.parametrize(
    ("kind", "error", "message", "gets"),
    [
        ("refuse", Unreachable, "did not answer in 3 tries", 3),
        ("cut", Unreachable, "did not answer in 3 tries", 3),
        ("change", Damaged, "wrong checksum .md5 is .* the store says", 2),
        ("hide", StoreError, "no such file in the store", 1),
    ],
)
def test_troubles_that_stay(
    s3: S3, one: StoredFile, kind: str, error: type[StoreError], message: str, gets: int
) -> None:
    s3.proxy.troubles.append(Trouble(kind, "#1.bin"))  # type: ignore[arg-type]
    with pytest.raises(error, match=message) as caught:
        read(one)
    assert str(caught.value).startswith("s3://clips/")
    assert "s3cr3t" not in str(caught.value) + repr(one)
    assert len(s3.proxy.gets()) == gets
    s3.proxy.forget()
    assert read(one) == DATA  # nothing of it was kept


def test_a_checksum_that_was_put_beside_an_object(s3: S3, one: StoredFile) -> None:
    name = str(one).removeprefix("s3://clips/")
    s3.put(name, DATA, ChecksumAlgorithm="CRC32")
    s3.proxy.troubles.append(Trouble("change", "#1.bin", 1))
    assert read(one) == DATA
    s3.proxy.troubles.append(Trouble("change", "#1.bin"))
    other = s3.store(one.store.cache.folder.parent / "other")
    with pytest.raises(Damaged, match="Expected checksum"):
        read(StoredFile(one.found, other))
    assert len(s3.proxy.gets()) == 4


def test_time_is_bounded_too(s3: S3, one: StoredFile, tmp_path: Path) -> None:
    hasty = s3.store(tmp_path / "hasty", tries=100, seconds=SECONDS / 3)
    s3.proxy.troubles.append(Trouble("wait", "#1.bin"))
    with pytest.raises(Unreachable, match="did not answer in 1 tries"):
        read(StoredFile(one.found, hasty))


def test_an_object_that_is_overwritten(s3: S3, one: StoredFile, tmp_path: Path) -> None:
    name = str(one).removeprefix("s3://clips/")
    s3.put(name, DATA[:-1])
    with pytest.raises(Damaged, match=f"has {len(DATA) - 1} bytes, the listing says {len(DATA)}"):
        read(one)
    assert read(one.store.file(str(one))) == DATA[:-1]


def test_an_etag_that_is_no_checksum(s3: S3, one: StoredFile) -> None:
    """Of objects under a key of KMS the ETag looks like an MD5 and is none."""
    name = str(one).removeprefix("s3://clips/")
    s3.put(name, DATA, ServerSideEncryption="aws:kms")
    s3.proxy.troubles.append(Trouble("change", "#1.bin"))
    assert read(one)[1:] == DATA[1:]
    assert [r.method for r in s3.proxy.requests] == ["GET", "HEAD"]


def test_what_cannot_be_listed(s3: S3, tmp_path: Path) -> None:
    store = s3.store(tmp_path)
    with pytest.raises(StoreError, match="s3://no-such-bucket/x: no such file in the store"):
        store.files("s3://no-such-bucket/x")
    assert store.files("s3://clips/nothing/here") == {}
    with pytest.raises(StoreError, match="nosuch://x/y: cannot be opened"):
        store.files("nosuch://x/y")
    with pytest.raises(StoreError, match="has a password in its address") as caught:
        check_place("ftp://me:s3cr3t@host/x")
    assert "s3cr3t" not in str(caught.value)


def test_another_kind_of_store(tmp_path: Path, s3: S3) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/data/b/1.bin", b"one")
    store: Store = s3.store(tmp_path)
    plain = type(store)(store.cache, type(store.access)(store.access.patience, {}))
    files = plain.files("memory://data")
    assert {name: read(file) for name, file in files.items()} == {"b/1.bin": b"one"}
    source = tmp_path / "two.bin"
    source.write_bytes(b"two")
    plain.access.upload(source, "memory://data/b/2.bin")
    assert list(plain.files("memory://data")) == ["b/1.bin", "b/2.bin"]
