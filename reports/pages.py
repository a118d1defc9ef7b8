# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that fetch nothing: the templates, and the policy that forbids everything but their own style and script."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from reports.text import hexdump, layers, slug, visible

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, *, style: str, script: str = "", **values: Any) -> str:
    """The page as one HTML text; `style` and `script` are files beside the template."""
    css, code = ((TEMPLATES / name).read_text(encoding="utf-8") if name else "" for name in (style, script))
    policy = f"default-src 'none'; style-src '{_hash(css)}'; " + (f"script-src '{_hash(code)}'; " if code else "")
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(css),
            script=Markup(code),
            policy=policy + "img-src data:; base-uri 'none'; form-action 'none'",
            **values,
        )
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "slug": slug,
        "hexdump": hexdump,
        "layers": layers,
        "kind": lambda words: str(words).lower().replace(" ", "-"),
        "moment": lambda stamp: f"{stamp:%Y-%m-%d %H:%M:%S} UTC{stamp:%z}".replace("UTC+0000", "UTC"),
        "span": _span,
    }
    return environment


def _shown(value: Any) -> Any:
    """Every value on its way into the page: characters that could hide or reorder text are spelled out."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _span(seconds: float) -> str:
    """A length of time for people."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
