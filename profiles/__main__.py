# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m profiles`: write the tables of keys into the pages that hold them, from the models."""

import argparse
import sys

from profiles.tables import PAGES, ROOT, update


def main() -> int:
    """Bring every page up to date and say which have changed."""
    argparse.ArgumentParser(prog="python -m profiles", description=__doc__).parse_args()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (produced := update(text)) != text:
            page.write_text(produced, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
