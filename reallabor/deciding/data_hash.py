"""The data behind a round in one hash: what people judged, and by their hashes the outputs they
judged. It needs no text, so that the deletion of texts does not change it."""

from sqlmodel import Session, col, select

from reallabor.content import digest
from reallabor.models import (
    Adjudication,
    Case,
    Criterion,
    Output,
    Rater,
    Rating,
    Remark,
    Round,
    RoundRun,
    TrialRun,
    Variant,
)


def round_data_sha256(session: Session, round_: Round) -> str:
    """SHA-256 over the current ratings, adjudications and rework times of a round and the content
    hashes of all outputs of its runs, as sorted rows: variant, run, case, version of the case, and
    then criterion, pseudonym and level; or criterion and level; or pseudonym and minutes; or the
    output's hash."""
    place = (Variant.key, TrialRun.id, Case.key, Case.version)
    outputs = (
        select(*place, Output.id, Output.content_sha256)  # type: ignore[call-overload]
        .select_from(Output)
        .join(Case, col(Case.id) == Output.case_id)
        .join(TrialRun, col(TrialRun.id) == Output.run_id)
        .join(Variant, col(Variant.id) == TrialRun.variant_id)
        .join(RoundRun, col(RoundRun.run_id) == TrialRun.id)
        .where(RoundRun.round_id == round_.id)
    )
    places, hashes = {}, []
    for *where, output_id, sha256 in session.exec(outputs).all():
        places[output_id] = where
        hashes.append([*where, sha256])
    criteria = dict(
        session.exec(
            select(Criterion.id, Criterion.key).where(Criterion.rubric_id == round_.rubric_id)
        ).all()
    )
    raters = dict(
        session.exec(select(Rater.id, Rater.pseudonym).where(Rater.round_id == round_.id)).all()
    )
    ratings = session.exec(
        select(Rating.output_id, Rating.criterion_id, Rating.rater_id, Rating.level).where(
            Rating.round_id == round_.id, col(Rating.superseded_at).is_(None)
        )
    ).all()
    adjudications = session.exec(
        select(Adjudication.output_id, Adjudication.criterion_id, Adjudication.level).where(
            Adjudication.round_id == round_.id, col(Adjudication.superseded_at).is_(None)
        )
    ).all()
    remarks = session.exec(
        select(Remark.output_id, Remark.rater_id, Remark.rework_minutes)
        .where(
            col(Remark.rater_id).in_(select(Rater.id).where(Rater.round_id == round_.id)),
            col(Remark.superseded_at).is_(None),
            col(Remark.rework_minutes).is_not(None),
        )
    ).all()  # fmt: skip
    return digest(
        {
            "outputs": sorted(hashes),
            "ratings": sorted(
                [*places[output], criteria[criterion], raters[rater], float(level)]
                for output, criterion, rater, level in ratings
            ),
            "adjudications": sorted(
                [*places[output], criteria[criterion], float(level)]
                for output, criterion, level in adjudications
            ),
            "rework": sorted(
                [*places[output], raters[rater], minutes] for output, rater, minutes in remarks
            ),
        }
    )
