"""What a decided level counts for: score, share and gates, never agreement."""

import pytest
from building import CRITERIA, Trial
from disputed import decide, disputes, rated, release, the_dispute

from reallabor.database import transaction
from reallabor.models import Round
from reallabor.rating.agreement import round_agreement
from reallabor.rating.case_means import case_scores
from reallabor.rating.results import round_result


def test_score_counts_decisions_and_keeps_the_original(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        result = release(session, found)
        (variant,) = result["variants"]
    # FR weighs 30: one of six cases rises from a mean of 3 to 5, which is half the scale.
    assert variant["score"] == pytest.approx(variant["score_original"] + 30 * 0.5 / 6)
    assert (result["n_adjudicated"], variant["n_adjudicated"]) == (1, 1)
    assert variant["criteria"]["FR"]["mean"] == pytest.approx((5 * 4 + 5) / 6)
    assert variant["n_ratings"] == 6 * 2 * len(CRITERIA)  # all the originals


def test_adjudication_decides_the_gate(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"FR": (1, 5)}, "f-2": {"DS": (1, 4)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "FR"), 5)
        decide(session, found, the_dispute(session, found, "f-2", "DS"), 1)
        result = release(session, found)
    states = {gate["key"]: gate["state"] for gate in result["gates"]}
    assert states["keine-schaedliche-auskunft"] == "passed"
    assert states["keine-fremddaten"] == "missed"


def test_low_share_counts_decisions(trial: Trial, platform_url: str) -> None:
    found = rated(trial, {"f-1": {"VS": (1, 5)}})
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "VS"), 2, reason="lang")
        (variant,) = release(session, found)["variants"]
    assert variant["low_share"] == pytest.approx(1 / 6)


def test_agreement_stays_that_of_the_originals(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        round_ = session.get_one(Round, found.round_id)
        before = round_agreement(session, round_)
        for dispute in disputes(session, found):
            decide(session, found, dispute, 5, reason="so")
        assert round_agreement(session, round_) == before
        assert before["NE"].alpha["ordinal"].value is not None


def test_results_without_decision_are_the_same_twice(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        result = release(session, found)
    (variant,) = result["variants"]
    assert variant["score"] == variant["score_original"]
    assert (result["n_adjudicated"], variant["n_adjudicated"]) == (0, 0)


def test_case_scores_mean_is_the_score(trial: Trial, platform_url: str) -> None:
    found = rated(trial)
    with transaction() as session:
        decide(session, found, the_dispute(session, found, "f-1", "NE"), 5)
        round_ = session.get_one(Round, found.round_id)
        scores = case_scores(session, round_)
        (variant,) = round_result(session, round_).variants
    assert list(scores.columns) == ["variant", "case", "score"]
    assert len(scores) == 6
    assert scores["score"].mean() == pytest.approx(variant.score.mean)
