"""What belongs to avelzoo on this machine: plugins, files of weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from avelzoo.doctor.findings import Finding
from avelzoo.errors import some


def plugins() -> Iterator[Finding]:
    """A finding per plugin: loaded, disabled, or broken with the reason."""
    from avelzoo.plugin.default import default_host
    from avelzoo.plugin.status import LOADED, PluginWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the findings say the same
        host = default_host()
    for record in host.records:
        origin = f"{record.distribution} {record.version}".strip() or record.source
        if record.status == LOADED:
            count = sum(entry.plugin == record.name for entry in host.registry.entries())
            yield Finding("plugins", record.name, "ok", f"{origin}: {count} components and recipes")
        elif record.status == "disabled":
            text = f"{origin}: disabled by AVELZOO_LOAD_PLUGINS or AVELZOO_DISABLE_PLUGINS"
            yield Finding("plugins", record.name, "ok", text)
        else:
            fix = f"update or uninstall {record.distribution or record.name}; or AVELZOO_DISABLE_PLUGINS={record.name}"
            yield Finding("plugins", record.name, "problem", f"{origin}: {record.error}", fix)


def weights() -> Iterator[Finding]:
    """A finding per file of published weights: where it lies, or where it must lie. Uses no network."""
    from avelzoo.plugin.default import default_host
    from avelzoo.weights.catalogue import known_weights
    from avelzoo.weights.store import WeightStore

    store = WeightStore(offline=True)
    yield Finding("weights", "folder", "ok", str(store.folder))
    for known in known_weights(default_host().registry):
        status = store.status(known.file)
        users = f"for {some(known.extractors)}"
        if status.state == "present":
            yield Finding("weights", known.file.name, "ok", f"{status.path} ({status.origin}; {users})")
        elif status.state == "damaged":
            text = f"damaged: {status.path}, {status.problem} ({users})"
            yield Finding("weights", known.file.name, "problem", text, "delete the file and get it again")
        else:
            fix = f"`avelzoo weights path {known.file.name}` says how to get it"
            yield Finding("weights", known.file.name, "warning", f"missing ({users})", fix)
