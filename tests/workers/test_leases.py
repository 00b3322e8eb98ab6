"""Leases: one owner at a time, taken over from the dead by the clock of the file system."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from a2v_core.errors import A2VError
from a2v_core.workers import Lease, Leases

DAY = 86400.0


def age(lease: Lease, seconds: float) -> None:
    """As if the owner had not touched it for that long."""
    then = time.time() - seconds
    os.utime(lease.path, (then, then))


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        lease = one.take("clip/a b.mp4")
        assert lease is not None
        assert one.holds(lease)
        assert two.take("clip/a b.mp4") is None
        assert one.take("clip/a b.mp4") is None
        assert two.take("clip/a_b.mp4") is not None
        one.release(lease)
        one.release(lease)
        assert not one.holds(lease)
        again = two.take("clip/a b.mp4")
        assert again is not None
        assert again.number == 1
    assert list(tmp_path.iterdir()) == []


def test_a_lease_that_nobody_touches_is_taken_over_once(tmp_path: Path) -> None:
    with Leases(tmp_path, 30.0) as dead, Leases(tmp_path, 30.0) as one, Leases(tmp_path, 30.0) as two:
        first = dead.take("a")
        assert first is not None
        age(first, 29.0)
        assert one.take("a") is None
        age(first, 31.0)
        second = one.take("a")
        assert second is not None
        assert second.number == 2
        assert two.take("a") is None
        assert (dead.holds(first), one.holds(second)) == (False, True)
        age(second, 31.0)
        third = two.take("a")
        assert third is not None
        assert (third.number, one.holds(second), two.holds(third)) == (3, False, True)
        # Those before wake up: what is not theirs any more stays.
        dead.release(first)
        assert two.holds(third)
        assert one.take("a") is None or not two.holds(third)
        two.release(third)
        assert sorted(path.suffix for path in tmp_path.iterdir()) == [".clock"] * 3


def test_clocks_of_machines_need_not_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the file system is asked for the time."""
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        lease = one.take("a")
        for wrong in (time.time() + DAY, time.time() - DAY, 0.0):
            monkeypatch.setattr(time, "time", lambda wrong=wrong: wrong)
            assert two.take("a") is None
        assert lease is not None
        assert one.holds(lease)


def test_the_owner_keeps_it_alive(tmp_path: Path) -> None:
    with Leases(tmp_path, 0.6) as one, Leases(tmp_path, 0.6) as two:
        lease = one.take("a")
        assert lease is not None
        before = lease.path.stat().st_mtime_ns
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if lease.path.stat().st_mtime_ns > before + 10**9:
                break
        assert lease.path.stat().st_mtime_ns > before + 0.5e9
        assert two.take("a") is None


def test_many_want_what_a_dead_worker_had(tmp_path: Path) -> None:
    """Exactly one gets each, round after round."""
    with Leases(tmp_path, 30.0) as dead:
        held = [dead.take(str(number)) for number in range(20)]
        for lease in held:
            assert lease is not None
            age(lease, 100.0)
        workers = [Leases(tmp_path, 30.0) for _ in range(8)]
        won: list[tuple[int, str]] = []
        start = threading.Barrier(len(workers))

        def grab(number: int, leases: Leases) -> None:
            start.wait()
            for unit in range(20):
                if leases.take(str(unit)) is not None:
                    won.append((number, str(unit)))

        for worker in workers:
            worker.__enter__()
        threads = [threading.Thread(target=grab, args=pair) for pair in enumerate(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(unit for _, unit in won) == sorted(map(str, range(20)))
        for worker in workers:
            worker.__exit__(None, None, None)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(A2VError, match=r"file.leases cannot be written"),
        Leases(tmp_path / "file" / "leases"),
    ):
        pass
