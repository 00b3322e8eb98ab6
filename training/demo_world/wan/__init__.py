"""Trains the demo's Wan: a tiny video VAE, a WanTransformer3DModel and its audio adapter."""

from __future__ import annotations

from .demo import WanDemo

__all__ = ["WanDemo"]
