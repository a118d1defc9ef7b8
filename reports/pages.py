# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that fetch nothing: the templates, and the policy that forbids everything but their own style and script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from reports.text import hexdump, layers, slug, span, visible

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, *, style: str, **values: Any) -> str:
    """The page as one HTML text; `style` is a file beside the template."""
    return "".join(render_parts(template, style=style, **values))


def render_parts(template: str, *, style: str, scripts: Sequence[str] = (), **values: Any) -> Iterator[str]:
    """The page in parts, made as they are asked for; `style` and `scripts` are files beside the template."""
    css, *codes = ((TEMPLATES / name).read_text(encoding="utf-8") for name in (style, *scripts))
    code = "".join(codes)
    policy = f"default-src 'none'; style-src '{_hash(css)}'; " + (f"script-src '{_hash(code)}'; " if code else "")
    policy += "img-src data:; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    return page.generate(style=Markup(css), script=Markup(code), policy=policy, **values)


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
        "span": span,
    }
    return environment


def _shown(value: Any) -> Any:
    """Every value on its way into the page: characters that could hide or reorder text are spelled out."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
