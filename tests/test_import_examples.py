"""Published data sets give their published figures."""

import csv
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from building import Call
from imports import HEADER, write
from scipy import stats


@pytest.fixture(scope="session")
def examples(shared_data: Path) -> Any:
    return json.loads((shared_data / "worked_examples.json").read_text("utf-8"))


def test_canonical_example_gives_published_agreement(
    tmp_path: Path, platform_url: str, examples: Any, call: Callable[..., Call]
) -> None:
    example = examples["krippendorff_canonical"]
    rows = "".join(
        f"u{unit:02d},v,r{rater},K,{level},,\n"
        for rater, levels in enumerate(example["ratings_by_rater"])
        for unit, level in enumerate(levels)
        if level is not None
    )
    done = call("import-ratings", "kanon", write(tmp_path, rows), "--create", "--scale", "1:5")
    assert done.code == 0, done.err
    figures = call("agreement", "kanon", "--json").json["criteria"]["K"]
    for kind in ("nominal", "ordinal", "interval"):
        assert figures["alpha"][kind] == pytest.approx(example["alpha"][kind], abs=1e-6)
    published = example["gwet"]["quadratic"]["coefficient"]
    assert figures["ac2"] == pytest.approx(published, abs=5e-4)
    assert (figures["units"], figures["raters"], figures["ratings"]) == (12, 4, 41)
    assert figures["alpha_interval"] is None
    assert "nicht belastbar" in figures["alpha_interval_reason"]


def test_wmt_example_gives_published_means(
    tmp_path: Path, platform_url: str, shared_data: Path, examples: Any,
    call: Callable[..., Call],
) -> None:  # fmt: skip
    example = examples["wmt21_ted_en_de"]
    penalties: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    file = tmp_path / "wmt.csv"
    source = shared_data / "wmt_mqm" / "ted_ende_scores_long.csv"
    with source.open(encoding="utf-8") as rows, file.open("w", encoding="utf-8") as target:
        target.write(HEADER)
        for row in csv.DictReader(rows):
            case = f"{row['doc']}/{row['seg_id']}"
            target.write(f"{case},{row['system']},{row['rater']},MQM,{row['MQM']},,{row['doc']}\n")
            penalties[row["system"]][row["doc"], row["seg_id"]] = float(row["MQM"])
    done = call("import-ratings", "wmt", file, "--create", "--lower-is-better", "--json")
    assert done.code == 0, done.err

    (scenario,) = call("compare", "wmt", "--json").json["scenarios"]
    assert scenario["n_cases"] == example["segments"]
    variants = {variant["variant"]: variant for variant in scenario["variants"]}
    assert len(variants) == example["systems"]
    for system, mean in example["mean_penalty"].items():
        assert round(variants[system]["criteria"]["MQM"]["mean"], 2) == mean
    for system, variant in variants.items():
        figure, values = variant["criteria"]["MQM"], penalties[system]
        mean = statistics.fmean(values.values())
        sums: dict[str, float] = defaultdict(float)
        sizes: dict[str, int] = defaultdict(int)
        for (doc, _), value in values.items():
            sums[doc] += value - mean
            sizes[doc] += 1
        clusters, n = len(sums), len(values)
        variance = clusters / (clusters - 1) * sum(s * s for s in sums.values()) / n**2
        equal_sized = n**2 / sum(size * size for size in sizes.values())
        reach = stats.t.ppf(0.975, equal_sized - 1) * math.sqrt(variance)
        assert (figure["n"], figure["mean"]) == (n, pytest.approx(mean))
        assert figure["interval"] == pytest.approx([mean - reach, mean + reach])
        assert figure["interval_method"] == "t-cluster"
        assert variant["score"] is None
        assert "Skala" in variant["score_reason"]

    figures = call("agreement", "wmt", "--json").json["criteria"]["MQM"]
    assert figures["alpha"] == {"nominal": None, "ordinal": None, "interval": None}
    for key in ("alpha_interval", "ac2", "raw_agreement"):
        assert figures[key] is None
    for key in ("alpha_reason", "alpha_interval_reason", "ac2_reason", "raw_agreement_reason"):
        assert figures[key].strip()
