"""The settings of the Hub, as far as they can be judged without one; `deploy/try.sh` runs a real one."""

import copy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml
from traitlets.config import Config

DEPLOY = Path(__file__).parents[1] / "deploy"
VALUES = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
SCHEMA = yaml.safe_load((DEPLOY / "kubernetes" / "values.schema.yaml").read_text())


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """What jupyterhub_config.py sets for the cohort of cohort.toml."""
    (tmp_path / "etc" / "remix").mkdir(parents=True)
    (tmp_path / "etc" / "remix" / "cohort.toml").write_text((DEPLOY / "cohort.toml").read_text())
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return run_settings((DEPLOY / "jupyterhub_config.py").read_text())


def run_settings(source, **names):
    config = Config()
    exec(compile(source, "settings", "exec"), {"c": config, "get_config": lambda *_: config, **names})
    return config


def test_the_values_are_settings_of_the_chart():
    """Every setting has a name and a type that the chart knows, and a misspelt one is refused."""
    jsonschema.validate(VALUES, SCHEMA)
    for place in (("hub", "loadRole"), ("singleuser", "extraenv"), ("singleuser", "storage", "homePath")):
        wrong = copy.deepcopy(VALUES)
        inner = wrong
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = {}
        with pytest.raises(jsonschema.ValidationError, match=place[-1]):
            jsonschema.validate(wrong, SCHEMA)


def test_the_values_name_the_same_accounts_everywhere():
    """User ids, the mounted passwd, the accounts allowed in, and nbgrader's groups agree; no two share an id."""
    accounts = VALUES["custom"]["accounts"]
    lines = VALUES["singleuser"]["extraFiles"]["passwd"]["stringData"].splitlines()
    passwd = {line.split(":")[0]: int(line.split(":")[2]) for line in lines}
    config = VALUES["hub"]["config"]
    groups = config["JupyterHub"]["load_groups"]
    assert accounts == {name: number for name, number in passwd.items() if name not in ("root", "nobody")}
    assert len(set(passwd.values())) == len(passwd)
    assert config["Authenticator"]["allowed_users"] == list(accounts)
    assert groups["formgrade-remix"]["users"] + groups["nbgrader-remix"]["users"] == list(accounts)


def test_one_server_and_kubernetes_have_the_same_roles(hub):
    """The groups that nbgrader looks for, the instructors' role, and the scopes of a server's token."""
    config = VALUES["hub"]
    assert dict(hub.JupyterHub.load_groups) == config["config"]["JupyterHub"]["load_groups"]
    (role,) = hub.JupyterHub.load_roles
    assert {role.pop("name"): role} == config["loadRoles"]
    values = {f"custom.{name}": value for name, value in VALUES["custom"].items()}
    settings = Config()
    exec(config["extraConfig"]["remix"], {"c": settings, "get_config": values.__getitem__})
    for name in VALUES["custom"]["accounts"]:
        spawner = SimpleNamespace(user=SimpleNamespace(name=name))
        assert hub.Spawner.server_token_scopes(spawner) == settings.KubeSpawner.server_token_scopes(spawner)


def test_a_pair_gets_no_right_over_others(hub):
    """No role names the pairs' group, and the token of a pair's server is about the pair and its server alone."""
    assert [role for role in hub.JupyterHub.load_roles if role["groups"] != ["formgrade-remix"]] == []
    scopes = hub.Spawner.server_token_scopes(SimpleNamespace(user=SimpleNamespace(name="pair01")))
    assert [scope for scope in scopes if not scope.endswith(("!user", "!server"))] == []
    assert "admin_users" not in hub.Authenticator


def test_all_accounts_use_one_exchange(monkeypatch):
    """Submissions are sealed and collected with care, and the course's folder is the instructor's alone."""
    monkeypatch.setenv("REMIX_EXCHANGE", "/srv/elsewhere")
    monkeypatch.delenv("REMIX_COURSE", raising=False)
    source = (DEPLOY / "nbgrader_config.py").read_text()
    of_a_pair = run_settings(source)
    assert of_a_pair.Exchange.root == "/srv/elsewhere"
    assert of_a_pair.ExchangeFactory.submit.__name__ == "SealedSubmit"
    assert of_a_pair.ExchangeFactory.collect.__name__ == "GuardedCollect"
    assert "root" not in of_a_pair.CourseDirectory
    monkeypatch.setenv("REMIX_COURSE", "/home/ines/remix")
    assert run_settings(source).CourseDirectory.root == "/home/ines/remix"


def test_the_trial_is_a_script_that_parses():
    """`deploy/try.sh` parses, and runs nothing for an account that is not root."""
    text = (DEPLOY / "try.sh").read_text()
    subprocess.run(["bash", "-n", str(DEPLOY / "try.sh")], check=True)
    assert text.index('[ "$(id -u)" = 0 ] || refuse') < text.index("mktemp")
