# SPDX-License-Identifier: GPL-2.0-or-later
"""Small faults: each kind is what it says, the import hook puts it in, and ten are noticed as they were before."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.power.mutants import excuses, report, tree
from tests.power.mutants.hook import MARK, Substitutes, instrumented
from tests.power.mutants.journal import Journal
from tests.power.mutants.mutator import Mutant, drawn, mutants
from tests.power.mutants.trial import Result
from tests.power.mutants.typed import complaint

ROOT = Path(__file__).resolve().parents[2]

KINDS = {
    "boundary": ("return a < 2", ["a <= 2"]),
    "comparison": ("return a in b", ["a not in b"]),
    "statement": ("a.append(b)", ["pass"]),
    "leaving": ("return a", ["pass"]),
    "operand": ("return a and b and c", ["b and c", "a and c", "a and b"]),
    "boolean": ("return not a or b", ["not a and b", "a"]),
    "condition": ("return a if b else c", ["c if b else a"]),
    "arguments": ("return f(a, b, key=c)", ["f(b, a, key=c)"]),
    "constant": ("return a, 1, 7, True", ["0", "8", "False"]),
    "arithmetic": ("a += b << 2", ["a -= b << 2", "b >> 2"]),
}

SOURCE = '''
from typing import Any


class Keeper:
    """Keeps."""

    limit = 3

    def add(self, kept: list[int], one: int) -> bool:
        """Whether there was room."""
        if len(kept) < self.limit:
            kept.append(
                one
            )
            return True
        elif one in kept:
            return True
        return False
'''


def function(body: str) -> str:
    return f"def f(a: int, b: int, c: int) -> object:\n    {body}\n"


@pytest.mark.parametrize("operator", KINDS)
def test_kind_of_fault_is_what_it_says(operator: str) -> None:
    body, wanted = KINDS[operator]
    found = [one for one in mutants("m", function(body)) if one.operator == operator]
    assert [one.new for one in found] == wanted
    for one in found:
        assert ast.unparse(ast.parse(one.applied(function(body)))) != ast.unparse(ast.parse(function(body)))


@pytest.mark.parametrize(
    "body",
    [
        '"""A text that is 1 of many."""',
        'log(f"{a} was 1")',
        "self.counters[a] += 1",
        "x: dict[int, int] | None",
        "return isinstance(a, (int, str))",
    ],
)
def test_what_no_peer_sees_is_not_changed(body: str) -> None:
    assert not [one for one in mutants("m", function(body)) if one.operator != "leaving"]


def test_equal_mutants_of_a_function_are_told_apart() -> None:
    found = [one for one in mutants("m", SOURCE) if (one.old, one.new) == ("return True", "pass")]
    assert [(one.function, one.number, one.statement) for one in found] == [
        ("Keeper.add", 1, 16),
        ("Keeper.add", 2, 18),
    ]
    assert len({one.id for one in found}) == 2


def test_lines_stay_where_they_are() -> None:
    for one in mutants("m", SOURCE):
        assert one.applied(SOURCE).count("\n") == SOURCE.count("\n"), one


def test_draw_of_a_seed_does_not_change_with_other_functions() -> None:
    before = [one.key for one in drawn(mutants("m", SOURCE), 7, 100)]
    more = SOURCE + "\n    def other(self, a: int) -> int:\n        return a + 1\n"
    after = [one.key for one in drawn(mutants("m", more), 7, 100)]
    assert [key for key in after if key in before] == before
    assert len(after) > len(before)
    assert [one.key for one in drawn(mutants("m", SOURCE), 8, 100)] != before


def test_every_drawn_mutant_of_the_reference_compiles() -> None:
    sources = tree.modules()
    population = tree.population(sources)
    assert len({one.id for one in population}) == len(population)
    for one in drawn(population, 5, 100):
        compile(one.applied(sources[one.module]), one.module, "exec")


def test_type_checker_refuses_a_fault_of_types(tmp_path: Path) -> None:
    module, cache = "reference.mops.rate_limit", tmp_path / "cache"
    source = tree.modules()[module]
    wrong, right = tmp_path / "wrong.py", tmp_path / "right.py"
    wrong.write_text(source.replace("self.interval_s = interval_s", "pass"))
    right.write_text(source.replace("now - attempt <", "now - attempt <="))
    assert "interval_s" in complaint(module, wrong, cache)
    assert complaint(module, right, cache) == ""


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module on the path, with imports as they were when the test ends."""
    (tmp_path / "kept_by_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, "kept_by_test", raising=False)
    return "kept_by_test"


def test_hook_changes_what_a_module_does_and_no_file(keeper: str, tmp_path: Path) -> None:
    one = next(one for one in mutants(keeper, SOURCE) if one.operator == "boundary")
    Substitutes({keeper: ast.parse(one.applied(SOURCE))}).install()
    module = importlib.import_module(keeper)
    assert module.Keeper().add([1, 2, 3], 4) is True  # `<` of the file says no
    assert (tmp_path / f"{keeper}.py").read_text() == SOURCE
    del sys.modules[keeper]


def test_hook_refuses_a_module_that_is_there_already(keeper: str) -> None:
    importlib.import_module(keeper)
    with pytest.raises(ImportError, match=keeper):
        Substitutes({keeper: ast.parse(SOURCE)}).install()
    del sys.modules[keeper]


def test_instrumented_module_tells_the_statements_that_run(keeper: str) -> None:
    lines: list[int] = []
    Substitutes({keeper: instrumented(SOURCE)}, lambda _: {MARK: lines.append}).install()
    module = importlib.import_module(keeper)
    assert lines == []
    assert module.Keeper().add([1, 2, 3], 3) is True
    assert lines == [11, 12, 17, 18]
    del sys.modules[keeper]


def result(mutant: Mutant, outcome: str) -> Result:
    return Result(mutant.id, outcome, "CASE-1", "REQ-1", "FAIL", "too late")


def test_unknown_survivor_stale_entry_and_wrong_excuse_fail() -> None:
    one, two, three, four = mutants("reference.m", SOURCE)[:4]
    excuse = {key: excuses.Excuse(key, "E", "the same") for key in (two.key, three.key)}
    results = {
        m.id: result(m, o) for m, o in [(one, "survived"), (two, "survived"), (three, "noticed"), (four, "lost")]
    }
    found = report.judged([one, two, three, four], results, excuse)
    lines = report.troubles(found, excuses.stale(excuse.values(), [one, three]))
    assert [line.split()[0] for line in lines] == ["stale", "survived", "excused"]
    assert report.share(found) == 0.0
    assert "| all | 4 | 0 | 1 | 2 | 0 | 0 | 0 | 1 | 0 % |" in report.table(found)


def test_table_of_one_seed_leaves_those_of_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n<!-- mutants -->\n<!-- end -->\nend\n")
    one, two = mutants("reference.m", SOURCE)[:2]
    for seed, outcome in ((2, "survived"), (1, "noticed"), (2, "lost")):
        report.write(page, seed, report.judged([one, two], {one.id: result(one, outcome)}, {}))
    text = page.read_text()
    assert text.count("### Seed 1\n") == text.count("### Seed 2\n") == 1
    assert text.index("### Seed 1\n") < text.index("### Seed 2\n")
    assert "| m | 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0 |  |" in text
    assert text.startswith("# Page\n<!-- mutants -->\n")
    assert text.endswith("|\n<!-- end -->\nend\n")


def test_entry_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "mutants.toml"
    one = mutants("m", function('return a if b == "x\\n" else c'))[0]
    file.write_text(excuses.entry(one, "A", "because") + excuses.entry(mutants("m", SOURCE)[0], "E", "same"))
    assert excuses.excuses(file)[one.key] == excuses.Excuse(one.key, "A", "because")
    file.write_text(excuses.entry(one))
    with pytest.raises(ValueError, match="class is one of"):
        excuses.excuses(file)


def test_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    one = Result("12345678", "noticed", "CASE-1", doubts=["CASE-2: late"])
    Journal(tmp_path, "tree").add(one)
    with next(tmp_path.iterdir()).open("a") as file:
        file.write('{"id": "half')
    assert Journal(tmp_path, "tree").results == {one.id: one}
    assert Journal(tmp_path, "other").results == {}


def test_no_known_survivor_is_stale() -> None:
    assert not excuses.stale(excuses.excuses().values(), tree.population(tree.modules()))


def test_ten_mutants_are_noticed(tmp_path: Path) -> None:
    """Each by the case that noticed it before."""
    command = [sys.executable, "-m", "tests.power.mutants", "--sample", "10", "--folder", str(tmp_path), "--jobs", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("noticed by") == 10
