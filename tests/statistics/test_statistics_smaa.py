"""SMAA-2 against the published data of the R package smaa and against a plain loop."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reallabor.statistics import InvalidData, rank_acceptability, smaa

HANSEN_CONFIDENCE = [0.1183, 0.5217, 0.986, 0.5188, 0.6458]


def r_array(path: Path) -> np.ndarray:
    """An array that R wrote with `dput`, columns first."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt") as file:
        text = file.read()
    numbers, shape = re.search(r"structure\(c\(([^)]*)\), \.Dim = c\(([^)]*)\)", text).groups()
    values = np.array([float(number) for number in numbers.split(",")])
    return values.reshape([int(n.strip(" L\n")) for n in shape.split(",")], order="F")


@pytest.fixture(scope="module")
def folder(worked_examples: dict[str, Any], worked_examples_folder: Path) -> Path:
    return worked_examples_folder / "smaa"


def by_loop(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank acceptabilities and pairwise winning, one draw after the other, with exact ties."""
    draws, a, _ = values.shape
    ranks, pairwise = np.zeros((a, a)), np.zeros((a, a))
    for value, weight in zip(values, weights, strict=True):
        total = np.round(value @ weight, 10)
        for i in range(a):
            ahead, equal = (total > total[i]).sum(), (total == total[i]).sum()
            ranks[i, ahead : ahead + equal] += 1 / equal
            pairwise[i] += (total[i] > total) + (total[i] == total) / 2
    return ranks / draws, pairwise / draws


def test_hansen_ranks_exactly_as_printed(folder: Path, worked_examples: dict[str, Any]) -> None:
    values, weights = (
        r_array(folder / "hansen-meas.txt.gz"),
        r_array(folder / "hansen-weights-ord.txt.gz"),
    )
    printed = r_array(folder / "hansen-ra-ord.txt")
    found = rank_acceptability(values, weights)
    assert values.shape == (10_000, 5, 6)
    assert np.round(found.ranks, 10).tolist() == printed.tolist()
    example = worked_examples["smaa"]["hansen_first_alternative_rank_acceptability"]
    assert np.round(found.ranks[0], 10).tolist() == example
    assert found.first.tolist() == found.ranks[:, 0].tolist()
    assert found.first_three == pytest.approx(printed[:, :3].sum(axis=1))


def test_hansen_central_weights_and_confidence(folder: Path) -> None:
    values, weights = (
        r_array(folder / "hansen-meas.txt.gz"),
        r_array(folder / "hansen-weights-ord.txt.gz"),
    )
    text = (folder / "hansen-cf-ord.txt").read_text()
    printed = re.search(r"cw = structure\(c\(([^)]*)\), \.Dim = c?\(?5:6", text).group(1)
    central = np.array([float(each) for each in printed.split(",")]).reshape((5, 6), order="F")
    found = rank_acceptability(values, weights)
    assert np.array(found.central) == pytest.approx(central, abs=1e-12)
    # The confidence factor is the share of draws in which the central weight makes it first.
    confidence = [
        rank_acceptability(values, weight).first[index]
        for index, weight in enumerate(found.central)
    ]
    assert np.round(confidence, 10).tolist() == HANSEN_CONFIDENCE


def test_thrombo_to_all_four_digits(folder: Path, worked_examples: dict[str, Any]) -> None:
    values = r_array(folder / "thrombo-meas.txt.gz")
    weights = r_array(folder / "thrombo-weights-nopref.txt.gz")
    example = worked_examples["smaa"]
    found = rank_acceptability(values, weights)
    assert np.round(found.first, 10).tolist() == example["thrombo_first_rank_acceptability"]
    assert found.pairwise[0, 1] == found.first[0]
    fixed = rank_acceptability(values, [0.5, 0.2, 0.3])
    expected = example["thrombo_fixed_weights_0.5_0.2_0.3_first_rank"]
    assert np.round(fixed.first, 10).tolist() == expected


@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("block", [7, 250_000])
def test_equals_plain_loop(levels: int | None, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three levels and equal weights nearly every draw has ties."""
    monkeypatch.setattr(smaa, "BLOCK_CELLS", block)
    rng = np.random.default_rng(5)
    values = rng.random((300, 7, 4))
    weights = rng.dirichlet(np.ones(4), 300)
    if levels:
        values = np.round(values * levels) / levels
        weights[:200] = 0.25
    ranks, pairwise = by_loop(values, weights)
    found = rank_acceptability(values, weights)
    assert found.ranks == pytest.approx(ranks, abs=1e-12)
    assert found.pairwise == pytest.approx(pairwise, abs=1e-12)
    assert found.ranks.sum(axis=0) == pytest.approx(np.ones(7))
    assert found.ranks.sum(axis=1) == pytest.approx(np.ones(7))
    assert (found.pairwise + found.pairwise.T == 1).all()
    again = rank_acceptability(values[:, ::-1], weights)
    assert again.ranks[::-1] == pytest.approx(ranks, abs=1e-12)


def test_more_than_255_alternatives() -> None:
    rng = np.random.default_rng(6)
    values = rng.permutation(300)[:, None] / 300
    found = rank_acceptability(values, np.ones((2, 1)))
    best_first = np.argsort(-values[:, 0])
    assert found.ranks[best_first].tolist() == np.eye(300).tolist()
    assert found.pairwise.sum(axis=1)[best_first].tolist() == [299.5 - i for i in range(300)]


def test_equal_alternatives_share_ranks_and_supporters() -> None:
    weights = np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])
    found = rank_acceptability([[1, 0], [0, 1], [1, 0], [0, 0]], weights)
    # Draw 1: three are equal; draw 2: the first and third; draw 3: the second alone.
    assert found.first == pytest.approx([(1 / 3 + 1 / 2) / 3, (1 / 3 + 1) / 3, 5 / 18, 0])
    assert found.first_three == pytest.approx([1, 1, 1, 0])
    assert found.pairwise[0].tolist() == pytest.approx([0.5, 0.5, 0.5, 1])
    assert found.central[0] == pytest.approx(
        (np.array([0.5, 0.5]) / 3 + np.array([0.9, 0.1]) / 2) / (5 / 6)
    )
    assert found.central[0].tolist() == found.central[2].tolist()
    assert found.central[3] is None


def test_sums_in_another_order_are_equal() -> None:
    """0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last bit."""
    values, weights = [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], np.full(3, 1 / 3)
    assert rank_acceptability(values, weights).ranks.tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_one_alternative_is_always_first() -> None:
    found = rank_acceptability([[0.4, 0.6]], [[0.5, 0.5], [0.2, 0.8]])
    assert found.ranks.tolist() == found.first_three[None].tolist() == [[1.0]]
    assert found.pairwise.tolist() == [[0.5]]
    assert found.central[0].tolist() == pytest.approx([0.35, 0.65])


@pytest.mark.parametrize(
    ("values", "weights", "sentence"),
    [
        ([[0.1, 0.2]], [[0.5, 0.3, 0.2]], "2 Kriterien, die Gewichte 3"),
        ([[0.1, np.nan]], [[0.5, 0.5]], "keine endliche Zahl"),
        ([[0.1, 0.2]], [[1.5, -0.5]], "keine Zahl ab 0"),
        ([[0.1, 0.2]], [[0.5, 0.4]], "nicht 1"),
        ([[0.1, 0.2]], [[np.nan, 0.4]], "keine Zahl ab 0"),
        (np.zeros((3, 2, 2)), np.full((2, 2), 0.5), "3 Ziehungen der Werte und 2"),
        (np.zeros((0, 2)), [[0.5, 0.5]], "mindestens einem Eintrag"),
    ],
)
def test_what_does_not_fit_is_refused(values: Any, weights: Any, sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        rank_acceptability(values, weights)
