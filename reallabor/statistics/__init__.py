"""Statistics on arrays: agreement of raters, intervals of means, comparison of variants, planning,
ranking under uncertain values and weights.

Pure functions on numpy arrays; imports nothing else of Reallabor.
"""

from reallabor.statistics.agreement import (
    interval_alpha,
    nominal_alpha,
    ordinal_alpha,
    ratio_alpha,
    raw_agreement,
)
from reallabor.statistics.bootstrap import alpha_interval
from reallabor.statistics.comparison import Difference, compare_all, holm, paired_difference
from reallabor.statistics.components import Components, variance_components
from reallabor.statistics.disagreement import (
    Disagreement,
    LevelPairs,
    level_pairs,
    unit_disagreement,
)
from reallabor.statistics.draws import draw_figure, draw_missing
from reallabor.statistics.gwet import gwet_ac2
from reallabor.statistics.icc import IntraclassCorrelation, intraclass_correlations
from reallabor.statistics.intervals import (
    intervals_from_clusters,
    intervals_from_sums,
    mean_interval,
)
from reallabor.statistics.judges import (
    AgainstRater,
    AlternativeAnnotatorTest,
    JudgeAgreement,
    alternative_annotator_test,
    judge_agreement,
)
from reallabor.statistics.kappa import weighted_kappa, weighted_kappa_of_counts
from reallabor.statistics.metrics import (
    clopper_pearson,
    f1_of_sums,
    mean_of_sums,
    metric_interval,
    share_bound,
)
from reallabor.statistics.planning import (
    FurtherCases,
    cases_for_power,
    expected_half_width,
    further_cases,
)
from reallabor.statistics.ranking import Ranked, rank_at
from reallabor.statistics.ratings import Reliability, reliability
from reallabor.statistics.results import Estimate, Interval, InvalidData
from reallabor.statistics.smaa import Acceptability, rank_acceptability
from reallabor.statistics.superiority import Superiority, superiority
from reallabor.statistics.tipping import TippingPoint, leader_of, tipping_points
from reallabor.statistics.weightings import draw_weightings

__all__ = [
    "Acceptability",
    "AgainstRater",
    "AlternativeAnnotatorTest",
    "Components",
    "Difference",
    "Disagreement",
    "Estimate",
    "FurtherCases",
    "Interval",
    "IntraclassCorrelation",
    "InvalidData",
    "JudgeAgreement",
    "LevelPairs",
    "Ranked",
    "Reliability",
    "Superiority",
    "TippingPoint",
    "alpha_interval",
    "alternative_annotator_test",
    "cases_for_power",
    "clopper_pearson",
    "compare_all",
    "draw_figure",
    "draw_missing",
    "draw_weightings",
    "expected_half_width",
    "f1_of_sums",
    "further_cases",
    "gwet_ac2",
    "holm",
    "interval_alpha",
    "intervals_from_clusters",
    "intervals_from_sums",
    "intraclass_correlations",
    "judge_agreement",
    "leader_of",
    "level_pairs",
    "mean_interval",
    "mean_of_sums",
    "metric_interval",
    "nominal_alpha",
    "ordinal_alpha",
    "paired_difference",
    "rank_acceptability",
    "rank_at",
    "ratio_alpha",
    "raw_agreement",
    "reliability",
    "share_bound",
    "superiority",
    "tipping_points",
    "unit_disagreement",
    "variance_components",
    "weighted_kappa",
    "weighted_kappa_of_counts",
]
