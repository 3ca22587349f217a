"""The command line: thin commands over the library. Torch is imported only by commands that compute."""

from __future__ import annotations

import sys
from collections.abc import Sequence

INTERRUPTED = 130  # 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments after the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 usage, 3 data, 4 run folder, 5 storage, 6 plugin, 7 training, 130 interrupted, 1 otherwise.
    """
    from avelzoo.cli import failures
    from avelzoo.cli.app import build_app
    from avelzoo.cli.glimpse import normalise
    from avelzoo.cli.inline import load_plugins

    args = normalise(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in args
    try:
        with failures.short_warnings():
            args = load_plugins(args)
            code = build_app(args)(args, prog_name="avelzoo", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever happens, users read one message and no traceback
        return failures.report(error, as_json=as_json)
    if code == INTERRUPTED:  # the parser has already caught the key press
        return failures.report(KeyboardInterrupt(), as_json=as_json)
    return code if isinstance(code, int) else 0
