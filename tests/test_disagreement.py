"""Where raters of a round disagree: level pairs, confused anchors, cases, and who sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import building
import pytest
import yaml
from building import CRITERIA, Call, Trial
from disputed import NEUTRAL, Levels, Rated, person, rated
from sqlmodel import Session, select

from reallabor.database import reading, transaction
from reallabor.deciding.figures import meanings
from reallabor.deciding.readiness import agreement_rule
from reallabor.errors import NotAllowed, UnknownObject
from reallabor.models import Role, Round, Variant
from reallabor.rating.agreement import alpha_words
from reallabor.rating.disagreement import RoundAgreement, agreement_of, outputs_of_case
from reallabor.rating.rounds import release_round

LEVELS: Levels = {
    "f-1": {"FR": (3, 4), "NE": (1, 5)},
    "f-2": {"FR": (4, 3), "VS": (5, 4)},
    "f-4": {"FR": (3, 3)},
    "f-5": {"FR": (5, 4)},
}


def seen(session: Session, found: Rated, name: str = NEUTRAL) -> RoundAgreement:
    return agreement_of(session, found.round_id, actor=person(session, name))


def test_map_counts_every_pair_once(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with reading() as session:
        criterion = seen(session, found).criteria[0]
    assert (criterion.key, criterion.levels) == ("FR", [1, 2, 3, 4, 5])
    assert criterion.pairs == [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 1, 2, 0],
        [0, 0, 2, 2, 1],
        [0, 0, 0, 1, 0],
    ]
    assert criterion.figures.units == 6


def test_most_confused_anchors_are_named(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with reading() as session:
        by_key = {each.key: each for each in seen(session, found).criteria}
    confused = by_key["FR"].confused
    assert confused is not None
    assert (confused.low, confused.high, confused.pairs, confused.all_pairs) == (3, 4, 2, 6)
    assert confused.low_anchor == "Im Kern richtig, kleine Fehler oder eine Lücke"
    assert confused.high_anchor == "Richtig, aber unpräzise oder zu allgemein"
    assert by_key["QU"].confused is None  # nobody disagrees


def test_cases_come_by_disagreement(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with reading() as session:
        cases = seen(session, found).cases
    assert [each.case for each in cases] == ["f-1", "f-2", "f-5", "f-3", "f-4", "f-6"]
    assert (cases[0].largest, cases[0].criterion) == (4, "Neutralität")
    assert cases[0].mean == pytest.approx((4 + 1) / len(CRITERIA))


def test_verdict_says_what_alpha_means(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with reading() as session:
        by_key = {each.key: each.figures for each in seen(session, found).criteria}
    assert by_key["QU"].verdict == "nicht bestimmbar"
    assert by_key["QU"].alpha["ordinal"].reason
    assert by_key["NE"].verdict == "unsicher"


@pytest.mark.parametrize("least", [-0.5, 0.667, 0.9])
def test_verdict_never_contradicts_readiness(trial: Trial, platform_url: str, least: float) -> None:
    """Whatever `reifegrad.yaml` asks for: what it takes is not called uncertain, nor the other way
    round."""
    file = trial.content / "evaluations" / "reifegrad.yaml"
    rules = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(yaml.safe_dump({**rules, "alpha": least}), encoding="utf-8")
    found = rated(trial, LEVELS)
    with reading() as session:
        figures = [each.figures for each in seen(session, found).criteria]
    sure = [each for each in figures if each.alpha["ordinal"].value is not None]
    assert sure
    for each in sure:
        assert (each.verdict != "unsicher") is (agreement_rule(each) == "Alpha")
    said = {
        -0.5: "Alpha ab 0,80 gilt als verlässlich, ab \u22120,50 als vorläufig brauchbar.",
        0.667: "Alpha ab 0,80 gilt als verlässlich, ab 0,667 als vorläufig brauchbar.",
        0.9: "Alpha ab 0,90 gilt als verlässlich.",
    }
    assert alpha_words() == said[least]
    assert f"Alpha ab {least:g}".replace(".", ",").replace("-", "−") in meanings()["agreement"]


@pytest.mark.parametrize("name", ["Anna", "Paul", "Stefan", "Nora"])
def test_open_round_is_seen_by_organisers_only(trial: Trial, platform_url: str, name: str) -> None:
    found = rated(trial, LEVELS)
    with transaction() as session:
        with pytest.raises(NotAllowed, match="läuft noch"):
            seen(session, found, name)
        release_round(session, found.round_id, actor=person(session))
        assert seen(session, found, name).released


def test_organiser_who_rates_sees_no_open_round(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with transaction() as session:
        anna = person(session, "Anna")
        anna.roles = [Role.EVALUATOR.value, Role.ORGANISER.value]
        session.add(anna)
        session.flush()
        with pytest.raises(NotAllowed, match="bewertet in Runde 1 selbst"):
            seen(session, found, "Anna")


def test_open_round_names_no_system(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with transaction() as session:
        titles = session.exec(select(Variant.title)).all()
        text = repr(seen(session, found))
        assert not [title for title in titles if title in text]
        assert outputs_of_case(session, found.round_id, "f-1") == []
        release_round(session, found.round_id, actor=person(session))
        (output,) = outputs_of_case(session, found.round_id, "f-1")
        assert output.name == f"System eins ({building.HOUSE})"


def test_later_rating_is_seen_at_once(trial: Trial, platform_url: str) -> None:
    """What is kept is kept for the ratings as they were."""
    found = rated(trial, LEVELS)
    with transaction() as session:
        before = seen(session, found)
        who = person(session, "Anna")
        round_ = session.get_one(Round, found.round_id)
        token = building.tokens(session, round_, who)[0]
        building.rate(session, who, token, 1)
        assert seen(session, found) != before


def test_unknown_round_is_refused(trial: Trial, platform_url: str) -> None:
    found = rated(trial, LEVELS)
    with reading() as session, pytest.raises(UnknownObject, match="gibt es hier nicht"):
        agreement_of(session, found.round_id + 998, actor=person(session))


def test_imported_round_has_figures_without_anchors(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    file = tmp_path / "r.csv"
    rows = "a,v,r,K,3\na,v,s,K,4\nb,v,r,K,3\nb,v,s,K,3\nc,v,r,L,2\n"
    file.write_text("case,variant,rater,criterion,level\n" + rows)
    assert call("import-ratings", "neu", file, "--create", "--scale", "1:5").code == 0
    with transaction() as session:
        found = _only_round(session)
    assert found.rubric_key == ""
    first, second = found.criteria
    assert first.confused is not None
    assert (first.confused.low, first.confused.low_anchor) == (3, "")
    assert (second.figures.verdict, second.confused) == ("nicht bestimmbar", None)
    assert [each.case for each in found.cases] == ["a", "b"]


def test_long_scale_has_no_map(
    platform_url: str, tmp_path: Path, call: Callable[..., Call]
) -> None:
    file = tmp_path / "r.csv"
    file.write_text("case,variant,rater,criterion,level\na,v,r,K,30\na,v,s,K,44.5\n")
    assert call("import-ratings", "neu", file, "--create", "--scale", "0:100").code == 0
    with transaction() as session:
        (criterion,) = _only_round(session).criteria
    assert (criterion.levels, criterion.pairs, criterion.confused) == (None, [], None)


def _only_round(session: Session) -> Any:
    round_ = session.exec(select(Round)).one()
    someone = building.add_person(session, "Stefan", Role.STEERING)
    return agreement_of(session, round_.id or 0, actor=someone)
