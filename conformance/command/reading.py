# SPDX-License-Identifier: GPL-2.0-or-later
"""`roamproof compare`, `matrix` and `verify`: what can be read from runs that are over."""

from pathlib import Path

import click

from reports import compare, matrix
from reports.bundle import ssh
from reports.bundle.verify import verify_bundle
from reports.regressions import has_regressed, regressions, write_comparison
from reports.text import visible

_RUN = click.Path(exists=True, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_MOST_LISTED = 20


@click.command("compare")
@click.argument("old", type=_RUN)
@click.argument("new", type=_RUN)
@click.option("--html", type=_OUT, metavar="FILE", help="write what changed as a page too")
@click.option("--any", "any_change", is_flag=True, help="exit code 1 for any change, not for a regression alone")
def compare_command(old: Path, new: Path, html: Path | None, any_change: bool) -> int:
    """Say what two runs judged differently.

    OLD and NEW are each a results.json or the folder of a run. Exit code 1 where something got worse: a requirement or
    a case that passed is broken or has no verdict any more. `python -m reports compare` has options for many runs.

    \b
    Examples:
      roamproof compare out.1 out
      roamproof compare release-1/results.json out --html changes.html
    """
    code = compare.main([str(old), str(new)])
    comparison = compare.compare(compare.Run.load(old), compare.Run.load(new))
    worse = regressions(comparison)
    click.echo(f"{len(worse)} of these got worse" if worse else "nothing got worse")
    if html:
        click.echo(str(write_comparison(comparison, (str(old), str(new)), html)))
    return code if any_change else int(has_regressed(comparison))


@click.command("matrix")
@click.argument("results", nargs=-1, required=True, type=_RUN)
@click.option("-o", "--output", type=_OUT, default="matrix.html", show_default=True, metavar="FILE")
def matrix_command(results: tuple[Path, ...], output: Path) -> None:
    """Show devices beside each other: a column each, a row a requirement.

    RESULTS are each a results.json or the folder of a run. The page filters by protocol, strength, verdict, words and
    difference; what it shows stands in its address.

    \b
    Examples:
      roamproof matrix out out.1 out.2
      roamproof matrix runs/*/results.json -o all.html
    """
    click.echo(str(matrix.write_matrix(matrix.read_columns(results, output), output)))


@click.command("verify")
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--allowed-signers", type=_RUN, metavar="FILE", help="who may have signed, as for `ssh-keygen -Y verify`")
def verify_command(bundle: Path, allowed_signers: Path | None) -> int:
    """Say whether a bundle of evidence is what it was when it was made.

    Checked are the signature, every byte of every file, that no case was removed or added, and that the verdicts follow
    from the cases. Without --allowed-signers a signature proves that nothing changed since, not who made it.
    Exit code 1 where anything is wrong.

    \b
    Examples:
      roamproof verify out/bundle.zip
      roamproof verify bundle.zip --allowed-signers lab.signers
    The signature without this program: unzip bundle.zip manifest.json manifest.json.sig, and then
      ssh-keygen -Y verify -f lab.signers -I lab@example.org -n roamproof -s manifest.json.sig < manifest.json
    """
    found = verify_bundle(bundle, ssh.allowed_signers(allowed_signers) if allowed_signers else None)
    for line in found.wrong[:_MOST_LISTED]:
        click.echo(visible(line))
    if len(found.wrong) > _MOST_LISTED:
        click.echo(f"and {len(found.wrong) - _MOST_LISTED} more")
    if found.results:
        device, answer = found.results.dut, found.results.verdict
        click.echo(visible(f"{device.name} {device.version}: {answer}; {len(found.results.cases)} cases"))
    state = f"{len(found.wrong)} things are wrong" if found.wrong else f"{found.files} files, nothing has changed"
    click.echo(f"{bundle}: {state}; {found.signature}")
    return int(bool(found.wrong))
