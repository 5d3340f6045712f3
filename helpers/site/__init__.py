"""The collection as a static site, to read and play without Python: `python -m helpers.site`.

`pages` makes a page of a notebook, `conf` has Sphinx's settings, `build` puts it all together, and `browser` is what
runs in the page: a model in the place of the kernel's, under the same labs.
"""
