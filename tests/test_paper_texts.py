"""What Beschlussvorlage and Beschluss say, section by section."""

import json
import re
from typing import Any

import papers
import pytest
from papers import VARIETY, model, pages, section

from reallabor.errors import UnusableEvidence
from reallabor.sharing.papers import (
    decision_pdf,
    file_name,
    proposal_pdf,
)
from reallabor.sharing.papers.blocks import Facts, Items


def test_secret_vote_shows_counts_only() -> None:
    evidence, sha256 = VARIETY["secret"]()
    (table, note) = section(model(evidence, sha256), "Abstimmung")
    assert '["2", "Nachbessern", "geheim", "3", "1", "0", "angenommen"]' in table
    assert "geheim abgestimmt" in note
    assert "Yılmaz" not in table + note
    assert "nicht beschlussfähig" in section(model(evidence, sha256), "Sitzung")[0]


def test_open_vote_names_who_voted_how() -> None:
    votes = "".join(section(model(*papers.frozen()), "Abstimmung"))
    assert '["Ayşe Yılmaz", "nein"], ["Dr. Jörg Übelhör-Weiß", "ja"]' in votes


@pytest.mark.parametrize("secret", [False, True])
def test_vote_on_call_is_said(secret: bool) -> None:
    evidence, sha256 = papers.frozen()
    motion = evidence["meeting"]["motions"][-1]
    motion["secret"], motion["on_call"] = secret, 1
    if secret:
        motion["votes"] = None
        said = "1 Person hat dafür das Gerät der Organisation benutzt."
    else:
        motion["votes"] = [{"name": "Ayşe Yılmaz", "choice": "nein", "on_call": True}]
        said = '["Ayşe Yılmaz", "nein (auf Zuruf)"]'
    assert said in "".join(section(model(evidence, sha256), "Abstimmung"))


def test_missed_gate_stands_before_the_table() -> None:
    note, table = section(model(*VARIETY["missed gate"]()), "Prüfpunkte")
    assert "Verfehlt: Datenschutz verfehlt." in note
    assert '"verfehlt, geprüft am 03.11.2026"' in table


def test_departure_from_suggestion_is_explained() -> None:
    told = "".join(section(model(*VARIETY["all ready"]()), "Begründung"))
    assert "„Nachbessern“ vorgeschlagen" in told
    assert "mündlich zugestimmt" in told
    followed = section(model(*papers.frozen()), "Begründung")
    assert len(followed) == 1


def test_verdict_comes_before_everything_else() -> None:
    paper = model(*papers.frozen())
    assert paper.as_json()["blocks"][0] == {
        "kind": "verdict", "label": "Der Lenkungskreis hat beschlossen", "text": "Nachbessern",
    }  # fmt: skip
    facts = next(each for each in paper.blocks if isinstance(each, Facts))
    assert ("Ersetzt", "Beschluss 7 vom 21.05.2026: Zurückstellen") in facts.rows
    assert ("Wiedervorlage am", "18.03.2027") in facts.rows


def test_conditions_name_owner_and_due_date() -> None:
    (table, review) = section(model(*papers.frozen()), "Wiedervorlage")
    assert '"Jobcenter Neue Wege", "31.01.2027"' in table
    assert "18.03.2027" in review


def test_proposal_offers_four_verdicts_unticked() -> None:
    (options, _) = section(model(papers.evidence()), "Möglichkeiten")
    names = ["Weiterentwickeln", "Nachbessern", "Zurückstellen", "Beenden"]
    assert [name for name, _ in json.loads(options)["rows"]] == names
    text = "".join(pages(proposal_pdf(papers.evidence())))
    assert text.count("\u2610") == 4
    assert not re.search("[\u2611\u2612]", text)


def test_readiness_lists_every_missing_point() -> None:
    paper = model(papers.evidence())
    (items,) = (each for each in paper.blocks if isinstance(each, Items) and "offen" in str(each))
    assert items.texts == papers.evidence()["readiness"]["missing"]


def ranked(**more: Any) -> str:
    """What a decision says of its ranking; `more` are keys of the ranking."""
    kept = papers.evidence()["ranking"]
    evidence, sha256 = papers.frozen(ranking={**kept, **more})
    return "".join(section(model(evidence, sha256), "Rangfolge im Vergleich"))


def test_ranking_says_what_was_drawn() -> None:
    kept = papers.evidence()["ranking"]
    first, second = kept["rows"]
    told = ranked(rows=[
        {**first, "missing": [], "undetermined": []},
        {**second, "missing": ["staff", "effort"], "undetermined": ["benefit"]},
    ])  # fmt: skip
    assert (
        "„Posteingang zuordnen“ ohne Angabe zu: Beschäftigte, Aufwand; ohne 95-%-Bereich: Nutzen."
    ) in told
    assert "ist über die ganze Skala gezogen" in told
    assert "„Bürger-Chatbot zum SGB II“ ohne" not in told


def test_ranking_names_who_is_left_out_by_title() -> None:
    left_out = ["vermerk", "buerger-chatbot", "alt"]
    titles = {"vermerk": "Gesprächsvermerk"}
    told = ranked(not_ranked=left_out, not_ranked_titles=titles)
    assert (
        "Nicht in der Rangfolge, weil noch keine Ergebnisse vorliegen: „Gesprächsvermerk“, "
        "„Bürger-Chatbot zum SGB II“, „alt“."
    ) in told  # an older record has no titles but that of its own scenario
    assert "Nicht in der Rangfolge" not in ranked(not_ranked=[], not_ranked_titles={})


def test_old_ranking_is_printed_without_what_it_does_not_say() -> None:
    told = ranked()
    assert "Posteingang zuordnen" in told
    assert "ohne Angabe" not in told
    assert "ganze Skala" not in told
    assert "Nicht in der Rangfolge" not in told


def test_annex_says_how_to_verify() -> None:
    evidence, sha256 = papers.frozen()
    annex = "".join(section(model(evidence, sha256), "Nachweis"))
    assert "reallabor verify-decision 12" in annex
    for digest in (sha256, evidence["data_sha256"], *evidence["runs"]):
        assert digest in annex


def test_old_evidence_needs_the_resolution() -> None:
    evidence, sha256 = papers.old()
    with pytest.raises(UnusableEvidence, match="Beschluss 3 steht nicht"):
        decision_pdf(evidence, number=3, sha256=sha256)
    with pytest.raises(UnusableEvidence, match="keine Beschlussvorlage"):
        proposal_pdf(evidence)


def test_file_names_hold_number_and_scenario() -> None:
    evidence, _ = papers.frozen()
    assert file_name(evidence, number=12) == "Beschluss-12-buerger-chatbot.pdf"
    assert file_name(evidence, suffix="docx") == "Beschlussvorlage-buerger-chatbot.docx"
    assert file_name(papers.old()[0], number=3) == "Beschluss-3-buerger-chatbot.pdf"
    evidence["scenario"]["slug"] = '../../etc/p"a\r\nsswd'
    assert file_name(evidence, number=12) == "Beschluss-12-etc-p-a-sswd.pdf"
