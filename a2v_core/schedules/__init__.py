"""Schedules of noise and their solvers, by name: what a model was trained on, and how it is sampled."""

from __future__ import annotations

from .contract import Schedule
from .flow import FLOW_SCHEDULERS, FlowSchedule
from .noise import DEFAULT_SCHEDULER, SCHEDULERS, NoiseSchedule, check_scheduler, make_scheduler

__all__ = [
    "DEFAULT_SCHEDULER",
    "FLOW_SCHEDULERS",
    "SCHEDULERS",
    "FlowSchedule",
    "NoiseSchedule",
    "Schedule",
    "check_scheduler",
    "make_scheduler",
]
