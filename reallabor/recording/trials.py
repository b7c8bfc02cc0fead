"""Runs a trial: every case through every chosen variant, journalled, then recorded in MLflow."""

from collections.abc import Callable

from reallabor.errors import EndpointUnavailable, RequestRefused, WrongState
from reallabor.german import number
from reallabor.recording.answering import Answered, answers
from reallabor.recording.endpoint import Endpoint, endpoint_system, prompt_of
from reallabor.recording.journal import Journal, JournalEntry, journal_root
from reallabor.recording.recordable import require_recordable
from reallabor.recording.sending import RecordedRun, send_journal
from reallabor.scenarios import ScenarioFolder, System, load_scenario
from reallabor.tracking import Connection
from reallabor.tracking.prompts import register_prompt
from reallabor.ways import Way

Progress = Callable[[str, int, int], None]
"""Called with variant, cases done, cases in all."""
MOST_UNANSWERED = 3
"""After so many cases in a row without an answer an endpoint counts as down."""


def record_trial(
    slug: str,
    *,
    connection: Connection,
    variant: str | None = None,
    organisation: str | None = None,
    resume: bool = False,
    demo: bool = False,
    endpoint: Endpoint | None = None,
    scenario: ScenarioFolder | None = None,
    progress: Progress | None = None,
) -> list[RecordedRun]:
    """Run all cases through one variant, through all, or through the model behind an endpoint, and
    record them.

    Each output is in the local journal before anything is sent. With `resume` the newest
    interrupted trial goes on: cases in the journal are not run again, what MLflow holds is not
    sent again. `scenario` is one that has no folder, made in the app: only an endpoint can run it.
    Raises WrongState where the scenario is stopped, there is nothing to resume or the cost ceiling
    is reached,
    TrackingUnavailable where MLflow is down, EndpointUnavailable where the model is (the journal
    stays).
    """
    require_recordable(slug)
    systems: dict[str, System] = {}
    created = scenario
    if resume:
        variant = endpoint.variant if endpoint else variant
        journal = _resumable(slug, variant=variant, organisation=organisation, demo=demo)
    else:
        scenario = scenario or load_scenario(slug)
        organisation = organisation or scenario.content.organisation
        if endpoint is None:
            chosen = [scenario.variant(variant).key] if variant else _all_variants(scenario)
            # Built first, to refuse before anything is written.
            systems = {key: scenario.build_system(key) for key in chosen}
            journal = Journal.create(
                journal_root(), scenario, variants=chosen, organisation=organisation, demo=demo
            )
        else:
            journal = _endpoint_journal(scenario, endpoint, connection, organisation, demo=demo)
    with journal.locked():
        scenario = journal.scenario()
        for key in journal.plan.variants:
            if not journal.closed and len(journal.entries(key)) < len(scenario.cases):
                # Only here: to send, nothing is needed but MLflow.
                source = created or load_scenario(slug)
                _require_same_systems(journal, source)
                if journal.plan.way == Way.ENDPOINT:
                    endpoint = _same_endpoint(journal, endpoint)
                if endpoint:
                    system = endpoint_system(endpoint, source)
                else:
                    system = systems.get(key) or source.build_system(key)
                _run_cases(journal, scenario, key, system, endpoint, progress)
        return send_journal(
            journal, connection, next_step=f"danach weiter mit `reallabor run {slug} --resume`."
        )


def _all_variants(scenario: ScenarioFolder) -> list[str]:
    return [variant.key for variant in scenario.content.variants]


def _endpoint_journal(
    scenario: ScenarioFolder,
    endpoint: Endpoint,
    connection: Connection,
    organisation: str,
    *,
    demo: bool,
) -> Journal:
    template, sha256 = prompt_of(scenario)
    connection.require()
    prompt = register_prompt(connection, scenario.slug, template, sha256)
    return Journal.create(
        journal_root(),
        scenario,
        variants=[endpoint.variant],
        organisation=organisation,
        demo=demo,
        way=Way.ENDPOINT,
        titles={endpoint.variant: endpoint.title},
        params={**endpoint.params, "prompt": prompt, "prompt_sha256": sha256},
    )


def _same_endpoint(journal: Journal, endpoint: Endpoint | None) -> Endpoint:
    """The endpoint to go on with: one run must not hold the answers of two models."""
    if endpoint is None:
        raise WrongState(
            f"Der unterbrochene Durchlauf von '{journal.plan.slug}' lief über einen Endpunkt; "
            "bitte zum Fortsetzen --endpoint und --model noch einmal angeben."
        )
    changed = [
        name
        for name in ("url", "model", "temperature", "seed", "max_tokens")
        if endpoint.params.get(f"endpoint.{name}") != journal.plan.params.get(f"endpoint.{name}")
    ]
    if changed:
        raise WrongState(
            f"Der unterbrochene Durchlauf begann mit anderen Angaben ({', '.join(changed)}); "
            "fortgesetzt kämen zwei Stände in einen Durchlauf. Bitte ohne --resume neu beginnen."
        )
    return endpoint


def _resumable(slug: str, *, variant: str | None, organisation: str | None, demo: bool) -> Journal:
    for journal in Journal.unfinished(journal_root(), slug):
        plan = journal.plan
        if (
            plan.demo == demo
            and (plan.way in (Way.RUN, Way.ENDPOINT) or (plan.way == Way.PYTHON and journal.closed))
            and (variant is None or variant in plan.variants)
            and organisation in (None, plan.organisation)
        ):
            return journal
    raise WrongState(
        f"Zu '{slug}' gibt es keinen unterbrochenen Durchlauf; `reallabor run {slug}` beginnt "
        "einen neuen."
    )


def _require_same_systems(journal: Journal, source: ScenarioFolder) -> None:
    """One run must not hold the outputs of two states of a system."""
    if journal.plan.code_sha256 != source.code_sha256:
        raise WrongState(
            f"Der Ordner {source.path} wurde seit Beginn des Durchlaufs geändert; fortgesetzt "
            f"kämen zwei Stände in einen Durchlauf. Bitte mit `reallabor run {source.slug}` neu "
            "beginnen, oder die Änderung zurücknehmen."
        )


def _run_cases(  # noqa: PLR0917
    journal: Journal,
    scenario: ScenarioFolder,
    variant: str,
    system: System,
    endpoint: Endpoint | None,
    progress: Progress | None,
) -> None:
    done = journal.entries(variant)
    open_cases = [case for case in scenario.cases if case.id not in done]
    parallel = endpoint.parallel if endpoint else 1
    with journal.writer(variant) as writer:

        def keep(entry: JournalEntry) -> None:
            writer.append(entry)
            done[entry.case_id] = entry
            if progress:
                progress(variant, len(done), len(scenario.cases))

        unanswered: list[Answered] = []
        worked = False
        for answered in answers(system, open_cases, parallel, lambda: _within_cost(done, endpoint)):
            worked |= answered.entry.error is None
            if worked and isinstance(answered.outage, RequestRefused):
                keep(answered.entry)  # others it takes, so this one would be refused for ever
                continue
            if answered.outage is not None:
                # Kept back: if the endpoint is down, these cases are asked again later.
                unanswered.append(answered)
                if len(unanswered) >= MOST_UNANSWERED:
                    raise _interrupted(unanswered[-1].outage, journal, len(done))
                continue
            for earlier in unanswered:
                keep(earlier.entry)
            unanswered.clear()
            keep(answered.entry)
        if unanswered and not any(entry.error is None for entry in done.values()):
            raise _interrupted(unanswered[-1].outage, journal, len(done))
        for earlier in unanswered:
            keep(earlier.entry)
    if len(done) < len(scenario.cases):
        assert endpoint is not None
        if _cost_unknown(done, endpoint):
            raise WrongState(
                "Der Endpunkt nennt keinen Verbrauch; so lässt sich die Kostengrenze nicht "
                f"einhalten. {len(done)} Ausgaben sind gesichert; weiter mit "
                f"`reallabor run {scenario.slug} --resume` ohne --max-cost."
            )
        raise WrongState(
            f"Die Kostengrenze von {number(endpoint.max_cost_eur, 2)} Euro ist nach {len(done)} "
            f"von {len(scenario.cases)} Fällen erreicht. Die Ausgaben sind gesichert; weiter mit "
            f"`reallabor run {scenario.slug} --resume` und einer höheren --max-cost."
        )


def _within_cost(done: dict[str, JournalEntry], endpoint: Endpoint | None) -> bool:
    if endpoint is None or endpoint.max_cost_eur is None:
        return True
    if _cost_unknown(done, endpoint):
        return False
    return sum(entry.cost_eur or 0.0 for entry in done.values()) < endpoint.max_cost_eur


def _cost_unknown(done: dict[str, JournalEntry], endpoint: Endpoint) -> bool:
    """Whether a ceiling is set that cannot be kept, because answers came without their usage."""
    return endpoint.max_cost_eur is not None and any(
        entry.cost_eur is None for entry in done.values()
    )


def _interrupted(
    outage: EndpointUnavailable | None, journal: Journal, done: int
) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"{outage} {done} Ausgaben sind gesichert; weiter mit "
        f"`reallabor run {journal.plan.slug} --resume`."
    )
