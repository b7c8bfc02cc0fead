"""A prohibited practice stops a scenario at once: nothing is recorded, taken over, rated or asked
any more until the gate is passed. Every way in asks here."""

from sqlmodel import Session, select

from reallabor.errors import WrongState
from reallabor.gates import load_gates
from reallabor.german import date
from reallabor.models import Scenario


def require_not_stopped(session: Session, scenario_id: int) -> None:
    """Raises WrongState with article and next step where the scenario is stopped. Waits for whoever
    is stopping it at this moment."""
    scenario = session.exec(
        select(Scenario)
        .where(Scenario.id == scenario_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one()
    if scenario.stopped_at is not None:
        raise WrongState(stop_sentence(scenario))


def require_slug_not_stopped(session: Session, slug: str) -> None:
    """The same by name, without waiting; a scenario that is not stored here is not stopped."""
    scenario = session.exec(select(Scenario).where(Scenario.slug == slug)).first()
    if scenario is not None and scenario.stopped_at is not None:
        raise WrongState(stop_sentence(scenario))


def stop_sentence(scenario: Scenario) -> str:
    """Since when and why a stopped scenario stands still, and what lifts it."""
    assert scenario.stopped_at is not None
    gate = load_gates().stopping
    return (
        f"Die Erprobung von '{scenario.title}' ist seit {date(scenario.stopped_at)} gestoppt: "
        f"Der Prüfpunkt '{gate.title}' ({gate.article}) ist verfehlt. Es wird nichts mehr "
        f"aufgezeichnet oder bewertet, bis {' oder '.join(gate.offices)} ihn auf der Seite "
        "Prüfpunkte als erfüllt festhält."
    )
