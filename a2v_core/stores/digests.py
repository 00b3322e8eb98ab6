"""Checksums that stores list beside their objects."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Digest(NamedTuple):
    """algorithm: a name that hashlib knows; value: hexadecimal."""

    algorithm: str
    value: str


def digest_of(info: Mapping[str, Any]) -> Digest | None:
    """The checksum in an entry of fsspec's listings; None where the store names none.

    Google: md5Hash. Hugging Face: sha256 of files in LFS. S3: the ETag is the MD5 of objects that were put in
    one piece, others have a dash in it.
    """
    if isinstance(md5 := info.get("md5Hash"), str):
        return Digest("md5", base64.b64decode(md5).hex())
    lfs = info.get("lfs")
    sha256 = lfs.get("sha256") if isinstance(lfs, Mapping) else getattr(lfs, "sha256", None)
    if sha256:
        return Digest("sha256", str(sha256))
    tag = str(info.get("ETag") or "").strip('"')
    return Digest("md5", tag) if "ETag" in info and re.fullmatch(r"[0-9a-f]{32}", tag) else None


def not_of_the_content(system: Any, url: str) -> bool:
    """Whether an object of S3 has an ETag that looks like an MD5 and is none: encrypted with a key that the
    store does not own alone (SSE-KMS, SSE-C), or in a directory bucket. Asked only where they differ.
    """
    if not hasattr(system, "call_s3"):
        return False
    bucket, key, _ = system.split_path(url)
    if bucket.endswith("--x-s3"):
        return True
    head = system.call_s3("head_object", Bucket=bucket, Key=key, **system.req_kw)
    return "kms" in str(head.get("ServerSideEncryption")) or "SSECustomerAlgorithm" in head
