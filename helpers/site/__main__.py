"""python -m helpers.site: build the site, and a zip of it for a classroom without a network."""

import argparse
import sys
from pathlib import Path

from .build import SiteError, build


def main(arguments: list[str] | None = None) -> int:
    """Build the site; returns the exit status: 0 if it is there."""
    parser = argparse.ArgumentParser(prog="python -m helpers.site", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("site"), help="the folder to write, beside it the zip: site")
    options = parser.parse_args(arguments)
    try:
        built = build(options.to)
    except SiteError as error:
        print(f"not built: {error}", file=sys.stderr)
        return 1
    print(f"{built.pages} pages and {built.live} live labs in {built.seconds:.0f} s")
    print(f"    {built.folder}/index.html, {built.size / 1e6:.1f} MB; {built.archive}, {built.packed / 1e6:.1f} MB")
    for name in built.still:
        print(f"    a lab that stands still: {name} (python -m helpers.publish --live, if it has few settings)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
