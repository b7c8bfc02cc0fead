"""What a scenario gives away: results, agreement and the released ratings under pseudonyms."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from reallabor.deciding.comparison import compare
from reallabor.deciding.published import agreement_json, comparison_json
from reallabor.errors import StorageFull
from reallabor.models import (
    Case,
    Criterion,
    Output,
    Rater,
    Rating,
    Remark,
    Round,
    TrialRun,
    Variant,
)
from reallabor.rating.agreement import round_agreement
from reallabor.rating.results import released_round
from reallabor.recording.catalogue import get_scenario

DEMO_NOTE = "Demodaten"
COLUMNS = ("case", "variant", "rater", "criterion", "level", "comment", "cluster", "remark", "note")


@dataclass(frozen=True)
class Export:
    """Everything of one scenario that may leave the house."""

    comparison: dict[str, Any]
    agreement: dict[str, Any]
    ratings: list[dict[str, Any]]
    """Rows with `COLUMNS`; the first seven are what `import-ratings` reads."""

    def as_json(self) -> dict[str, Any]:
        return {
            "note": DEMO_NOTE if self.comparison["demo"] else None,
            "scenario": self.comparison,
            "agreement": self.agreement["criteria"],
            "ratings": self.ratings,
        }


def export_scenario(session: Session, slug: str) -> Export:
    """The released state of a scenario; nothing of an open round is in it."""
    scenario = get_scenario(session, slug)
    comparison = comparison_json(compare(session, [slug])[0])
    round_ = released_round(session, scenario)
    agreement = round_agreement(session, round_) if round_ else {}
    return Export(
        comparison=comparison,
        agreement=agreement_json(slug, agreement),
        ratings=_ratings(session, round_) if round_ else [],
    )


def write_export(export: Export, folder: Path) -> list[Path]:
    """Write results.json and ratings.csv (UTF-8 with BOM and semicolons, as Excel expects)."""
    results, ratings = folder / "results.json", folder / "ratings.csv"
    summary = {key: value for key, value in export.as_json().items() if key != "ratings"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        results.write_text(
            json.dumps(summary, ensure_ascii=False, indent=2, allow_nan=False), encoding="utf-8"
        )
        with ratings.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, delimiter=";")
            writer.writeheader()
            writer.writerows({**row, "level": _exact(row["level"])} for row in export.ratings)
    except OSError as error:
        raise StorageFull(
            f"Der Export nach {folder} ist nicht gelungen ({error.strerror}). Bitte Platz und "
            "Rechte prüfen oder mit --output einen anderen Ordner nennen."
        ) from error
    return [results, ratings]


def _exact(level: float) -> str:
    """All digits, so that the file gives the same means when it is read in again."""
    return repr(level).removesuffix(".0")


def _ratings(session: Session, round_: Round) -> list[dict[str, Any]]:
    rows = session.exec(
        select(  # type: ignore[call-overload]
            Case.key,
            Variant.key,
            Rater.pseudonym,
            Criterion.key,
            Rating.level,
            Rating.comment,
            Case.cluster,
            Rating.output_id,
        )
        .select_from(Rating)
        .join(Rater, col(Rater.id) == Rating.rater_id)
        .join(Criterion, col(Criterion.id) == Rating.criterion_id)
        .join(Output, col(Output.id) == Rating.output_id)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .where(Rating.round_id == round_.id, col(Rating.superseded_at).is_(None))
        .order_by(Case.key, Variant.key, Rater.pseudonym, col(Criterion.position))
    ).all()
    remarks = {
        (pseudonym, output): text
        for pseudonym, output, text in session.exec(
            select(Rater.pseudonym, Remark.output_id, Remark.text)
            .join(Remark, col(Remark.rater_id) == Rater.id)
            .where(Rater.round_id == round_.id, col(Remark.superseded_at).is_(None))
        )
    }
    note = DEMO_NOTE if round_.demo else ""
    return [
        dict(zip(COLUMNS, (*row[:7], remarks.get((row[2], row[7])), note), strict=True))
        for row in rows
    ]
