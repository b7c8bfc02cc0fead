"""Outputs held against what their cases expect: against scikit-learn and examples by hand."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, ndcg_score

from reallabor.recording.facts import changed_facts, facts
from reallabor.recording.indicators import indicators
from reallabor.recording.measures import Answer, case_quality, measure_metrics
from reallabor.scenarios import FieldContent, MeasureContent

CLASSES = ["widerspruch", "miete", "sonstiges"]


@dataclass
class OneCase:
    expected: dict[str, Any] = field(default_factory=dict)
    input: str | None = "Frage?"
    passages: list[str] = field(default_factory=list)
    cluster: str | None = None


def one_field(kind: str, key: str = "f") -> FieldContent:
    values = CLASSES if kind == "choice" else []
    return FieldContent.model_validate(
        {"key": key, "title": key.upper(), "kind": kind, "values": values}
    )


def answer(want: Any, got: Any, key: str = "f", **more: Any) -> Answer:
    """An answer to a case that expects `want`, with `got` in the same field."""
    return Answer(OneCase({} if want is None else {key: want}), "Text",
                  {} if got is None else {key: got}, **more)  # fmt: skip


def measured(kind: str, answers: list[Answer], field_kind: str = "choice", **more: Any) -> Any:
    measure = MeasureContent.model_validate({"kind": kind, "fields": ["f"], **more})
    return measure_metrics(measure, [one_field(field_kind)], answers)


@pytest.mark.parametrize("seed", range(6))
def test_macro_f1_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    want, got = rng.choice(CLASSES, 40), rng.choice(CLASSES, 40)
    found = measured("macro_f1", [answer(w, g) for w, g in zip(want, got, strict=True)])
    assert found["macro_f1"] == pytest.approx(f1_score(want, got, average="macro"))
    assert found["macro_f1.n"] == 40
    assert found["macro_f1.low"] < found["macro_f1"] < found["macro_f1.high"]


def test_failed_output_counts_as_an_empty_one() -> None:
    answers = [answer("miete", "miete"), answer("miete", None, error="kaputt")]
    assert measured("macro_f1", answers)["macro_f1"] == pytest.approx(2 / 3)
    assert measured("exact", answers)["exact"] == 0.5


def test_case_and_blanks_make_no_difference() -> None:
    assert measured("exact", [answer("miete", " MIETE "), answer("miete", "sonst")])["exact"] == 0.5


def test_values_of_mixed_kinds_are_compared_not_raised() -> None:
    found = measured("macro_f1", [answer(1, "1"), answer("viel", "viel")], "number")
    assert found["macro_f1"] == 1.0


def test_critical_recall_by_hand() -> None:
    answers = [
        answer("widerspruch", "widerspruch"), answer("widerspruch", "miete"),
        answer("widerspruch", "widerspruch"), answer("miete", "sonstiges"), answer(None, "miete"),
    ]  # fmt: skip
    found = measured("critical_recall", answers, critical=["widerspruch"])
    assert found["critical_recall"] == pytest.approx(2 / 3)
    assert (found["critical_recall.n"], found["critical_recall.missed"]) == (3, 1)
    assert "critical_recall.bound" not in found


def test_nothing_missed_carries_its_bound() -> None:
    answers = [answer("widerspruch", "widerspruch") for _ in range(6)]
    found = measured("critical_recall", answers, critical=["widerspruch"])
    assert (found["critical_recall"], found["critical_recall.missed"]) == (1, 0)
    assert found["critical_recall.bound"] == pytest.approx(0.607, abs=5e-4)
    assert found["critical_recall.low"] == found["critical_recall.bound"]
    assert found["critical_recall.high"] == 1.0


def test_false_alarms_by_hand() -> None:
    answers = [
        answer("miete", "widerspruch"), answer("miete", "miete"), answer("sonstiges", "sonstiges"),
        answer("widerspruch", "miete"),  # a case with a critical value cannot be a false alarm
    ]  # fmt: skip
    found = measured("false_alarms", answers, critical=["widerspruch"])
    assert found["false_alarms"] == pytest.approx(1 / 3)
    lists = [answer(["a", "b"], ["a"]), answer(["a"], ["a", "c"]), answer([], ["x"])]
    assert measured("false_alarms", lists, "list")["false_alarms"] == pytest.approx(2 / 3)


def test_field_f1_by_hand() -> None:
    # hits a, b; too many c; missed d, e: 2*2 / (2*2 + 1 + 2)
    answers = [answer(["a", "b", "d"], ["b", "a", "c"]), answer(["e"], None)]
    assert measured("field_f1", answers, "list")["field_f1"] == pytest.approx(4 / 7)


def test_exact_knows_dates_in_any_writing() -> None:
    answers = [answer("2026-11-30", "30.11.2026"), answer("2026-11-30", "2026-12-01")]
    assert measured("exact", answers, "date")["exact"] == 0.5
    nothing_due = Answer(OneCase({"g": "x"}), "Text", {})
    assert measured("exact", [nothing_due], "date")["exact"] == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_ndcg_equals_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"st-{n}" for n in range(12)]
    gains = dict(zip(names, rng.integers(0, 4, 12).tolist(), strict=True))
    order = rng.permutation(names).tolist()
    found = measured("ndcg_at_5", [answer(gains, order)], "ranking")
    truth = [[2.0 ** gains[name] - 1 for name in names]]
    scores = [[float(-order.index(name)) for name in names]]
    assert found["ndcg_at_5"] == pytest.approx(ndcg_score(truth, scores, k=5))


def test_ranking_by_hand() -> None:
    gains = {"a": 3, "b": 1, "c": 0}
    # (7/log2(3) + 1/log2(4)) / (7/log2(2) + 1/log2(3))
    by_hand = (7 / np.log2(3) + 1 / 2) / (7 + 1 / np.log2(3))
    found = measured("ndcg_at_5", [answer(gains, ["c", "a", "b"])], "ranking")
    assert found["ndcg_at_5"] == pytest.approx(by_hand)
    doubled = measured("ndcg_at_5", [answer(gains, ["a", "a", "A", "b"])], "ranking")
    assert doubled["ndcg_at_5"] == pytest.approx(1.0)  # naming one twice gains nothing
    hits = [answer(gains, ["c", "x", "b", "a"]), answer(gains, ["c", "x", "y", "a"])]
    assert measured("hit_at_3", hits, "ranking")["hit_at_3"] == 0.5


def test_ranking_without_expectation_uses_passages() -> None:
    sources = FieldContent(key="sources", title="Quellen", kind="ranking")
    measure = MeasureContent(kind="hit_at_3", fields=["sources"])
    answers = [
        Answer(OneCase(passages=["p-1"]), "x", {"sources": ["p-9", "p-1"]}),
        Answer(OneCase(passages=["p-1"]), "x", {}),
    ]
    assert measure_metrics(measure, [sources], answers)["hit_at_3"] == 0.5


def test_kept_needs_every_figure() -> None:
    source = "Bis 30.11.2026 sind 1.234,50 € nach § 44a zu zahlen, 30 %."
    kept = "Zahlen Sie 1234,50 Euro bis zum 30. November 2026 (§ 44a SGB II), also 30 Prozent."
    answers = [
        Answer(OneCase(input=source), kept, {}),
        Answer(OneCase(input=source), kept.replace("44a", "44b"), {}),
        Answer(OneCase(input=source), None, {}, error="kaputt"),
    ]
    measure = MeasureContent(kind="kept")
    assert measure_metrics(measure, [], answers)["kept"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("answers", [[], [answer(None, "miete")]])
def test_nothing_expected_is_nothing_measured(answers: list[Answer]) -> None:
    for kind in ("macro_f1", "critical_recall", "exact", "field_f1", "false_alarms"):
        assert measured(kind, answers) == {}
    assert measured("ndcg_at_5", answers, "ranking") == {}


def test_one_case_has_a_value_without_interval() -> None:
    found = measured("macro_f1", [answer("miete", "miete")])
    assert found == {"macro_f1": 1.0, "macro_f1.n": 1.0}


def test_named_measures_stand_beside_each_other() -> None:
    answers = [answer("miete", "miete"), answer("widerspruch", "miete")]
    found = indicators(
        answers,
        fields=[one_field("choice")],
        measures=[MeasureContent(kind="exact", fields=["f"]),
                  MeasureContent(kind="exact", fields=["f"], key="zweites")],
    )  # fmt: skip
    assert found["exact"] == found["zweites"] == 0.5
    assert (found["n_cases"], found["failure_share"]) == (2, 0)


def test_quality_of_one_case_averages_its_measures() -> None:
    measures = [MeasureContent(kind="exact", fields=["f"]),
                MeasureContent(kind="field_f1", fields=["f"]),
                MeasureContent(kind="macro_f1", fields=["f"])]  # fmt: skip
    found = case_quality(measures, [one_field("list")], answer(["a", "b"], ["a"]))
    assert found == pytest.approx((0 + 2 / 3) / 2)
    assert case_quality(measures, [one_field("list")], answer(None, ["a"])) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sie erhalten 1.234,50 €, also EUR 12 weniger.", {"1234.50", "12.00"}),
        ("563 Euro und 563,00 EUR sind dasselbe.", {"563.00"}),
        ("am 1.3.2026, bis zum 12. März", {"01.03.2026", "12.03."}),
        ("nach §§ 44a, 45 Abs. 2 und § 7 SGB II", {"§44a", "§45", "§7"}),
        ("30 % oder 30 Prozent oder 30 v. H.", {"30%"}),
        ("Zimmer 12, Telefon 0815", set()),
    ],
)
def test_figures_of_a_text_have_one_form(text: str, expected: set[str]) -> None:
    assert facts(text).all == expected


def test_changed_figures_are_named() -> None:
    missing, added = changed_facts("Bis 1.3.2026: 100 €.", "Bis 2.3.2026: 100 €, § 5.")
    assert (missing, added) == ({"01.03.2026"}, {"02.03.2026", "§5"})
