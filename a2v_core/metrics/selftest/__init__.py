"""The scores tried on the user's own clips: which wrong sounds do they tell from the right one?"""

from .measures import MEASURES
from .perturbations import Perturbation, perturbations
from .run import SelfTest, self_test
from .tables import results_record, selftest_cells, selftest_lines, selftest_record
from .trial import DetectedClip, Results, Trials, run_trials, shortest_told, wilson

__all__ = [
    "MEASURES",
    "DetectedClip",
    "Perturbation",
    "Results",
    "SelfTest",
    "Trials",
    "perturbations",
    "results_record",
    "run_trials",
    "self_test",
    "selftest_cells",
    "selftest_lines",
    "selftest_record",
    "shortest_told",
    "wilson",
]
