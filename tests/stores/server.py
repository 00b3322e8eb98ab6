"""A real S3 server on this machine, with a proxy before it: fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from a2v_core.stores import Store, make_store
from tests.stores.proxy import Proxy, running_proxy

BUCKET = "clips"


class S3(NamedTuple):
    """The proxy, and what fsspec needs to know."""

    proxy: Proxy
    options: dict[str, Any]
    client: Any  # past the proxy

    def put(self, name: str, data: bytes, **how: str) -> None:
        self.client.put_object(Bucket=BUCKET, Key=name, Body=data, **how)

    def put_folder(self, folder: Path, prefix: str) -> str:
        """Copy a folder's files; the address that they lie below."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"s3://{BUCKET}/{prefix}"

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=name)

    def store(self, folder: Path, gigabytes: float = 1.0, tries: int = 3, seconds: float = 20.0) -> Store:
        return make_store(folder, gigabytes, tries, seconds, self.options)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """One server for all tests, with a bucket."""
    import boto3
    from botocore.config import Config
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with running_proxy(f"http://{host}:{port}") as proxy:
        client = boto3.client(
            "s3",
            endpoint_url=proxy.target,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            # Like older clients, without a checksum beside the ETag.
            config=Config(request_checksum_calculation="when_required"),
        )
        client.create_bucket(Bucket=BUCKET)
        yield S3(proxy, {"endpoint_url": proxy.url, "key": "test", "secret": "s3cr3t-of-the-test"}, client)
    server.stop()


@pytest.fixture
def s3(s3_server: S3) -> S3:
    """The server, well again and with nothing counted."""
    assert "AWS_ENDPOINT_URL" not in os.environ
    s3_server.proxy.forget()
    return s3_server
