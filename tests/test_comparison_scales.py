"""The scales of the comparison, and the estimates of scenarios that stand on them."""

from collections.abc import Callable

import building
import pytest
from building import REPOSITORY, Trial

from reallabor.comparison_scales import KEYS, load_comparison_scales
from reallabor.errors import InvalidContent
from reallabor.evaluations import rubric_keys
from reallabor.questionnaires import load_questionnaires
from reallabor.scenarios import CaseContent, ScenarioContent, ScenarioFolder, load_scenario

EVALUATIONS = REPOSITORY / "evaluations"
SHIPPED = sorted(path.parent.name for path in (REPOSITORY / "scenarios").glob("*/scenario.yaml"))
STECKBRIEF = {
    "title": "Probe", "organisation": "Haus", "legal_status": "2026-11-01", "task": "T",
    "helps": "H", "ai_kind": "K", "rubric": "auskunft", "baseline_minutes": 3,
    "risk_class": {"class": "minimal", "article": "A", "reason": "R"}, "yearly_volume": 1200,
    "candidate": "eins", "variants": [{"key": "eins", "title": "Eins"}],
}  # fmt: skip
STORED_SHA256 = "b4cefc95ed4d2a95460c3158546dcf039fe9bd94ea382b6c7e54409034f85dec"
"""What the code before the estimates stored for STECKBRIEF with one case."""


def test_shipped_scales_are_documented() -> None:
    scales = load_comparison_scales(EVALUATIONS)
    assert tuple(each.key for each in scales.criteria) == KEYS
    assert sum(scales.weights.values()) == 100
    for scale in scales.criteria:
        assert len(scale.source) > 80
        assert scale.position(scale.worst) == 0
        assert scale.position(scale.best) == 1
        assert scale.plausible.min < scale.weight < scale.plausible.max
    for key in ("effort", "transfer"):
        assert "Schätzung der Erprobung" in scales.criterion(key).source
        assert scales.criterion(key).accurate_to > 0
    assert scales.criterion("effort").position(2) == 0.75
    assert scales.criterion("benefit").position(-9600) == -0.05


def test_level_is_said_in_its_words() -> None:
    scale = load_comparison_scales(EVALUATIONS).criterion("transfer")
    assert scale.level_text(5) == "5 von 5: Unverändert in jedem Haus einsetzbar."
    assert scale.level_text(6) == "6 von 5"


def test_shipped_scales_quote_their_questions() -> None:
    scales, questionnaires = load_comparison_scales(EVALUATIONS), load_questionnaires(EVALUATIONS)
    for key in ("staff", "clients"):
        scale = scales.criterion(key)
        assert scale.asked is not None
        asked = questionnaires.for_audience(scale.asked.audience)
        question = next(each for each in asked.questions if each.key == scale.asked.question)
        assert f"„{question.standard.question}“" in scale.source
        for level in (scale.worst, scale.best):
            assert f"{level:g} „{question.standard.levels[int(level)]}“" in scale.source


def test_comparison_scales_are_no_rubric(trial: Trial) -> None:
    assert "vergleich" not in rubric_keys()


@pytest.mark.parametrize("slug", SHIPPED)
def test_shipped_scenarios_carry_marked_estimates(slug: str) -> None:
    content = load_scenario(slug, REPOSITORY / "scenarios").content
    scales = load_comparison_scales(EVALUATIONS)
    for key, estimate in (("effort", content.effort), ("transfer", content.transfer)):
        assert estimate is not None
        assert estimate.level in scales.criterion(key).levels
        assert estimate.reason.startswith("Schätzung der Erprobung: ")
    assert content.cost_per_case_eur is not None
    # Even without any rework no scenario saves more than the scale and an eighth.
    most = content.baseline_minutes * content.yearly_volume
    assert scales.criterion("benefit").position(most) <= 1.125


def test_stored_scenarios_keep_their_hash() -> None:
    case = CaseContent(id="a", input="Frage?")

    def sha256(**estimates: object) -> str:
        content = ScenarioContent.model_validate({**STECKBRIEF, **estimates})
        return ScenarioFolder(slug="probe", content=content, cases=[case]).sha256

    assert sha256() == STORED_SHA256
    estimate = {"level": 2, "reason": "Schätzung"}
    changed = [sha256(effort=estimate), sha256(transfer=estimate), sha256(cost_per_case_eur=0)]
    assert len({STORED_SHA256, *changed}) == 4


def test_estimates_out_of_range_are_named(trial: Trial) -> None:
    trial.change(effort={"level": 6, "reason": "Zu viel."})
    with pytest.raises(InvalidContent, match=r"Feld effort\.level: ist zu groß"):
        load_scenario(trial.slug)
    trial.change(effort={"level": 5})
    with pytest.raises(InvalidContent, match=r"Feld effort\.reason: fehlt"):
        load_scenario(trial.slug)
    trial.change(effort=None, cost_per_case_eur=-1)
    with pytest.raises(InvalidContent, match=r"Feld cost_per_case_eur: ist zu klein"):
        load_scenario(trial.slug)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("weight: 30", "weight: 40", "ergeben 110 statt 100"),
        ("key: transfer", "key: effort", "genau diese sechs"),
        ("key: transfer", "key: speed", "muss einer dieser Werte sein"),
        ("best: 100", "best: 0", "bei quality sind worst und best gleich"),
        ("plausible: {min: 15, max: 50}", "plausible: {min: 35, max: 50}", "nicht in plausible"),
        ("plausible: {min: 15, max: 50}", "plausible: {min: 15, max: 500}", "max: ist zu groß"),
        ("      2: Nur mit Umbau", "      6: Nur mit Umbau", "jede Stufe von 1 bis 5"),
        ("    asked: {audience: staff, question: nutzen}\n", "", "bei staff ist asked"),
        ("question: nutzen}", "question: liebe}", "Eine Frage 'liebe' steht nicht in"),
        ("    worst: 1\n    best: 3", "    worst: 1\n    best: 4", "reichen von 1 bis 3"),
        ("version: 1", "version: 1\nmethode: neu", "Feld methode: ist unbekannt"),
    ],
)
def test_broken_scales_are_named(
    trial: Trial, call: Callable[..., building.Call], old: str, new: str, sentence: str
) -> None:
    path = trial.content / "evaluations" / "vergleich.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    done = call("check-content")
    assert done.code == 1
    assert "vergleich.yaml" in done.err
    assert sentence in done.err


def test_estimates_need_a_described_level(trial: Trial, call: Callable[..., building.Call]) -> None:
    trial.change(transfer={"level": 5, "reason": "Überall gleich."})
    assert call("check-content").code == 0
    path = trial.content / "evaluations" / "vergleich.yaml"
    before, transfer = path.read_text("utf-8").split("  - key: transfer\n")
    transfer = transfer.replace("best: 5", "best: 4").replace("      5: Unverändert", "      # 5:")
    path.write_text(f"{before}  - key: transfer\n{transfer}", "utf-8")
    done = call("check-content")
    assert done.code == 1
    assert "Feld transfer.level: Stufe 5 gibt es in evaluations/vergleich.yaml nicht" in done.err
