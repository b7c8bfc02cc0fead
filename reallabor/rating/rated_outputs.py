"""Which outputs a file of ratings is about, and the runs that they are from."""

from sqlalchemy import insert
from sqlmodel import Session, col, select

from reallabor.errors import InvalidRatings, UnknownObject, WrongState
from reallabor.models import Case, Organisation, Origin, Output, Scenario, TrialRun, Variant, row_id
from reallabor.rating.drafting import newest_runs
from reallabor.rating.rating_file import RatingFile, RatingRow


def rated_outputs(
    session: Session, scenario: Scenario, file: RatingFile, organisation: str | None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Run id and output id of every (variant, case) that the file names. Outputs of a scenario that
    came from files are made where they are missing; those of others must be recorded. Raises
    InvalidRatings with the row, and UnknownObject and WrongState where no run fits."""
    runs = _runs(session, scenario, organisation)
    current = select(Case.key, Case.id, Case.cluster).where(
        Case.scenario_id == scenario.id, Case.current
    )
    rows = session.exec(current).all()
    cases = {key: case_id for key, case_id, _ in rows}
    clusters = {key: cluster for key, _, cluster in rows}
    wanted: dict[tuple[str, str], RatingRow] = {}
    for row in file.rows:
        wanted.setdefault((row.variant, row.case), row)
    for row in wanted.values():
        if row.variant not in runs:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte variant: Zu '{row.variant}' gibt es in "
                f"'{scenario.slug}' keinen Durchlauf; vorhanden: {', '.join(runs) or 'keiner'}."
            )
        if row.case not in cases:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte case: Den Fall '{row.case}' gibt es in "
                f"'{scenario.slug}' nicht."
            )
        if row.cluster is not None and row.cluster != clusters[row.case]:
            raise InvalidRatings(
                f"{file.path}, Zeile {row.line}, Spalte cluster: Der Fall '{row.case}' gehört "
                f"hier zu '{clusters[row.case] or '(keiner Gruppe)'}', nicht zu '{row.cluster}'."
            )
    stored = _stored_outputs(session, runs)
    missing = [key for key in wanted if (runs[key[0]], cases[key[1]]) not in stored]
    if missing and scenario.origin != Origin.IMPORTED:
        row = wanted[missing[0]]
        raise InvalidRatings(
            f"{file.path}, Zeile {row.line}: Zu Fall '{row.case}' hat die Variante '{row.variant}' "
            "in ihrem neuesten Durchlauf keine Ausgabe."
        )
    if missing:
        session.exec(
            insert(Output),
            params=[
                {"run_id": runs[variant], "case_id": cases[case], "details": {},
                 "content_sha256": ""}
                for variant, case in missing
            ],
        )  # fmt: skip
        stored = _stored_outputs(session, runs)
    return {key: (runs[key[0]], stored[runs[key[0]], row_id(cases[key[1]])]) for key in wanted}


def _runs(session: Session, scenario: Scenario, organisation: str | None) -> dict[str, int]:
    """The run of each variant that ratings from outside belong to."""
    titles = dict(
        session.exec(
            select(Variant.id, Variant.key).where(Variant.scenario_id == scenario.id)
        ).all()
    )
    houses = dict(session.exec(select(Organisation.id, Organisation.name)).all())
    found: dict[str, int] = {}
    for run in newest_runs(session, scenario, with_outputs=False):
        _refuse_demo(run, scenario)
        if organisation is not None and houses.get(run.organisation_id) != organisation:
            continue
        key = titles[run.variant_id]
        if key in found:
            raise WrongState(
                f"Die Variante '{key}' wurde in mehreren Organisationen erprobt; bitte mit "
                "--organisation angeben, zu welcher die Bewertungen gehören."
            )
        found[key] = row_id(run.id)
    if organisation is not None and not found:
        raise UnknownObject(
            f"Zu '{scenario.slug}' gibt es keinen Durchlauf der Organisation '{organisation}'."
        )
    return found


def _refuse_demo(run: TrialRun, scenario: Scenario) -> None:
    if run.demo:
        raise WrongState(
            f"Zu '{scenario.slug}' gibt es bisher nur Demodaten; mit ihnen werden echte "
            f"Bewertungen nicht vermischt. Bitte zuerst `reallabor run {scenario.slug}` ausführen."
        )


def _stored_outputs(session: Session, runs: dict[str, int]) -> dict[tuple[int, int], int]:
    rows = session.exec(
        select(Output.run_id, Output.case_id, Output.id).where(
            col(Output.run_id).in_(list(runs.values()))
        )
    ).all()
    return {(run, case): row_id(output) for run, case, output in rows}
