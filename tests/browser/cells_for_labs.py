"""The cells of a notebook that its labs need: a browser need not wait for experiments, which nbval runs anyway."""
import ast
import symtable

import nbformat

READERS = {"plots", "print", "claims"}      # calls that change nothing which a lab shows


def cells_for_labs(notebook):
    """A copy of the notebook: the cells that make labs, and all that bind or change a name which they need."""
    cells = [Names(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    cells = cells[:max((i for i, cell in enumerate(cells, 1) if cell.makes_labs), default=0)]
    imported = set().union(*(cell.imported for cell in cells))            # no call changes a module
    kept = [cell.makes_labs for cell in cells]
    while True:
        needed = set().union(*(cell.uses for cell, keep in zip(cells, kept) if keep))
        more = [keep or bool((cell.binds | cell.calls - imported) & needed) for cell, keep in zip(cells, kept)]
        if more == kept:
            break
        kept = more
    chosen = [nbformat.v4.new_code_cell(cell.source) for cell, keep in zip(cells, kept) if keep]
    return nbformat.v4.new_notebook(cells=chosen, metadata=notebook.metadata)


class Names:
    """The names that a cell uses from other cells, and those that it binds or changes by a call."""

    def __init__(self, source):
        tree, self.source = ast.parse(source), source
        table = symtable.symtable(source, "cell", "exec")
        self.imported = {s.get_name() for s in table.get_symbols() if s.is_imported()}
        bound = {s.get_name() for s in table.get_symbols() if s.is_assigned()} | self.imported
        read = {s.get_name() for s in table.get_symbols() if s.is_referenced()} | set(_globals(table))
        updated, self.calls = set(), set()
        for node in _outside_functions(tree):
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
                updated |= _first_name(node)
            elif isinstance(node, ast.AugAssign):
                updated |= _first_name(node.target)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                self.calls |= _changed_by(node.value)
        for loop in (node for node in _outside_functions(tree) if isinstance(node, ast.For)):
            if {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)} & self.calls:
                self.calls |= _first_name(loop.iter)           # what a loop changes belongs to what it runs over
        self.binds = bound | updated
        self.uses = (read - bound) | updated
        self.makes_labs = any(_first_name(node.value) & {"labs", "arena"} for node in tree.body
                              if isinstance(node, ast.Expr))


def _globals(table):
    for child in table.get_children():
        yield from (s.get_name() for s in child.get_symbols() if s.is_global())
        yield from _globals(child)


def _outside_functions(node):
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _outside_functions(child)


def _changed_by(call):
    """What a call may change whose result nobody keeps: the object of a method, the first argument of a function."""
    if _first_name(call) & READERS:
        return set()
    names = _first_name(call.func) if isinstance(call.func, ast.Attribute) else set()
    for argument in call.args[:1]:
        names |= _first_name(argument)
    return {name for name in names if not name.isupper()}


def _first_name(node):
    """The name that an expression begins with: `labs` of labs.Lab(…).x"""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
