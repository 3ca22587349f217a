"""`avelzoo weights`: files of published weights on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from avelzoo.cli import completing, render
from avelzoo.errors import DataError, UnknownNameError, UsageError, did_you_mean

if TYPE_CHECKING:
    from avelzoo.weights.catalogue import KnownWeights
    from avelzoo.weights.store import WeightStore

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network.")]


@app.command(name="list")
def list_weights(json: Json = False) -> None:
    """List the weights of all registered extractors: state, path, SHA-256, licence, source. Uses no network.

    AVELZOO_WEIGHTS is the folder of weights.
    """
    store = _store(offline=True)
    rows = [_row(store, known) for known in _known()]
    if json:
        render.emit_json({"folder": str(store.folder), "weights": rows})
        return
    out = render.console()
    out.print(f"folder of weights: {store.folder}", soft_wrap=True)
    for row in rows:
        out.print()
        _print(out, row)


@app.command()
def path(
    name: Annotated[
        str,
        typer.Argument(
            help="File of weights, or an extractor such as timm:resnet18.", autocompletion=completing.weights_names
        ),
    ],
    download: Annotated[bool, typer.Option("--download", help="Get a missing file from the Hugging Face hub.")] = False,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Print where the weights lie; exit code 3 if they are missing or damaged."""
    if download and offline:
        raise UsageError("--download and --offline are mutually exclusive", fix="remove one of them")
    store = _store(offline=offline or not download)
    chosen = _chosen(name)
    if not chosen:
        raise UsageError(f"'{name}' needs no weights", fix="`avelzoo weights list` lists the files of weights")
    if download:
        for known in chosen:
            store(known.file)
    rows = [_row(store, known) for known in chosen]
    if json:
        render.emit_json(rows)
    else:
        for row in rows:
            typer.echo(row["path"])
    _require(store, chosen, rows, states=("damaged", "missing"), as_json=json)


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            help="File of weights, or an extractor. All files by default.", autocompletion=completing.weights_names
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compare files with their checksums; exit code 3 if one is damaged, or if NAME is missing. Uses no network."""
    store = _store(offline=True)
    chosen = _chosen(name) if name else _known()
    rows = [_row(store, known) for known in chosen]
    if json:
        render.emit_json(rows)
    else:
        lines = [(row["name"], row["state"], row["problem"] or _verified(row), row["path"]) for row in rows]
        render.console().print(render.table(("weights", "state", "checked", "path"), lines))
    states = ("damaged", "missing") if name else ("damaged",)
    _require(store, chosen, rows, states=states, as_json=json)


def _store(*, offline: bool) -> WeightStore:
    from avelzoo.weights.store import WeightStore

    return WeightStore(offline=offline)


def _known() -> tuple[KnownWeights, ...]:
    from avelzoo.plugin.default import default_host
    from avelzoo.weights.catalogue import known_weights

    return known_weights(default_host().registry)


def _chosen(name: str) -> tuple[KnownWeights, ...]:
    """The file of this name, or the files of the extractor of this name."""
    from avelzoo.extraction.naming import extractor_config
    from avelzoo.plugin.default import default_host
    from avelzoo.weights.catalogue import KnownWeights

    known = _known()
    named = tuple(one for one in known if one.file.name == name)
    registry = default_host().registry
    extractors = registry.names("extractor")
    if not named and name.partition(":")[0] not in extractors and "/" not in name:
        names = list(dict.fromkeys([*(one.file.name for one in known), *extractors]))
        raise UnknownNameError(
            f"unknown weights '{name}'" + did_you_mean(name, names), expected=", ".join(names) + ", timm:NAME"
        )
    return named or tuple(KnownWeights(file, (name,)) for file in extractor_config(registry, name, {}).weights())


def _row(store: WeightStore, known: KnownWeights) -> dict[str, Any]:
    return store.status(known.file).to_dict() | {"extractors": list(known.extractors)}


def _print(out: Any, row: dict[str, Any]) -> None:
    where = "lies in" if row["origin"] else "must lie in"
    out.print(f"{row['name']}: {row['state']}" + (f", {row['problem']}" if row["problem"] else ""), soft_wrap=True)
    pairs = {
        "  used by": ", ".join(row["extractors"]),
        f"  {where}": f"{row['path']}" + (f" ({row['origin']})" if row["origin"] else ""),
        "  size": f"{row['bytes']:,} bytes" if row["bytes"] is not None else "",
        "  SHA-256": _checksum(row),
        "  MD5": f"{row['published_md5']} (published)" if row["published_md5"] else "",
        "  licence": row["licence"],
        "  source": row["source"],
    }
    for label, text in pairs.items():
        if text:
            out.print(f"{label:<14}{text}", soft_wrap=True)


def _checksum(row: dict[str, Any]) -> str:
    """The published checksum, else that of the file on this machine."""
    if row["published_sha256"]:
        return str(row["published_sha256"])
    return f"{row['sha256']} (computed; not published)" if row["sha256"] else "not published"


def _verified(row: dict[str, Any]) -> str:
    if row["state"] == "missing":
        return "-"
    for kind, label in (("sha256", "SHA-256"), ("md5", "MD5")):
        if row[f"published_{kind}"]:
            return f"published {label}"
    return f"complete; SHA-256 {row['sha256'][:12]}... is its own"


def _require(
    store: WeightStore,
    chosen: tuple[KnownWeights, ...],
    rows: list[dict[str, Any]],
    *,
    states: tuple[str, ...],
    as_json: bool,
) -> None:
    """End with the error of the first file in one of these states; JSON states them already."""
    for state in states:
        for known, row in zip(chosen, rows, strict=True):
            if row["state"] == state:
                if as_json:
                    raise typer.Exit(DataError.exit_code)
                store(known.file)
