"""The README's promises."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_code_in_the_readme_runs_and_prints_what_it_says(capsys):
    """Each Python block runs as it stands, and the percentages below it are the ones it prints."""
    for block, below in re.findall(r"```python\n(.*?)```\n+(.*?)\n\n", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
        printed = re.findall(r"\d+\.\d %", capsys.readouterr().out)
        assert re.findall(r"\d+\.\d %", below) == printed
        assert printed


def test_every_link_leads_somewhere():
    """Links and pictures in the README are files here."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_commands_in_the_readme_exist():
    """Every make target that the README names is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z]+)", README):
        assert f"\n{target}:" in makefile, target
