"""Trains the demo's Wan: a tiny video VAE, a WanTransformer3DModel and its audio adapter."""
