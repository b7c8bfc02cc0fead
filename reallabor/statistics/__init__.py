"""Statistics on arrays: agreement of raters, intervals of means, comparison of variants.

Pure functions on numpy arrays; imports nothing else of Reallabor.
"""

from reallabor.statistics.agreement import (
    gwet_ac2,
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    raw_agreement,
)
from reallabor.statistics.bootstrap import alpha_interval
from reallabor.statistics.comparison import Difference, compare_all, holm, paired_difference
from reallabor.statistics.intervals import (
    intervals_from_clusters,
    intervals_from_sums,
    mean_interval,
)
from reallabor.statistics.metrics import (
    clopper_pearson,
    f1_of_sums,
    mean_of_sums,
    metric_interval,
    share_bound,
)
from reallabor.statistics.ratings import Reliability, reliability
from reallabor.statistics.results import Estimate, Interval, InvalidData

__all__ = [
    "Difference",
    "Estimate",
    "Interval",
    "InvalidData",
    "Reliability",
    "alpha_interval",
    "clopper_pearson",
    "compare_all",
    "f1_of_sums",
    "gwet_ac2",
    "holm",
    "interval_alpha",
    "intervals_from_clusters",
    "intervals_from_sums",
    "mean_interval",
    "mean_of_sums",
    "metric_interval",
    "nominal_alpha",
    "ordinal_alpha",
    "paired_difference",
    "raw_agreement",
    "reliability",
    "share_bound",
]
