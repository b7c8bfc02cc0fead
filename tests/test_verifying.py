"""Recomputing a decision: what was frozen comes out again, or it is said what does not."""

import json
from collections.abc import Callable

import pytest
from building import Call, Trial
from meeting import ORGANISER, Gathering, flag, named, verify
from sqlalchemy import text
from sqlmodel import col, select

from reallabor.content import digest
from reallabor.database import reading, transaction
from reallabor.deciding.verifying import DecisionReport, FigureCheck
from reallabor.models import Condition, Decision, row_id


def test_changed_rating_is_found(released: Trial, call: Callable[..., Call]) -> None:
    key = flag(released.slug)
    assert verify(key).holds
    with transaction() as session:
        session.connection().execute(
            text("UPDATE rating SET level = 1 WHERE id = (SELECT min(id) FROM rating)")
        )
    report = verify(key)
    assert not report.holds
    assert any("Prüfsumme der Daten" in each for each in report.faults)
    assert any(each.words.startswith("Punktwert (") and " statt 75" in each.words
               for each in report.figures if not each.same)  # fmt: skip
    done = call("verify-decision", key)
    assert done.code == 1
    assert "statt 75" in done.err
    verdict, kept, *_ = done.out.splitlines()
    assert verdict.startswith("Der Beschluss hält nicht: Nachbessern zu ")
    same = sum(each.same for each in report.figures)
    assert 0 < same < len(report.figures)
    assert kept == (
        f"{same} von {len(report.figures)} Zahlen kommen wieder heraus, "
        f"{len(report.figures) - same} nicht."
    )


VARIANT = (
    " WHERE output_id IN (SELECT output.id FROM output JOIN trial_run ON trial_run.id ="
    " output.run_id JOIN variant ON variant.id = trial_run.variant_id WHERE variant.key = :key)"
)
"""The ratings of one variant."""


def change(statement: str, **values: object) -> None:
    """By hand in the database."""
    with transaction() as session:
        session.connection().execute(text(statement), values)


@pytest.mark.parametrize("key", ["eins", "zwei"])
def test_variants_of_one_title_are_kept_apart(released: Trial, key: str) -> None:
    change("UPDATE variant SET title = 'Gleich' WHERE key IN ('eins', 'zwei')")
    decision = flag(released.slug)
    assert verify(decision).holds
    change("UPDATE rating SET level = 1" + VARIANT, key=key)
    different = [each.words for each in verify(decision).figures if not each.same]
    assert f"Punktwert (Gleich, {key}) 0 statt 75" in different
    assert all(f"Gleich, {key}" in each for each in different if "Gleich" in each), different


def test_variants_of_one_title_raise_no_false_alarm(released: Trial) -> None:
    change("UPDATE variant SET title = 'Gleich' WHERE key IN ('eins', 'zwei')")
    change("UPDATE rating SET level = 2" + VARIANT, key="eins")
    report = verify(flag(released.slug))
    assert report.holds, [each.words for each in report.figures if not each.same]


def test_changed_weight_is_found(released: Trial) -> None:
    with transaction() as session:  # other levels, so that weights matter
        session.connection().execute(
            text("UPDATE rating SET level = 2 WHERE criterion_id = (SELECT min(id) FROM criterion"
                 " WHERE rubric_id = (SELECT rubric_id FROM rating_round))")
        )  # fmt: skip
    key = flag(released.slug)
    with transaction() as session:
        session.connection().execute(
            text(
                "UPDATE criterion SET weight = weight + 50 WHERE id IN"
                " (SELECT min(criterion_id) FROM rating)"
            )
        )
    report = verify(key)
    assert not report.faults
    assert not report.holds


def test_deleted_texts_change_nothing(released: Trial) -> None:
    """Retention takes texts, comments and passages; levels and hashes stay."""
    key = flag(released.slug)
    with transaction() as session:
        connection = session.connection()
        connection.execute(text("UPDATE output SET text = NULL, details = '{}'"))
        connection.execute(text("UPDATE rating SET comment = NULL"))
        connection.execute(text("UPDATE rater SET name_key = 'destroyed' || id, person_id = NULL"))
        connection.execute(text("UPDATE trial_case SET input = NULL, reference = ''"))
    assert verify(key).holds


def test_edited_decision_is_found(released: Trial, call: Callable[..., Call]) -> None:
    key = flag(released.slug)
    with transaction() as session:
        session.connection().execute(text("UPDATE decision SET reason = 'Anders'"))
    report = verify(key)
    fault = "'Begründung' ist nicht mehr so, wie es in den Belegen steht."
    assert fault in report.faults
    done = call("verify-decision", key)
    verdict, kept, checksum = done.out.splitlines()
    assert (done.code, fault in done.err.splitlines()) == (1, True)
    assert verdict.startswith("Der Beschluss hält nicht: ")
    assert kept == f"An den Zahlen liegt es nicht: Alle {len(report.figures)} kommen wieder heraus."
    assert checksum == f"Prüfsumme der Belege: {report.evidence_sha256}"


def test_later_round_does_not_disturb(released: Trial) -> None:
    from building import rate_all

    from reallabor.rating.rounds import open_round, release_round

    key = flag(released.slug)
    with transaction() as session:
        organiser = named(session, ORGANISER)
        round_ = open_round(session, released.slug, actor=organiser)
        rate_all(session, round_, named(session, "Anna Bewertung"), 1)
        release_round(session, row_id(round_.id), actor=organiser)
    assert verify(key).holds


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ("UPDATE variant SET title = title || ' (neu)'", ""),
        ("UPDATE variant SET candidate = NOT candidate", ""),
        ("UPDATE organisation SET name = name || ' (neu)'", "unter diesem Namen nicht mehr"),
        ("UPDATE scenario SET content_sha256 = 'neu', content = '{}'", "Steckbrief wurde seit"),
    ],
)
def test_what_is_no_data_of_the_round_may_change(released: Trial, change: str, remark: str) -> None:
    with transaction() as session:  # so that there are minutes saved, by a candidate named late
        session.connection().execute(text("UPDATE rating_round SET candidate_id = NULL"))
        session.connection().execute(
            text("INSERT INTO remark (rater_id, output_id, text, passages, rework_minutes,"
                 " submission, created_at) SELECT rater_id, output_id, '', '[]', output_id,"
                 " 's' || output_id, max(created_at) FROM rating GROUP BY rater_id, output_id")
        )  # fmt: skip
    key = flag(released.slug)
    with transaction() as session:
        session.connection().execute(text(change))
    report = verify(key)
    assert report.holds, [each.words for each in report.figures if not each.same]
    assert remark in str(report.remarks)


def test_run_of_another_house_is_found(released: Trial) -> None:
    key = flag(released.slug)
    with transaction() as session:
        session.connection().execute(
            text("UPDATE trial_run SET organisation_id = (SELECT min(id) FROM organisation"
                 " WHERE id NOT IN (SELECT organisation_id FROM trial_run))")
        )  # fmt: skip
    assert not verify(key).holds


def test_first_format_is_recomputed(released: Trial, call: Callable[..., Call]) -> None:
    key = flag(released.slug)
    with transaction() as session:
        decision = session.get_one(Decision, key)
        old = {name: decision.evidence[name] for name in ("comparison", "runs")}
        old["comparison"] = {**old["comparison"], "decision": None}
        old["scenario_sha256"] = "s"
        session.connection().execute(
            text("UPDATE decision SET evidence = :new, evidence_sha256 = :sha"),
            {"new": json.dumps(old), "sha": digest(old)},
        )
    report = verify(key)
    assert report.figures
    assert all(each.same for each in report.figures)
    assert any("ersten Formats" in each for each in report.remarks)
    assert any("andere Prüfsumme" in each for each in report.faults)  # the entry tells


def test_decision_without_results_says_so(
    trial: Trial, platform_url: str, call: Callable[..., Call]
) -> None:
    from reallabor.recording.catalogue import load_shipped

    with transaction() as session:
        load_shipped(session)
        import building

        building.add_staff(session)
    key = flag(trial.slug, "Zurückstellen")
    report = verify(key)
    assert report.holds
    assert any("nachzurechnen ist nichts" in each for each in report.remarks)
    said = call("verify-decision", key).out
    assert said.startswith("Der Beschluss hält: Zurückstellen zu ")
    assert "Zahlen kommen" not in said


@pytest.mark.parametrize(
    ("same", "different", "faults", "words"),
    [
        (143, 0, 0, "Alle 143 Zahlen kommen wieder heraus."),
        (0, 0, 0, ""),
        (143, 0, 1, "An den Zahlen liegt es nicht: Alle 143 kommen wieder heraus."),
        (0, 0, 1, ""),
        (141, 2, 0, "141 von 143 Zahlen kommen wieder heraus, 2 nicht."),
        (1, 2, 1, "1 von 3 Zahlen kommt wieder heraus, 2 nicht."),
        (0, 3, 1, "Keine von 3 Zahlen kommt wieder heraus."),
    ],
)
def test_figures_and_verdict_fit_together(
    same: int, different: int, faults: int, words: str
) -> None:
    figures = [FigureCheck("Zahl", 1, 1, True)] * same
    figures += [FigureCheck("Zahl", 1, 2, False)] * different
    report = DecisionReport(1, "s", "Beenden", "2026-01-01", "f", figures, ["Fehler"] * faults, [])
    assert report.holds is not bool(different or faults)
    assert report.figures_words == words


# --- command line -------------------------------------------------------------------------------


def test_decide_command_speaks_for_a_meeting(
    adopted: Gathering, call: Callable[..., Call]
) -> None:  # fmt: skip
    arguments = ["decide", adopted.slug, "--verdict", "Nachbessern", "--reason", "G", "--name", "N",
                 "--meeting", adopted.meeting_id]  # fmt: skip
    assert "weicht vom Vorschlag" in call(*arguments).err
    arguments += ["--departure", "Wir wissen genug", "--dissent", "Zwei dagegen",
                  "--condition", "Schulen|Olga|2099-03-31", "--condition", "Prüfen|Paul|31.12.2098",
                  "--review-on", "2099-06-30"]  # fmt: skip
    done = call(*arguments, "--json")
    key = done.json["id"]
    with reading() as session:
        decision = session.get_one(Decision, key)
        rows = session.exec(select(Condition).order_by(col(Condition.position))).all()
    assert decision.evidence["meeting"]["title"] == "7. Sitzung"
    assert [(each.owner, each.due_on.isoformat()) for each in rows] == [
        ("Olga", "2099-03-31"), ("Paul", "2098-12-31"),
    ]  # fmt: skip
    assert decision.dissent == "Zwei dagegen"
    (found,) = call("meetings", "--json").json["meetings"]
    assert (found["items"][0]["state"], found["items"][0]["decision"]) == (
        "beschlossen: Nachbessern", key,
    )  # fmt: skip
    assert "7. Sitzung" in call("meetings").out
    verified = call("verify-decision", key)
    assert (verified.code, verified.err) == (0, "")
    assert verified.out.startswith("Der Beschluss hält: Nachbessern zu ")
    assert "Zahlen kommen wieder heraus.\n" in verified.out
    assert call("verify-decision", key, "--json").json["holds"] is True
    assert call("verify-audit", "--json").json["whole"] is True
    assert "In Ordnung" in call("verify-audit").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--condition", "nur Text"], "erwartet wird 'Text|Wer|2027-03-31'"),
        (["--condition", "Text|Wer|bald"], "'bald' ist kein Datum"),
        (["--review-on", "2027-13-01"], "'2027-13-01' ist kein Datum"),
        (["--meeting", "77"], "Eine Sitzung Nr. 77 gibt es hier nicht"),
    ],
)
def test_wrong_options_are_sentences(
    released: Trial, call: Callable[..., Call], arguments: list[str], sentence: str
) -> None:
    done = call("decide", released.slug, "--verdict", "Beenden", "--reason", "G", "--name", "N",
                *arguments)  # fmt: skip
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert "Einen Beschluss Nr. 5 gibt es hier nicht" in call("verify-decision", "5").err
