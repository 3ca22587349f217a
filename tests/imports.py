"""Every import of the package and of the project's plugins, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "avelzoo"
PLUGINS = tuple(sorted(path for path in ROOT.glob("plugins/*/src/*") if (path / "__init__.py").is_file()))


def module_name(path: Path, package: Path = PACKAGE) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
WITH_PLUGINS = SOURCES | {
    module_name(path, package): path for package in PLUGINS for path in sorted(package.rglob("*.py"))
}


def run_time_imports(module: str, source: str) -> Iterator[tuple[int, str]]:
    """(line, module) of every import that is executed, functions included; those for type checkers alone are not."""
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield node.lineno, submodule if submodule in WITH_PLUGINS else str(node.module)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo.extend(node.orelse)
        elif not isinstance(node, ast.expr):
            todo.extend(ast.iter_child_nodes(node))


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The strongly connected components with more than one module: those that reach each other."""
    reach: dict[str, set[str]] = {}
    for start, targets in graph.items():
        seen, todo = set[str](), list(targets - {start})
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo.extend(graph.get(node, ()))
        reach[start] = seen
    return {
        frozenset({start} | {other for other in seen if start in reach.get(other, ())})
        for start, seen in reach.items()
        if start in seen
    }
