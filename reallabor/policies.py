"""Who may do what: one predicate per action, and the sentence of its refusal."""

from collections.abc import Callable, Sequence

from reallabor.errors import NotAllowed
from reallabor.models import Person, Role

Policy = Callable[[Person], bool]


def _has(*roles: Role) -> Policy:
    wanted = {role.value for role in roles}

    def allowed(person: Person) -> bool:
        return person.active and bool(wanted & set(person.roles))

    return allowed


may_record = _has(Role.PILOT, Role.ORGANISER)
may_rate = _has(Role.EVALUATOR)
may_open_round = _has(Role.ORGANISER)
may_release = _has(Role.ORGANISER)
may_adjudicate = _has(Role.ORGANISER)
may_edit_rubrics = _has(Role.ORGANISER)
may_judge = _has(Role.ORGANISER)
may_import_ratings = _has(Role.ORGANISER, Role.PILOT)
may_decide = _has(Role.STEERING)
may_vote = _has(Role.STEERING)
may_run_meetings = _has(Role.ORGANISER)
may_confirm = _has(Role.STEERING, Role.ORGANISER)
may_save_profiles = _has(Role.STEERING, Role.ORGANISER)
may_learn = _has(*Role)
may_survey = _has(Role.ORGANISER, Role.PILOT)
may_check_evidence = _has(*Role)
may_fill_worksheets = _has(
    Role.PILOT, Role.ORGANISER,
    Role.DATA_PROTECTION, Role.STAFF_COUNCIL, Role.SECURITY, Role.SUBJECT,
)  # fmt: skip

OFFICES = {
    "DSB": Role.DATA_PROTECTION,
    "Personalrat": Role.STAFF_COUNCIL,
    "ISB": Role.SECURITY,
    "Fachseite": Role.SUBJECT,
}
"""The offices of `gates.yaml`, and the role of those who hold them."""


def may_read_voices(person: Person) -> bool:
    """Everybody who is logged in; small numbers are hidden from all."""
    return person.active


_WHO = {
    may_record: "Durchläufe einbringen und Szenarien anlegen können nur Pilotteams und die "
    "Organisation",
    may_rate: "Bewerten können nur Bewertende",
    may_open_round: "Eine Bewertungsrunde öffnen kann nur die Organisation des Reallabors",
    may_adjudicate: "Strittige Bewertungen klären kann nur die Organisation des Reallabors",
    may_edit_rubrics: "Ein Bewertungsraster neu fassen kann nur die Organisation des Reallabors",
    may_import_ratings: "Bewertungen einlesen können nur Pilotteams und die Organisation",
    may_decide: "Beschließen können nur Mitglieder des Lenkungskreises",
    may_vote: "Abstimmen können nur Mitglieder des Lenkungskreises",
    may_run_meetings: "Sitzungen planen und leiten kann nur die Organisation des Reallabors",
    may_confirm: "Einen Beschluss der Sitzung bestätigen können nur der Lenkungskreis und die "
    "Organisation des Reallabors",
    may_save_profiles: "Gewichtsprofile speichern und zurückziehen können nur der Lenkungskreis "
    "und die Organisation des Reallabors",
    may_learn: "Lernen und sich kalibrieren können nur Menschen mit einer Aufgabe im Reallabor",
    may_survey: "Befragen und Papierbögen eingeben können nur Pilotteams und die Organisation",
    may_read_voices: "Rückmeldungen lesen können nur aktive Personen des Reallabors",
    may_fill_worksheets: "Arbeitsblätter ausfüllen können nur Pilotteams, die Organisation und die "
    "prüfenden Stellen",
    may_check_evidence: "Nachweise prüfen können nur Menschen mit einer Aufgabe im Reallabor",
    may_release: "Ergebnisse freigeben kann nur die Organisation des Reallabors",
    may_judge: "Ein Sprachmodell mitbewerten lassen kann nur die Organisation des Reallabors",
}


def require_own_run(person: Person, organisation_id: int | None) -> None:
    """Raises NotAllowed where a pilot team would change the run of another house; the organisation
    of the Reallabor may change any."""
    if Role.ORGANISER.value in person.roles or organisation_id in (None, person.organisation_id):
        return
    raise NotAllowed(
        f"Der Durchlauf gehört einer anderen Organisation; '{person.name}' kann ihn nicht ändern. "
        "Bitte das Pilotteam dort oder die Organisation des Reallabors fragen."
    )


def offices_of(person: Person) -> list[str]:
    """The offices that the person holds."""
    held = set(person.roles) if person.active else set()
    return [office for office, role in OFFICES.items() if role.value in held]


def require_office(person: Person, office: str, allowed: Sequence[str], gate: str) -> None:
    """Raises NotAllowed where the gate is not for this office, or the person does not hold it."""
    if office not in allowed:
        raise NotAllowed(
            f"Den Prüfpunkt '{gate}' bestätigt {' oder '.join(allowed)}, nicht '{office}'."
        )
    if office not in offices_of(person):
        raise NotAllowed(
            f"Den Prüfpunkt '{gate}' bestätigt {' oder '.join(allowed)}; '{person.name}' hat "
            "diese Aufgabe nicht."
        )


def require(policy: Policy, person: Person) -> None:
    """Raises NotAllowed with a sentence that says who may, and who is acting."""
    if not policy(person):
        raise NotAllowed(f"{_WHO[policy]}; '{person.name}' hat diese Aufgabe nicht.")
