"""Measurements that anyone can repeat; every number of the README that is about speed comes from here."""

from a2v_core.processors import share_processors

share_processors()  # here, since it has to come before any module's torch
