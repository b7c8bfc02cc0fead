"""The contract with those outside: commands, exit codes, JSON, settings, wheel, lock."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import building
import pytest
from building import REPOSITORY, Call, Trial, reallabor

from reallabor.cli import app
from reallabor.database import transaction
from reallabor.rating.rounds import open_round, release_round
from reallabor.settings import Settings

NUMBER = (int, float)
COMMANDS = sorted(
    command.name or command.callback.__name__.replace("_", "-")  # type: ignore[union-attr]
    for command in app.registered_commands
)
PROMISED = [
    "agreement", "check-content", "compare", "decide", "demo", "export", "import-ratings",
    "import-run", "judge", "new-scenario", "project", "publish", "run", "template", "up",
]  # fmt: skip
ENGLISH = re.compile(r"\b(the|and|show this message|commands|options|arguments|required|default)\b",
                     re.IGNORECASE)  # fmt: skip


def test_all_promised_commands_exist() -> None:
    assert set(PROMISED) <= set(COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_german(home: Path, call: Callable[..., Call], command: str) -> None:
    done = call(*command.split(), "--help")
    assert done.code == 0
    assert "Diese Hilfe zeigen" in done.out
    words = re.sub(r"\[OPTIONS\]|COMMAND|ARGS|Usage:|--\S+|\[?TEXT\]?|PATH", "", done.out)
    assert ENGLISH.search(words) is None, ENGLISH.search(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    files = [REPOSITORY / "README.md", *(REPOSITORY / "docs" / "handbuch").glob("*.md")]
    if not files[0].exists():
        pytest.skip("README.md is not written yet")
    assert any(f"reallabor {command}" in path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_is_documented(setting: str) -> None:
    page = REPOSITORY / "docs" / "handbuch" / "betrieb.md"
    if not page.exists():
        pytest.skip("docs/handbuch/betrieb.md is not written yet")
    assert f"REALLABOR_{setting.upper()}" in page.read_text("utf-8")


# --- exit codes and outputs ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["gibtesnicht"],
        ["run"],
        ["run", "x", "--farbe", "blau"],
        ["decide", "x"],
        ["import-ratings", "x"],
        ["import-ratings", "x", "y.csv", "--scale", "5:1"],
        ["import-ratings", "x", "y.csv", "--scale", "viel"],
        ["import-ratings", "x", "y.csv", "--scale", "nan:5"],
        ["import-ratings", "x", "y.csv", "--scale", "1:inf"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_two(
    home: Path, call: Callable[..., Call], arguments: list[str]
) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nichts"], "Ein Szenario 'nichts' gibt es"),
        (["agreement", "nichts"], "Ein Szenario 'nichts' gibt es"),
        (["compare", "nichts"], "Ein Szenario 'nichts' gibt es"),
        (["export", "nichts"], "Ein Szenario 'nichts' gibt es"),
        (["decide", "nichts", "--verdict", "Beenden", "--reason", "g", "--name", "n"],
         "Ein Szenario 'nichts' gibt es"),
        (["import-ratings", "nichts", "fehlt.csv"], "fehlt.csv: Die Datei lässt sich nicht lesen"),
        (["project"], "MLflow unter http://127.0.0.1:9 ist nicht erreichbar"),
        (["demo"], "MLflow unter http://127.0.0.1:9 ist nicht erreichbar"),
        (["demo", "--remove"], "MLflow unter http://127.0.0.1:9 ist nicht erreichbar"),
    ],
    ids=str,
)  # fmt: skip
def test_refusal_is_one_sentence_on_stderr(
    trial: Trial, platform_url: str, call: Callable[..., Call], arguments: list[str], sentence: str
) -> None:
    done = call(*arguments, "--json")
    assert (done.code, done.out) == (1, "")
    assert sentence in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [["compare"], ["agreement", "x"], ["publish"], ["export", "x"],
     ["decide", "x", "--verdict", "Beenden", "--reason", "g", "--name", "n"]],
    ids=lambda a: a[0],
)  # fmt: skip
def test_without_database_commands_say_so(
    trial: Trial, home: Path, call: Callable[..., Call], arguments: list[str]
) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (1, "")
    assert "noch keine Plattform-Datenbank" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "setting",
    [("APP_PORT", "viel", 2), ("DATABASE_URL", "quatsch", 1),
     ("DATABASE_URL", "postgresql://nutzer:geheim@127.0.0.1:1/db", 1)],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("command", ["project", "compare"])
def test_wrong_setting_is_named(
    trial: Trial,
    call: Callable[..., Call],
    monkeypatch: pytest.MonkeyPatch,
    setting: tuple[str, str, int],
    command: str,
) -> None:
    name, value, code = setting
    monkeypatch.setenv(f"REALLABOR_{name}", value)
    done = call(command)
    assert (done.code, done.out) == (code, "")
    assert f"REALLABOR_{name}" in done.err
    assert "geheim" not in done.err


def test_real_process_keeps_streams_apart(trial: Trial) -> None:
    refused = reallabor("run", "nichts", "--json")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Ein Szenario 'nichts' gibt es")
    checked = reallabor("check-content", "--json")
    assert building.as_json(checked)["scenarios"] == [trial.slug]


# --- JSON shapes --------------------------------------------------------------------------------


@pytest.fixture
def judged(trial: Trial, platform_url: str) -> Trial:
    """A released round, and a second scenario from a file with one rating per unit."""
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        for place, name in enumerate(("anna", "bert", "cora")):
            for number, token in enumerate(building.tokens(session, round_, staff[name])):
                building.rate(session, staff[name], token, 1 + (number + place) % 5)
        release_round(session, round_.id or 0, actor=staff["organiser"])
    return trial


def is_number_or_reason(holder: dict[str, Any], key: str) -> bool:
    value = holder[key]
    if value is None:
        return isinstance(holder.get(f"{key}_reason"), str) and bool(holder[f"{key}_reason"])
    return isinstance(value, NUMBER) and not isinstance(value, bool)


def is_interval_or_reason(holder: dict[str, Any], key: str) -> bool:
    value = holder[key]
    if value is None:
        return bool(holder.get(f"{key}_reason"))
    return len(value) == 2 and value[0] < value[1]


def check_scenario(scenario: dict[str, Any]) -> None:
    assert isinstance(scenario["slug"], str)
    assert isinstance(scenario["title"], str)
    for key in ("n_cases", "n_raters", "n_organisations"):
        assert isinstance(scenario[key], int)
    for gate in scenario["gates"]:
        assert isinstance(gate["key"], str)
        assert gate["state"] in {"passed", "missed", "open"}
    assert isinstance(scenario["readiness"]["ready"], bool)
    assert all(isinstance(point, str) for point in scenario["readiness"]["missing"])
    assert scenario["readiness"]["ready"] is (scenario["readiness"]["missing"] == [])
    assert isinstance(scenario["demo"], bool)
    if scenario["decision"] is not None:
        assert {"verdict", "date", "reason"} <= set(scenario["decision"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", scenario["decision"]["date"])
    for variant in scenario["variants"]:
        assert isinstance(variant["variant"], str)
        assert isinstance(variant["n_cases"], int)
        assert isinstance(variant["n_ratings"], int)
        assert is_number_or_reason(variant, "score")
        for figure in variant["criteria"].values():
            assert isinstance(figure["n"], int)
            assert is_number_or_reason(figure, "mean")
            assert figure["median"] is None or isinstance(figure["median"], NUMBER)
            assert is_interval_or_reason(figure, "interval")
            assert isinstance(figure["interval_method"], str)


def test_compare_prints_the_promised_shape(judged: Trial, call: Callable[..., Call]) -> None:
    file = judged.content / "r.csv"
    file.write_text("case,variant,rater,criterion,level\na,v,r,K,3\na,w,r,L,4\n")
    assert call("import-ratings", "neu", file, "--create").code == 0
    assert call("decide", judged.slug, "--verdict", "Beenden", "--reason", "g",
                "--name", "n").code == 0  # fmt: skip
    result = call("compare", "--json").json
    assert set(result) == {"scenarios"}
    by_slug = {scenario["slug"]: scenario for scenario in result["scenarios"]}
    assert set(by_slug) == {judged.slug, "neu"}
    for scenario in by_slug.values():
        check_scenario(scenario)
    assert [v["variant"] for v in by_slug[judged.slug]["variants"]] == ["eins", "zwei", "alt"]
    assert set(by_slug[judged.slug]["variants"][0]["criteria"]) == set(building.CRITERIA)
    assert by_slug[judged.slug]["decision"]["verdict"] == "Beenden"
    assert by_slug["neu"]["decision"] is None
    ordered = call("compare", "neu", judged.slug, "--json").json["scenarios"]
    assert [scenario["slug"] for scenario in ordered] == ["neu", judged.slug]


def check_agreement(result: dict[str, Any], slug: str) -> None:
    assert result["scenario"] == slug
    for figures in result["criteria"].values():
        for key in ("units", "raters", "ratings"):
            assert isinstance(figures[key], int)
        assert set(figures["alpha"]) == {"nominal", "ordinal", "interval"}
        if None in figures["alpha"].values():
            assert figures["alpha_reason"]
        assert is_interval_or_reason(figures, "alpha_interval")
        assert is_number_or_reason(figures, "ac2")
        assert is_number_or_reason(figures, "raw_agreement")


def test_agreement_prints_the_promised_shape(judged: Trial, call: Callable[..., Call]) -> None:
    result = call("agreement", judged.slug, "--json").json
    check_agreement(result, judged.slug)
    assert set(result["criteria"]) == set(building.CRITERIA)
    figures = result["criteria"]["FR"]
    assert (figures["units"], figures["raters"], figures["ratings"]) == (18, 3, 36)
    assert figures["alpha"]["ordinal"] is not None
    file = judged.content / "r.csv"
    file.write_text("case,variant,rater,criterion,level\na,v,r,K,3\nb,v,r,K,4\n")
    assert call("import-ratings", "neu", file, "--create").code == 0
    check_agreement(call("agreement", "neu", "--json").json, "neu")


def test_agreement_waits_for_release(trial: Trial, platform_url: str,
                                     call: Callable[..., Call]) -> None:  # fmt: skip
    with transaction() as session:
        building.load_with_runs(session, trial)
        staff = building.add_staff(session)
        round_ = open_round(session, trial.slug, actor=staff["organiser"])
        building.rate_all(session, round_, staff["anna"])
    done = call("agreement", trial.slug, "--json")
    assert (done.code, done.out) == (1, "")
    assert "noch keine Bewertungsrunde freigegeben" in done.err


def test_tables_for_people_name_what_counts(judged: Trial, call: Callable[..., Call]) -> None:
    shown = call("compare", judged.slug)
    assert shown.code == 0
    for word in ("System eins", "Ohne KI (ohne KI)", "Beschluss: noch keiner", "fehlt: "):
        assert word in shown.out
    agreed = call("agreement", judged.slug)
    assert agreed.code == 0
    assert re.search(r"FR .*18.*-?0,\d{3}", agreed.out)


# --- packages -----------------------------------------------------------------------------------


def test_wheel_holds_only_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if not (REPOSITORY / name).exists():
            pytest.skip(f"{name} is not written yet")
        (source / name).write_bytes((REPOSITORY / name).read_bytes())
    import shutil

    for name in ("reallabor", "scenarios", "evaluations", "tracking", "tests", "benchmarks"):
        shutil.copytree(
            REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--wheel-dir", str(tmp_path), str(source)],
        check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"reallabor"}
    package = REPOSITORY / "reallabor"
    wanted = {
        f"reallabor/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.suffix in {".py", ".js", ".css", ".mako", ".html"}
        and "__pycache__" not in path.parts
    }
    assert wanted <= set(names)


def test_lock_has_pins_hashes_and_no_address() -> None:
    text = (REPOSITORY / "requirements.lock").read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text.split("\n", 1)[-1] if text[0] == "#" else text)
    entries = [entry for entry in entries if entry and not entry.startswith("#")]
    assert len(entries) > 100
    for entry in entries:
        assert re.match(r"[a-z0-9][\w.\[\]-]*==[^\s;]+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_lock_holds_every_direct_dependency() -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["app"],
              *project["optional-dependencies"]["dev"]]  # fmt: skip
    lock = (REPOSITORY / "requirements.lock").read_text("utf-8")
    for requirement in wanted:
        name = re.split(r"[\[<>=;~! ]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}(\[[\w,-]+\])?==", lock, re.MULTILINE), name


def test_command_beyond_the_base_install_is_refused_in_a_sentence(home: Path) -> None:
    code = "import sys; sys.modules['sqlalchemy'] = None; from reallabor.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "compare"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "reallabor[app]" in done.stderr
    assert "Traceback" not in done.stderr
